//! Refusals: what keeps a child from being written, in words for people. The executor makes them of the API server's
//! answers, the builders of `dataplane` of what they see.

use std::collections::BTreeSet;

use instancelink_api::condition::Reason;

use crate::child::Key;
use crate::rights::{self, Account};

/// Why a child is not written, where a repetition alone does not help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `NameTaken`, `Forbidden`, `WriteFailed` or `Pending`.
    pub reason: Reason,
    /// What was refused, why, and what to do next.
    pub message: String,
}

impl Refusal {
    /// A foreign object has the child's name.
    pub fn name_taken(key: &Key) -> Self {
        Self {
            reason: Reason::NameTaken,
            message: format!(
                "{key} already exists and was not created by this operator, so the operator does not change it; delete it \
                 or give it another name, and the link goes on by itself"
            ),
        }
    }

    /// The API server answered that the operator lacks the right to do this; `verb` as in RBAC rules.
    pub fn forbidden(verb: &str, key: &Key, answer: &str) -> Self {
        Self {
            reason: Reason::Forbidden,
            message: format!("the operator may not {verb} {key}: {answer}"),
        }
    }

    /// The API server refused the write for another reason.
    pub fn failed(verb: &str, key: &Key, answer: &str) -> Self {
        Self {
            reason: Reason::WriteFailed,
            message: format!(
                "the API server refused to {verb} {key}: {answer}; if an admission policy or a quota refused it, change that"
            ),
        }
    }

    /// The message with what to apply: a missing right is shown as the manifest that gives it.
    pub(crate) fn message_for(&self, key: &Key, account: &Account) -> String {
        if self.reason != Reason::Forbidden || is_manifest(&self.message) {
            return self.message.clone();
        }
        let why = format!(
            "{}. Apply this manifest; the link then goes on by itself:",
            self.message
        );
        rights::to_children(&why, key.kind, &key.namespace, account)
    }
}

/// Why a child that is being deleted is still there.
pub(crate) const HELD_BACK: &str =
    "is being deleted, but a finalizer holds it; remove the finalizer, or wait for the controller that set it";

/// Several messages as one. With a manifest among them all of it can still be applied: the others are comments. Of very many,
/// only the first are in it.
pub(crate) fn joined(messages: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 4;
    let (manifests, mut others): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| is_manifest(message));
    let more = others.len().saturating_sub(SHOWN);
    if more > 0 {
        others.truncate(SHOWN);
        others.push(format!("and {more} more problems"));
    }
    if manifests.is_empty() {
        return others.join("; ");
    }
    let comments = others
        .iter()
        .map(|other| format!("# Also: {}", rights::one_line(other)));
    let manifest = manifests.join("---\n");
    comments.chain([manifest]).collect::<Vec<_>>().join("\n")
}

/// The first few names, for a message.
pub(crate) fn listed(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{rest}", shown.join(", "))
}

fn is_manifest(message: &str) -> bool {
    message.starts_with("# ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::Kind;

    fn key() -> Key {
        Key {
            kind: Kind::Slice,
            namespace: "shop".to_owned(),
            name: "web-db-v4".to_owned(),
        }
    }

    #[test]
    fn a_missing_right_is_shown_as_the_manifest_that_gives_it() {
        let message = Refusal::forbidden("delete", &key(), "no").message_for(&key(), &Account::default());
        assert!(
            message.starts_with("# the operator may not delete EndpointSlice shop/web-db-v4: no. "),
            "{message}"
        );
        assert!(message.contains("resources: [endpointslices]"), "{message}");
        let failed = Refusal::failed("update", &key(), "too large");
        assert_eq!(failed.message_for(&key(), &Account::default()), failed.message);
    }

    #[test]
    fn messages_beside_a_manifest_are_comments_so_that_the_whole_can_be_applied() {
        let plain = || ["one".to_owned(), "two".to_owned()];
        assert_eq!(joined(plain()), "one; two");
        let many = ["1", "2", "3", "4", "5", "6"].map(str::to_owned);
        assert_eq!(joined(many), "1; 2; 3; 4; and 2 more problems");
        let manifests = ["# why\nkind: A\n".to_owned(), "# why\nkind: B\n".to_owned()];
        assert_eq!(
            joined(plain().into_iter().chain(manifests)),
            "# Also: one\n# Also: two\n# why\nkind: A\n---\n# why\nkind: B\n"
        );
    }
}
