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
            r#"Internal error occurred: admission webhook "a.example.com" attempted to modify the object"#,
            Reason::AdmissionFailed,
            "kubectl get validatingwebhookconfigurations",
        ),
        (
            r#"Internal error occurred: add operation does not apply: doc is missing path: "/a": missing value"#,
            Reason::AdmissionFailed,
            "mutatingwebhookconfigurations",
        ),
        (
            "policy 'teams' with binding 'teams' denied request: no such key: team",
            Reason::AdmissionDenied,
            "kubectl edit mutatingadmissionpolicy teams",
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

/// lifecycle#retries
#[test]
fn a_refusal_of_the_link_itself_names_who_refused_it_and_ends_unseen() {
    for (answer, reason, next) in [
        (
            r#"admission webhook "keep.example.com" denied the request: no"#,
            Reason::AdmissionDenied,
            "Change the rules of this webhook",
        ),
        (
            r#"instancelinks.instancelink.dev "web-db" is forbidden: ValidatingAdmissionPolicy 'keep' with binding 'keep' denied request: no"#,
            Reason::AdmissionDenied,
            "kubectl edit validatingadmissionpolicy keep",
        ),
        (
            r#"Internal error occurred: failed calling webhook "keep.example.com": EOF"#,
            Reason::AdmissionFailed,
            "repair the server of this webhook",
        ),
    ] {
        let refusal = Refusal::of_link("update", "shop", "web-db", answer).unwrap();
        assert!(refusal.reason == reason && refusal.ends_unseen(), "{refusal:?}");
        let message = &refusal.message;
        assert!(
            message.contains("refused to update InstanceLink shop/web-db") && message.contains(next),
            "{message}"
        );
        assert!(!message.contains("spec.infrastructure"), "{message}");
    }
    for answer in [
        "etcdserver: request is too large",
        r#"links is forbidden: User "x" cannot patch resource"#,
    ] {
        assert_eq!(Refusal::of_link("update", "shop", "web-db", answer), None);
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
