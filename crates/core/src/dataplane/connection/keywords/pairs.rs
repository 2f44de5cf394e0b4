//! Splits a text into keywords and values, and remembers where each value is.

use std::ops::Range;

/// A keyword in lower case, and where its value is in the text, with its quotes.
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: Range<usize>,
}

/// `Key=value;Key="a;b"`. None if the text is not of this form.
pub(super) fn with_semicolons(text: &str) -> Option<Vec<Pair>> {
    if !text.contains(';') {
        return None;
    }
    let mut pairs = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = text.get(start..)?;
        let length = end_of_segment(rest)?;
        let segment = rest.get(..length)?;
        if !segment.trim().is_empty() {
            let (key, value) = segment.split_once('=')?;
            let before = key.len() + 1 + (value.len() - value.trim_start().len());
            let from = start + before;
            pairs.push(Pair {
                key: key.trim().to_ascii_lowercase(),
                value: from..from + value.trim().len(),
            });
        }
        start += length + 1;
    }
    Some(pairs)
}

/// Where the segment ends: at the first semicolon outside of quotes, or at the end. None if a quote is not closed.
fn end_of_segment(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_start_of_value = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == ';' => return Some(at),
            // A quote inside a value is a character of it.
            None if is_start_of_value => match c {
                '"' | '\'' => quote = Some(c),
                '{' => quote = Some('}'),
                _ => {}
            },
            Some(_) | None => {}
        }
        is_start_of_value = quote.is_none() && (c == '=' || (is_start_of_value && c == ' '));
    }
    quote.is_none().then_some(text.len())
}

/// `key=value key = 'a b'`, with a backslash before a quote or a space of a value. None if the text is not of this form.
pub(super) fn with_spaces(text: &str) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut at = 0;
    loop {
        at = after_spaces(text, at)?;
        if at == text.len() {
            return Some(pairs);
        }
        let (key, _) = text.get(at..)?.split_once('=')?;
        let word = key.trim_end();
        let is_word = !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_word {
            return None;
        }
        let from = after_spaces(text, at + key.len() + 1)?;
        let to = from + length_of_value(text.get(from..)?)?;
        pairs.push(Pair {
            key: word.to_ascii_lowercase(),
            value: from..to,
        });
        at = to;
    }
}

fn after_spaces(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    Some(at + (rest.len() - rest.trim_start().len()))
}

/// None if a quote is not closed.
fn length_of_value(text: &str) -> Option<usize> {
    let is_quoted = text.starts_with('\'');
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(usize::from(is_quoted)) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '\'' if is_quoted => return Some(at + 1),
            c if c.is_whitespace() && !is_quoted => return Some(at),
            _ => {}
        }
    }
    (!is_quoted).then_some(text.len())
}
