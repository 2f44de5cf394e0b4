//! Refusals: what keeps a child from being written, in words for people. The executor makes them of the API server's
//! answers, the builders of `dataplane` of what they see.

mod denial;
mod retry;

use std::collections::BTreeSet;

use instancelink_api::condition::Reason;
use instancelink_api::keys;

use crate::alteration::Alteration;
use crate::child::Key;
use crate::commands;
use crate::rights::{self, Account};

pub use denial::Denial;
pub use retry::{MOST_REMEMBERED, still_refused};

/// Why a child is not written, where a repetition alone does not help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who or what is in the way, which decides how soon it is tried again.
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
                "{key} already exists and was not created by this operator, so the operator does not change it; delete it ({}) \
                 or give it another name, and the link goes on by itself",
                commands::delete(key)
            ),
        }
    }

    /// The API server answered a write with this message of refusal; `verb` as in RBAC rules.
    pub fn denied(verb: &str, key: &Key, answer: &str) -> Self {
        let why = match denial::why(answer) {
            "" => answer,
            why => why,
        };
        let what = format!("the API server refused to {verb} {key}: {why}");
        let soon = "the link then goes on within ten seconds";
        let (reason, message) = match Denial::of(answer) {
            Denial::MissingRight => return Self::forbidden(verb, key, answer),
            Denial::Quota(name) => (
                Reason::QuotaExceeded,
                format!(
                    "{what}. Raise this quota, or delete objects that count in it; {soon}: kubectl -n {} edit resourcequota {name}",
                    key.namespace
                ),
            ),
            Denial::UnknownQuota(name) => (
                Reason::AdmissionFailed,
                format!(
                    "{what}. The operator tries again every few seconds; if this lasts, look at the quota: kubectl -n {} describe \
                     resourcequota {name}",
                    key.namespace
                ),
            ),
            Denial::Policy(name) => (
                Reason::AdmissionDenied,
                format!(
                    "{what}. If it asks for labels or annotations, write them into spec.infrastructure of the link; otherwise change this \
                     policy; {soon}: kubectl edit validatingadmissionpolicy {name}"
                ),
            ),
            Denial::Webhook(_) => (
                Reason::AdmissionDenied,
                format!(
                    "{what}. If it asks for labels or annotations, write them into spec.infrastructure of the link; otherwise change the \
                     rules of this webhook; {soon}. Its configuration is in the output of kubectl get \
                     validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml"
                ),
            ),
            Denial::BrokenWebhook(_) => (
                Reason::AdmissionFailed,
                format!(
                    "{what}. The operator tries again every few seconds; if this lasts, repair the server of this webhook, or remove its \
                     configuration, which is in the output of kubectl get \
                     validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml"
                ),
            ),
            Denial::TerminatingNamespace => return Self::terminating(key),
            Denial::Unknown => return Self::failed(verb, key, answer),
        };
        Self { reason, message }
    }

    /// An answer that the API server gives because of a webhook that does not work; none for another failure.
    pub fn by_broken_webhook(verb: &str, key: &Key, answer: &str) -> Option<Self> {
        let is_broken = matches!(Denial::of(answer), Denial::BrokenWebhook(_));
        is_broken.then(|| Self::denied(verb, key, answer))
    }

    /// The operator lacks the right to do this.
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
                "the API server refused to {verb} {key}: {answer}. If something in this cluster refuses such objects, change that; \
                 otherwise report this message as a bug. The operator tries again after growing pauses"
            ),
        }
    }

    /// Others change what the operator wrote (lifecycle#disputes).
    pub fn altered(key: &Key, alteration: Option<&Alteration>) -> Self {
        let (namespace, resource, name) = (&key.namespace, key.kind.resource(), &key.name);
        let shown = format!("kubectl -n {namespace} get {resource} {name} -o yaml --show-managed-fields");
        let ours = format!("{}={}", keys::MANAGED_BY, keys::MANAGER);
        let why = match alteration {
            Some(Alteration { field, manager }) if manager.is_empty() => format!(
                "{field} is not as the operator wrote it, and no field manager has it, so a mutating admission policy or webhook \
                 changes it. Leave objects with the label {ours} out of it. To find it, run: kubectl get \
                 mutatingadmissionpolicies,mutatingwebhookconfigurations"
            ),
            Some(Alteration { field, manager }) => format!(
                "{field} is not as the operator wrote it: the field manager {manager} changes it. Let it leave objects with the \
                 label {ours} alone. To see what it has, run: {shown}"
            ),
            None => format!(
                "it is not as the operator wrote it, and the operator could not read what another client or an admission policy \
                 changes. Let them leave objects with the label {ours} alone. To see who wrote it, run: {shown}"
            ),
        };
        Self {
            reason: Reason::AlteredByOthers,
            message: format!("{key}: {why}. The operator tries again, with pauses of up to a minute"),
        }
    }

    /// Others delete what the operator creates (lifecycle#disputes).
    pub fn deleted(key: &Key) -> Self {
        Self {
            reason: Reason::AlteredByOthers,
            message: format!(
                "{key}: another client deletes it each time after the operator has created it. Let that client leave objects with \
                 the label {}={} alone. The audit log of the API server has its name, and an event may have its reason: kubectl \
                 -n {} get events. The operator tries again, with pauses of up to a minute",
                keys::MANAGED_BY,
                keys::MANAGER,
                key.namespace
            ),
        }
    }

    /// The API server does not update a child, and to create it again would cut clients off.
    pub fn unchangeable(key: &Key, answer: &str) -> Self {
        Self {
            reason: Reason::AlteredByOthers,
            message: format!(
                "{key} was changed in a field that cannot be changed back: {answer}. The operator does not delete it, because \
                 clients that use its address would be cut off. When that is possible, run this, and the operator creates it \
                 again with another address: {}",
                commands::delete(key)
            ),
        }
    }

    /// Nothing can be created in the child's namespace any more.
    pub fn terminating(key: &Key) -> Self {
        Self {
            reason: Reason::Pending,
            message: format!("{key} cannot be created, because its namespace is being deleted"),
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

/// True for the answer of the API server to an update that changes a field which cannot be changed. An admission policy or a
/// webhook may use the same words for something else: a new object would be refused as well.
pub fn is_immutable(answer: &str) -> bool {
    let words = ["field is immutable", "may not change once set"];
    let is_by_admission = ["denied request", "denied the request"]
        .iter()
        .any(|words| answer.contains(words));
    !is_by_admission && words.iter().any(|words| answer.contains(words))
}

/// Why a child that is being deleted is still there, and how to release it.
pub(crate) fn held_back(key: &Key) -> String {
    format!(
        "{key} is being deleted, but a finalizer holds it; wait for the controller that set it, or remove the finalizer: {}",
        commands::remove_finalizers(&key.namespace, &key.kind.resource(), &key.name)
    )
}

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
    fn only_a_missing_right_asks_for_rights_and_each_message_names_the_object() {
        for (answer, reason, next) in [
            (
                r#"services "a" is forbidden: User "x" cannot create resource "services" in API group """#,
                Reason::Forbidden,
                "kind: RoleBinding",
            ),
            (
                r#"services "a" is forbidden: exceeded quota: objects, requested: services=1"#,
                Reason::QuotaExceeded,
                "kubectl -n shop edit resourcequota objects",
            ),
            (
                r#"services "a" is forbidden: status unknown for quota: objects"#,
                Reason::AdmissionFailed,
                "kubectl -n shop describe resourcequota objects",
            ),
            (
                r#"services "a" is forbidden: ValidatingAdmissionPolicy 'teams' denied request: no"#,
                Reason::AdmissionDenied,
                "kubectl edit validatingadmissionpolicy teams",
            ),
            (
                r#"admission webhook "a.example.com" denied the request: no"#,
                Reason::AdmissionDenied,
                "kubectl get validatingwebhookconfigurations",
            ),
            (
                r#"Internal error occurred: failed calling webhook "a.example.com": EOF"#,
                Reason::AdmissionFailed,
                "kubectl get validatingwebhookconfigurations",
            ),
            (
                r#"services "a" is forbidden: unable to create new content in namespace shop because it is being terminated"#,
                Reason::Pending,
                "its namespace is being deleted",
            ),
            (
                r#"pods "a" is forbidden: maximum cpu usage per Container is 1"#,
                Reason::WriteFailed,
                "report this message",
            ),
        ] {
            let refusal = Refusal::denied("create", &key(), answer);
            assert_eq!(refusal.reason, reason, "{answer}");
            let message = refusal.message_for(&key(), &Account::default());
            assert!(
                message.contains(next) && message.contains("EndpointSlice shop/web-db-v4"),
                "{message}"
            );
            assert_eq!(message.contains("kind: Role"), reason == Reason::Forbidden, "{message}");
        }
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
