//! The record of a child: which of its labels and annotations come from `spec.infrastructure` or from the operator's options.

use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::keys;
use serde::{Deserialize, Serialize};

/// The keys in the record.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Recorded {
    pub(super) labels: BTreeSet<String>,
    pub(super) annotations: BTreeSet<String>,
}

impl Recorded {
    /// The record of an object; empty if it has none that can be read.
    pub(super) fn of(annotations: Option<&BTreeMap<String, String>>) -> Self {
        let record = annotations.and_then(|all| all.get(keys::INFRASTRUCTURE));
        record
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_a_record_that_can_be_read_has_no_keys_in_it() {
        let of = |text: &str| Recorded::of(Some(&[(keys::INFRASTRUCTURE.to_owned(), text.to_owned())].into()));
        for text in ["", "[]x", "[1]", r#"{"labels":"team"}"#] {
            assert_eq!(of(text), Recorded::default(), "{text}");
        }
        assert_eq!(Recorded::of(None), Recorded::default());
        assert!(of(r#"{"labels":["team"],"more":1}"#).labels.contains("team"));
    }
}
