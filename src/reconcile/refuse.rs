//! The failures of a write that are reported. Core reads who refused it, and writes the message.

use instancelink_cluster::{CallError, LinkKey};
use instancelink_core::child::Key;
use instancelink_core::effect::Effect;
use instancelink_core::refusal::Refusal;

/// The refusal in a failure, if it is one; `verb` as in RBAC rules.
pub(super) fn refusal_of(error: &CallError, verb: &'static str, key: &Key) -> Option<Refusal> {
    match error {
        CallError::Forbidden(message) | CallError::Refused { message, .. } => Some(Refusal::denied(verb, key, message)),
        CallError::Terminating(_) => Some(Refusal::terminating(key)),
        // Nothing was written: webhooks are asked before.
        CallError::Server { message, .. } => Refusal::by_broken_webhook(verb, key, message),
        CallError::NotFound(_)
        | CallError::Conflict(_)
        | CallError::AlreadyExists(_)
        | CallError::Overloaded { .. }
        | CallError::Transport(_) => None,
    }
}

/// The refusal of a write of the link itself by a quota, a policy or a webhook; none for another failure or write.
pub(super) fn refusal_of_link(error: &CallError, effect: &Effect, link: &LinkKey) -> Option<Refusal> {
    let verb = match effect {
        Effect::AcceptAction { .. }
        | Effect::WriteIntent { .. }
        | Effect::AddFinalizer
        | Effect::DropFinalizer
        | Effect::WriteStatus { .. } => "update",
        Effect::DeleteLink => "delete",
        Effect::Create { .. } | Effect::Replace { .. } | Effect::Delete { .. } | Effect::Publish(_) => return None,
    };
    match error {
        CallError::Forbidden(message) | CallError::Refused { message, .. } | CallError::Server { message, .. } => {
            Refusal::of_link(verb, &link.namespace, &link.name, message)
        }
        CallError::NotFound(_)
        | CallError::Conflict(_)
        | CallError::AlreadyExists(_)
        | CallError::Terminating(_)
        | CallError::Overloaded { .. }
        | CallError::Transport(_) => None,
    }
}

/// True if a retry alone does not help.
pub(super) const fn is_refusal(error: &CallError) -> bool {
    matches!(error, CallError::Forbidden(_) | CallError::Refused { .. })
}

#[cfg(test)]
mod tests {
    use instancelink_api::condition::Reason;
    use instancelink_core::child::Kind;

    use super::*;

    fn reason(error: &CallError) -> Option<Reason> {
        let key = Key {
            kind: Kind::Binding,
            namespace: "shop".to_owned(),
            name: "x".to_owned(),
        };
        refusal_of(error, "create", &key).map(|refusal| refusal.reason)
    }

    #[test]
    fn a_webhook_that_does_not_answer_is_reported_and_another_failure_of_the_server_is_not() {
        let server = |message: &str| CallError::Server {
            code: 500,
            message: message.to_owned(),
        };
        let broken = r#"Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: EOF"#;
        assert_eq!(reason(&server(broken)), Some(Reason::AdmissionFailed));
        assert_eq!(reason(&server("etcdserver: leader changed")), None);
    }

    #[test]
    fn a_webhook_that_does_not_answer_refuses_a_write_of_the_link_and_a_busy_store_does_not() {
        let link = LinkKey::new("shop", "web-db");
        let server = |message: &str| CallError::Server {
            code: 500,
            message: message.to_owned(),
        };
        let broken = server(r#"Internal error occurred: failed calling webhook "a.example.com": EOF"#);
        let reason = |error: &CallError, effect: &Effect| refusal_of_link(error, effect, &link).map(|r| r.reason);
        assert_eq!(reason(&broken, &Effect::DropFinalizer), Some(Reason::AdmissionFailed));
        assert_eq!(reason(&broken, &Effect::DeleteLink), Some(Reason::AdmissionFailed));
        assert_eq!(
            reason(&server("etcdserver: leader changed"), &Effect::DropFinalizer),
            None
        );
    }

    #[test]
    fn a_namespace_that_terminates_is_no_missing_right() {
        let error = CallError::Terminating("in any words".to_owned());
        assert_eq!(reason(&error), Some(Reason::Pending));
    }
}
