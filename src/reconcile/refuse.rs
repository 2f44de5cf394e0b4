//! Failures of a child's write that repetition will not mend: said in words a user can act on.

use instancelink_api::condition::Reason;
use instancelink_core::child::{Key, Kind};
use instancelink_core::dataplane::grant;
use instancelink_core::effect::Refusal;

use crate::calls::CallError;

/// The refusal in a failure, if it is one; `verb` as in RBAC rules.
pub(super) fn refusal_of(error: &CallError, verb: &'static str, key: &Key) -> Option<Refusal> {
    match error {
        CallError::Forbidden(message) if key.kind == Kind::Binding => Some(Refusal {
            reason: Reason::Forbidden,
            message: format!(
                "the operator may not {verb} {key}: grant it the right to the Secrets of that namespace: {} ({message})",
                grant(&key.namespace)
            ),
        }),
        CallError::Forbidden(message) => Some(Refusal {
            reason: Reason::Forbidden,
            message: format!(
                "the operator may not {verb} {key}: grant its service account {verb} on {} ({message})",
                resource_of(key.kind)
            ),
        }),
        CallError::Refused { message, .. } => Some(Refusal {
            reason: Reason::WriteFailed,
            message: format!("the API server refused to {verb} {key}: {message}"),
        }),
        CallError::NotFound(_)
        | CallError::Conflict(_)
        | CallError::AlreadyExists(_)
        | CallError::Terminating(_)
        | CallError::Overloaded { .. }
        | CallError::Server { .. }
        | CallError::Transport(_) => None,
    }
}

/// The refusal where a stranger's object has a child's name.
pub(super) fn name_taken(key: &Key) -> Refusal {
    Refusal {
        reason: Reason::NameTaken,
        message: format!("{key} exists and is not the operator's; rename or delete it"),
    }
}

const fn resource_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Directory | Kind::VirtualIp => "services",
        Kind::Slice => "endpointslices.discovery.k8s.io",
        Kind::Environment => "configmaps",
        Kind::Policy => "networkpolicies.networking.k8s.io",
        Kind::Binding => "secrets",
    }
}
