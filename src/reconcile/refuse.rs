//! The failures of a child's write for which a retry does not help. Core writes the message.

use instancelink_core::child::Key;
use instancelink_core::refusal::Refusal;

use instancelink_cluster::CallError;

/// The refusal in a failure, if it is one; `verb` as in RBAC rules.
pub(super) fn refusal_of(error: &CallError, verb: &'static str, key: &Key) -> Option<Refusal> {
    match error {
        CallError::Forbidden(message) => Some(Refusal::forbidden(verb, key, message)),
        CallError::Refused { message, .. } => Some(Refusal::failed(verb, key, message)),
        CallError::NotFound(_)
        | CallError::Conflict(_)
        | CallError::AlreadyExists(_)
        | CallError::Terminating(_)
        | CallError::Overloaded { .. }
        | CallError::Server { .. }
        | CallError::Transport(_) => None,
    }
}
