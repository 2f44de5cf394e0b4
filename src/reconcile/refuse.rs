//! The failures of a child's write for which a retry does not help. Core writes the message.

use instancelink_core::child::Key;
use instancelink_core::refusal::Refusal;

use instancelink_cluster::CallError;

/// The refusal in a failure, if it is one; `verb` as in RBAC rules.
pub(super) fn refusal_of(error: &CallError, verb: &'static str, key: &Key) -> Option<Refusal> {
    match error {
        CallError::Forbidden(message) if is_missing_right(message, verb) => {
            Some(Refusal::forbidden(verb, key, message))
        }
        CallError::Forbidden(message) | CallError::Refused { message, .. } => Some(Refusal::failed(verb, key, message)),
        CallError::NotFound(_)
        | CallError::Conflict(_)
        | CallError::AlreadyExists(_)
        | CallError::Terminating(_)
        | CallError::Overloaded { .. }
        | CallError::Server { .. }
        | CallError::Transport(_) => None,
    }
}

/// True for the wording of the API server's authorizer. Quotas, limits and admission policies also answer 403, and a right does
/// not help against them.
fn is_missing_right(message: &str, verb: &str) -> bool {
    message.contains(&format!("cannot {verb} resource \""))
}

#[cfg(test)]
mod tests {
    use instancelink_api::condition::Reason;
    use instancelink_core::child::Kind;

    use super::*;

    fn reason(message: &str) -> Reason {
        let key = Key {
            kind: Kind::Binding,
            namespace: "shop".to_owned(),
            name: "x".to_owned(),
        };
        let refusal = refusal_of(&CallError::Forbidden(message.to_owned()), "create", &key).unwrap();
        assert!(refusal.message.contains(message), "{}", refusal.message);
        refusal.reason
    }

    #[test]
    fn a_write_without_the_right_to_it_is_shown_as_a_missing_right() {
        let message = r#"secrets "x" is forbidden: User "system:serviceaccount:a:b" cannot create resource "secrets" in API group "" in the namespace "shop""#;
        assert_eq!(reason(message), Reason::Forbidden);
    }

    #[test]
    fn a_write_that_a_quota_or_an_admission_policy_refuses_is_not_shown_as_a_missing_right() {
        for message in [
            r#"secrets "x" is forbidden: exceeded quota: objects, requested: secrets=1, used: secrets=5, limited: secrets=5"#,
            r#"admission webhook "validation.gatekeeper.sh" denied the request: [labels] you must provide labels: {"team"}"#,
            r#"secrets "x" is forbidden: ValidatingAdmissionPolicy 'names' with binding 'names' denied request: no"#,
        ] {
            assert_eq!(reason(message), Reason::WriteFailed, "{message}");
        }
    }
}
