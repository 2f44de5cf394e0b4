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
        const LABELS: &str =
            "If it asks for labels or annotations, write them into spec.infrastructure of the link; otherwise change";
        match Denial::of(answer) {
            Denial::MissingRight => Self::forbidden(verb, key, answer),
            Denial::TerminatingNamespace => Self::terminating(key),
            denial => {
                let what = refused(verb, key, answer);
                Self::by(&denial, &what, &key.namespace, LABELS).unwrap_or_else(|| Self::failed(verb, key, answer))
            }
        }
    }

    /// The API server refused a write of the link itself with this message. None if no quota, policy or webhook did it.
    pub fn of_link(verb: &str, namespace: &str, name: &str, answer: &str) -> Option<Self> {
        let link = format!("InstanceLink {namespace}/{name}");
        Self::by(&Denial::of(answer), &refused(verb, &link, answer), namespace, "Change")
    }

    /// Others change back what the operator writes of the link itself (lifecycle#disputed-link).
    pub fn link_edited(namespace: &str, name: &str) -> Self {
        Self {
            reason: Reason::AlteredByOthers,
            message: format!(
                "InstanceLink {namespace}/{name}: another client changes the status, the finalizers or the intent back after each \
                 write of the operator. Leave them to the operator. It writes them again, once a minute. To find the client, run: \
                 kubectl -n {namespace} get il {name} -o yaml --show-managed-fields"
            ),
        }
    }

    /// Admission changes what the operator writes of the link itself (lifecycle#undone-link-write).
    pub fn link_altered(namespace: &str, name: &str) -> Self {
        Self {
            reason: Reason::AlteredByOthers,
            message: format!(
                "InstanceLink {namespace}/{name} is not as the operator wrote it: a mutating admission policy or webhook changes the \
                 operator's own write. Leave the status, the finalizers and the annotations of links out of it. The operator tries \
                 again, with pauses of up to five minutes. To find it, run: kubectl get \
                 mutatingadmissionpolicies,mutatingwebhookconfigurations"
            ),
        }
    }

    /// By a quota, a policy or a webhook. `change` begins the advice about what denied the write.
    fn by(denial: &Denial<'_>, what: &str, namespace: &str, change: &str) -> Option<Self> {
        const WEBHOOKS: &str = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml";
        let soon = "the link then goes on within ten seconds";
        let again = "The operator tries again every few seconds; if this lasts,";
        let (reason, advice) = match denial {
            Denial::Quota(name) => (
                Reason::QuotaExceeded,
                format!(
                    "Raise this quota, or delete objects that count in it; {soon}: kubectl -n {namespace} edit resourcequota {name}"
                ),
            ),
            Denial::UnknownQuota(name) => (
                Reason::AdmissionFailed,
                format!("{again} look at the quota: kubectl -n {namespace} describe resourcequota {name}"),
            ),
            Denial::Policy(name) => (
                Reason::AdmissionDenied,
                format!("{change} this policy; {soon}: kubectl edit validatingadmissionpolicy {name}"),
            ),
            Denial::MutatingPolicy(name) => (
                Reason::AdmissionDenied,
                format!(
                    "This policy cannot be applied to the object; correct it; {soon}: kubectl edit mutatingadmissionpolicy {name}"
                ),
            ),
            Denial::Webhook(_) => (
                Reason::AdmissionDenied,
                format!("{change} the rules of this webhook; {soon}. Its configuration is in the output of {WEBHOOKS}"),
            ),
            Denial::BrokenWebhook(_) => (
                Reason::AdmissionFailed,
                format!(
                    "{again} repair the server of this webhook, or remove its configuration, which is in the output of {WEBHOOKS}"
                ),
            ),
            Denial::UnfitPatch => (
                Reason::AdmissionFailed,
                format!(
                    "A mutating webhook answered with a patch that does not fit the object. {again} repair the server of that webhook, or \
                     remove its configuration, which is in the output of {WEBHOOKS}"
                ),
            ),
            Denial::MissingRight | Denial::TerminatingNamespace | Denial::Unknown => return None,
        };
        Some(Self {
            reason,
            message: format!("{what}. {advice}"),
        })
    }

    /// An answer that the API server gives because of a webhook that does not work; none for another failure.
    pub fn by_broken_webhook(verb: &str, key: &Key, answer: &str) -> Option<Self> {
        Denial::of(answer)
            .is_broken_webhook()
            .then(|| Self::denied(verb, key, answer))
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

/// What was refused, and why.
fn refused(verb: &str, what: &impl std::fmt::Display, answer: &str) -> String {
    let why = match denial::why(answer) {
        "" => answer,
        why => why,
    };
    format!("the API server refused to {verb} {what}: {why}")
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
mod tests;
