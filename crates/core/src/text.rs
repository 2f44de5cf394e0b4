//! Texts that others wrote, in messages, in logs and on terminals. Names are checked by the API server; annotations, answers of
//! webhooks and the status of custom objects are not.

/// The text on one line and in at most this many characters. A line break becomes a space. Each other character that acts
/// instead of being shown is written as its number, so that it neither hides nor changes the characters beside it.
pub fn shown(text: &str, characters: usize) -> String {
    let mut shown = String::new();
    let mut left = characters;
    for c in text.trim().chars() {
        let piece = if is_harmless(c) {
            c.to_string()
        } else if c.is_whitespace() {
            " ".to_owned()
        } else {
            c.escape_unicode().to_string()
        };
        let length = piece.chars().count();
        if length > left {
            return shortened(shown, characters);
        }
        left -= length;
        shown.push_str(&piece);
    }
    shown
}

/// The text with an ellipsis for what is left out.
fn shortened(mut text: String, characters: usize) -> String {
    while text.chars().count() >= characters.max(1) {
        text.pop();
    }
    let end = text.trim_end().len();
    text.truncate(end);
    text.push('…');
    text
}

/// False for control characters, and for characters without a width or that change the order of others.
pub fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_is_shown_as_it_is() {
        assert_eq!(shown("  grün, 東京 🚀\t", 20), "grün, 東京 🚀");
        assert_eq!(shown("abc", 3), "abc");
        assert_eq!(shown("", 3), "");
    }

    #[test]
    fn line_breaks_and_characters_that_act_are_not_shown_as_such() {
        assert_eq!(shown("a\nb\r\tc\u{2028}d", 20), "a b  c d");
        assert_eq!(shown("\u{1b}[2J\u{9b}", 40), "\\u{1b}[2J\\u{9b}");
        assert_eq!(shown("safe\u{202e}txt", 40), "safe\\u{202e}txt");
        assert_eq!(
            shown("\u{7}", 40),
            "\\u{7}",
            "a text of control characters alone is not empty"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters_and_says_so() {
        assert_eq!(shown("abcd", 3), "ab…");
        assert_eq!(shown("ab\u{1b}", 5), "ab…", "no half of a number");
        for length in 1..40 {
            let text = shown(&"é\u{1b} ".repeat(100), length);
            assert!(text.chars().count() <= length, "{text}");
        }
    }
}
