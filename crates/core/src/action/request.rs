//! The grammar of the action annotation: `verb` or `verb/id`.

use instancelink_api::Verb;

use crate::{hash, text};

/// Longest id, in characters.
pub(super) const MAX_ID: usize = 63;
/// How much of a value that is no action is shown, in characters.
pub(super) const MAX_SHOWN: usize = 80;

/// What the annotation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A verb, and an id or none.
    Action {
        /// What is asked for.
        verb: Verb,
        /// Under which id; empty if none was given.
        id: String,
    },
    /// A value that is no action.
    Invalid {
        /// Its first characters, on one line and printable.
        shown: String,
        /// `#` and 8 hexadecimal digits of its hash: how it is remembered.
        mark: String,
    },
}

/// Reads the value of the annotation; an empty one is no request.
pub fn parse(value: &str) -> Option<Request> {
    if value.is_empty() {
        return None;
    }
    let (verb, id) = value
        .split_once('/')
        .map_or((value, None), |(verb, id)| (verb, Some(id)));
    let verb = Verb::ALL.into_iter().find(|known| known.as_str() == verb);
    Some(match (verb, id) {
        (Some(verb), None) => Request::Action {
            verb,
            id: String::new(),
        },
        (Some(verb), Some(id)) if is_id(id) => Request::Action {
            verb,
            id: id.to_owned(),
        },
        _ => Request::Invalid {
            shown: text::shown(value, MAX_SHOWN),
            mark: format!("#{}", hash::hex(value, 8)),
        },
    })
}

impl Request {
    /// How the request is remembered; a bare verb is not.
    pub fn remembered_as(&self) -> Option<String> {
        match self {
            Self::Action { id, .. } if id.is_empty() => None,
            Self::Action { verb, id } => Some(format!("{verb}/{id}")),
            Self::Invalid { mark, .. } => Some(mark.clone()),
        }
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= MAX_ID
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contract#action-grammar
    #[test]
    fn a_verb_alone_or_with_an_id_is_a_request() {
        assert_eq!(
            parse("purge"),
            Some(Request::Action {
                verb: Verb::Purge,
                id: String::new()
            })
        );
        assert_eq!(
            parse("deactivate/CHG-1"),
            Some(Request::Action {
                verb: Verb::Deactivate,
                id: "CHG-1".into()
            })
        );
        assert_eq!(parse(""), None);
    }

    /// contract#action-grammar
    #[test]
    fn any_other_value_is_outside_the_grammar() {
        let long = format!("remove/{}", "x".repeat(64));
        for value in [
            "Purge",
            "purge/",
            "purge/a/b",
            "purge/ü",
            " purge",
            "purge ",
            "stop",
            "/",
            &long,
        ] {
            assert!(matches!(parse(value), Some(Request::Invalid { .. })), "{value:?}");
        }
    }

    /// lifecycle#handled-values
    #[test]
    fn a_value_outside_the_grammar_is_shown_shortened_and_without_control_characters() {
        let Some(Request::Invalid { shown, mark }) = parse(&format!("\u{1b}[31m{}", "é".repeat(100))) else {
            panic!()
        };
        assert_eq!(shown.chars().count(), 80);
        assert!(shown.starts_with("\\u{1b}[31m"), "{shown}");
        assert_eq!(mark.len(), 9);
    }

    #[test]
    fn a_value_that_would_be_invisible_or_change_the_text_around_it_is_shown_by_its_numbers() {
        for value in ["\u{7}", "\u{200b}", "\u{202e}etavitca", "activate\n"] {
            let Some(Request::Invalid { shown, .. }) = parse(value) else {
                panic!("{value:?}")
            };
            assert!(!shown.is_empty() && shown.chars().all(text::is_harmless), "{shown:?}");
        }
    }
}
