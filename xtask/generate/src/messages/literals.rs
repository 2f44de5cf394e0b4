//! Finds the string literals in a Rust source, without a parser. The texts of logs and output are such literals.

/// The string literals in each call of `name`, such as `tracing::warn!`, that are arguments of their own: not those in
/// nested calls, and not values of named fields.
pub(super) fn in_calls(source: &str, name: &str) -> Vec<Vec<String>> {
    let start = format!("{name}(");
    let calls = source.match_indices(&start);
    calls
        .filter(|(at, _)| !source[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .map(|(at, _)| literals_of(&source[at + start.len()..]))
        .collect()
}

/// Those up to the end of the call that this text is in.
fn literals_of(rest: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut depth = 0_usize;
    let mut before = ',';
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        let tail = &rest[at..];
        match c {
            '"' => {
                let (text, length) = literal(tail);
                if depth == 0 && before == ',' {
                    literals.push(text);
                }
                skip(&mut chars, at + length);
            }
            '/' if tail.starts_with("//") => skip(&mut chars, at + tail.find('\n').unwrap_or(tail.len())),
            '\'' if tail.chars().nth(2) == Some('\'') => {
                skip(&mut chars, at + tail.chars().take(3).map(char::len_utf8).sum::<usize>());
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if !c.is_whitespace() {
            before = c;
        }
    }
    literals
}

fn skip(chars: &mut std::str::CharIndices<'_>, end: usize) {
    while chars.clone().next().is_some_and(|(at, _)| at < end) {
        chars.next();
    }
}

/// The text of the literal that begins here, and how many bytes of source it takes.
fn literal(source: &str) -> (String, usize) {
    let mut text = String::new();
    let mut chars = source.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, at + 1),
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                // The string continues on the next line, without the spaces at its start.
                Some((at, '\n')) => {
                    let spaces = source[at..].len() - source[at..].trim_start().len();
                    for _ in 1..spaces {
                        chars.next();
                    }
                }
                Some((_, other)) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    (text, source.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_literals_of_a_call_are_its_arguments_and_not_those_of_fields_or_nested_calls() {
        let source = r#"
            tracing::warn!(%key, hint = "no", left = left.len("no"), sep = ')', "first \
                 line, \"quoted\"");
            my_tracing::warn!("no");
            tracing::warn!("{}", note);
        "#;
        let found = in_calls(source, "tracing::warn!");
        assert_eq!(
            found,
            [vec!["first line, \"quoted\"".to_owned()], vec!["{}".to_owned()]]
        );
    }
}
