//! Objects that exist and cannot be used (contract#unusable-objects). Their identity is known, and nothing else counts.

use std::fmt::{Display, Formatter, Result};

use crate::text;

/// The longest name of a field in a message.
const MAX_FIELD: usize = 128;
/// The longest text about what a field has to be.
const MAX_EXPECTED: usize = 128;

/// Why an object cannot be used. The text contains no value of the object, because a value may be secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unusable {
    /// A field has a value that the operator cannot read.
    Unreadable {
        /// The path of the field; empty for the whole object.
        field: String,
        /// What the value has to be; empty if that is unknown.
        expected: String,
    },
    /// The operator would have to keep too much of it.
    TooLarge {
        /// The field that takes most.
        field: &'static str,
        /// It takes more than these KiB, rounded down to a power of two: so a small edit is no other reason.
        kib: usize,
        /// How many KiB of an object of its kind are kept at most.
        limit: usize,
    },
}

/// Why the two ends of a link cannot be used. Then they count as missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnusableEnds {
    /// The source.
    pub source: Option<Unusable>,
    /// The target.
    pub target: Option<Unusable>,
}

impl Unusable {
    /// A field that cannot be read. Both texts are shortened, and control characters are shown as numbers.
    pub fn unreadable(field: &str, expected: &str) -> Self {
        Self::Unreadable {
            field: text::shown(field, MAX_FIELD),
            expected: text::shown(expected, MAX_EXPECTED),
        }
    }

    /// An object of which the operator would have to keep this many bytes, most of them of this field.
    pub fn too_large(field: &'static str, bytes: usize, limit: usize) -> Self {
        let kib = (bytes / 1024).max(1);
        Self::TooLarge {
            field,
            kib: 1 << kib.ilog2(),
            limit: limit / 1024,
        }
    }

    /// What an event about the object says: why it cannot be used, what follows, and what to do.
    pub fn note(&self, kind: &str) -> String {
        let mend = self.next_step();
        let so = match kind {
            "InstanceLink" => "the operator writes the status of this link again".to_owned(),
            "InstanceLinkGrant" | "ReferenceGrant" => {
                format!(
                    "this grant consents to nothing, and links that need it are cut; {mend}, or create the grant again"
                )
            }
            "NetworkPolicy" => format!(
                "it does not count as a policy that isolates pods; {mend}. If it belongs to a link, the operator writes it again"
            ),
            "EndpointSlice" | "ConfigMap" => {
                "the operator writes it again, or deletes it, if it belongs to a link".to_owned()
            }
            "Secret" => {
                format!("no link takes entries from it; {mend}. If it belongs to a link, the operator writes it again")
            }
            "Namespace" => format!("no grant selects it by its labels; {mend}"),
            "Node" | "ForeignEndpointSlice" => format!("the operator takes nothing from it; {mend}"),
            _ => format!("no link can have it as its source, as its target or as an endpoint; {mend}"),
        };
        format!("{self}, so {so}")
    }

    /// What to do with the field.
    pub const fn next_step(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "correct the field",
            Self::TooLarge { .. } => "make the field smaller",
        }
    }

    /// The reason as a label of metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::TooLarge { .. } => "too_large",
        }
    }

    /// The field of the status, if only the status is concerned. The operator alone writes it, and can write it again.
    pub fn status_field(&self) -> Option<&str> {
        match self {
            Self::Unreadable { field, .. } => {
                let field = field.strip_prefix("status.")?;
                field.split(['.', '[']).next()
            }
            Self::TooLarge { .. } => None,
        }
    }
}

impl Display for Unusable {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Unreadable { field, expected } => {
                match field.as_str() {
                    "" => f.write_str("the object cannot be read"),
                    field => write!(f, "the field {field} cannot be read"),
                }?;
                match expected.as_str() {
                    "" => Ok(()),
                    expected => write!(f, " (expected {expected})"),
                }
            }
            Self::TooLarge { field, kib, limit } => write!(
                f,
                "the field {field} is too large: the operator would keep more than {kib} KiB of this object, and it keeps at \
                 most {limit} KiB of one"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_field_and_what_it_has_to_be() {
        let why = Unusable::unreadable("spec.ports[0].port", "i32");
        assert_eq!(
            why.to_string(),
            "the field spec.ports[0].port cannot be read (expected i32)"
        );
        assert_eq!(Unusable::unreadable("", "").to_string(), "the object cannot be read");
    }

    /// contract#bounded-objects
    #[test]
    fn the_text_names_the_field_that_is_too_large_the_size_and_the_limit() {
        let why = Unusable::too_large("spec.selector", 1_300_000, 65_536);
        assert_eq!(
            why.note("Deployment"),
            "the field spec.selector is too large: the operator would keep more than 1024 KiB of this object, and it keeps at \
             most 64 KiB of one, so no link can have it as its source, as its target or as an endpoint; make the field smaller"
        );
        let after_an_edit = Unusable::too_large("spec.selector", 1_310_000, 65_536);
        assert_eq!(why, after_an_edit, "a small edit is no other reason");
        assert_eq!(why.status_field(), None);
    }

    #[test]
    fn names_of_fields_are_bounded_and_have_no_control_characters() {
        let why = Unusable::unreadable(&format!("data.a\u{1b}[2J\n{}", "x".repeat(1000)), "a string");
        let text = why.to_string();
        assert!(text.len() < 300 && !text.chars().any(char::is_control), "{text}");
    }

    #[test]
    fn a_status_alone_is_written_again() {
        let field = |field| Unusable::unreadable(field, "").status_field().map(str::to_owned);
        assert_eq!(field("status.conditions[0].status").as_deref(), Some("conditions"));
        assert_eq!(field("status.removed").as_deref(), Some("removed"));
        for other in ["", "spec.linkName", "status", "statuses.state"] {
            assert_eq!(field(other), None, "{other}");
        }
    }
}
