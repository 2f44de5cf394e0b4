use super::*;

const USER: &str = r#"User "system:serviceaccount:instancelink-system:instancelink" cannot"#;

#[test]
fn each_answer_of_an_api_server_names_who_refused() {
    let group = r#"resource "services" in API group "" in the namespace "shop""#;
    for (message, expected) in [
        (
            format!("services is forbidden: {USER} create {group}"),
            Denial::MissingRight,
        ),
        (
            format!(r#"services "web-links" is forbidden: {USER} update {group}: RBAC: role.rbac.authorization.k8s.io "x" not found"#),
            Denial::MissingRight,
        ),
        (
            r#"services "web-links" is forbidden: exceeded quota: objects, requested: services=1, used: services=5, limited: services=5"#.to_owned(),
            Denial::Quota("objects"),
        ),
        (
            r#"endpointslices.discovery.k8s.io "web-db-v4" is forbidden: exceeded quota: a.b-c, requested: count/endpointslices.discovery.k8s.io=1, used: count/endpointslices.discovery.k8s.io=0, limited: count/endpointslices.discovery.k8s.io=0"#.to_owned(),
            Denial::Quota("a.b-c"),
        ),
        (
            r#"services "web-links" is forbidden: status unknown for quota: objects, resources: services"#.to_owned(),
            Denial::UnknownQuota("objects"),
        ),
        (
            r#"services "web-links" is forbidden: status unknown for quota: objects"#.to_owned(),
            Denial::UnknownQuota("objects"),
        ),
        (
            r#"pods "x" is forbidden: failed quota: compute: must specify limits.cpu for: main"#.to_owned(),
            Denial::UnknownQuota("compute"),
        ),
        (
            r#"configmaps "web-links" is forbidden: ValidatingAdmissionPolicy 'teams' with binding 'teams-shop' denied request: a team is missing"#.to_owned(),
            Denial::Policy("teams"),
        ),
        (
            r#"configmaps "web-links" is forbidden: ValidatingAdmissionPolicy 'teams.example.com' denied request: failed expression"#.to_owned(),
            Denial::Policy("teams.example.com"),
        ),
        (
            r#"admission webhook "validation.gatekeeper.sh" denied the request: [labels] you must provide labels: {"team"}"#.to_owned(),
            Denial::Webhook("validation.gatekeeper.sh"),
        ),
        (
            r#"admission webhook "validate.kyverno.svc-fail" denied the request without explanation"#.to_owned(),
            Denial::Webhook("validate.kyverno.svc-fail"),
        ),
        (
            r#"Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": dial tcp 10.96.19.182:443: connect: connection refused"#.to_owned(),
            Denial::BrokenWebhook("validate.kyverno.svc-fail"),
        ),
        (
            r#"Internal error occurred: admission webhook "labels.example.com" attempted to modify the object, which is not supported for this operation"#.to_owned(),
            Denial::BrokenWebhook("labels.example.com"),
        ),
        (
            r#"Internal error occurred: add operation does not apply: doc is missing path: "/metadata/annotations/team": missing value"#.to_owned(),
            Denial::UnfitPatch,
        ),
        (
            "Internal error occurred: jsonpatch replace operation does not apply: doc is missing key: /spec/x: missing value".to_owned(),
            Denial::UnfitPatch,
        ),
        (
            "Internal error occurred: error in remove for path: '/spec/x': missing value".to_owned(),
            Denial::UnfitPatch,
        ),
        (
            "Internal error occurred: json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string".to_owned(),
            Denial::UnfitPatch,
        ),
        (
            "Internal error occurred: failed to allocate a serviceIP: range is full".to_owned(),
            Denial::Unknown,
        ),
        (
            "policy 'labels.example.com' with binding 'labels' denied request: replace operation does not apply: doc is missing key".to_owned(),
            Denial::MutatingPolicy("labels.example.com"),
        ),
        (
            r#"policy "labels" denied request: failed to configure policy: no such kind"#.to_owned(),
            Denial::MutatingPolicy("labels"),
        ),
        (
            r#"services "web-links" is forbidden: unable to create new content in namespace data because it is being terminated"#.to_owned(),
            Denial::TerminatingNamespace,
        ),
        (
            r#"pods "x" is forbidden: [maximum cpu usage per Container is 1, but limit is 2]"#.to_owned(),
            Denial::Unknown,
        ),
        (
            r#"Service "web-links" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"#.to_owned(),
            Denial::Unknown,
        ),
        ("403 Forbidden".to_owned(), Denial::Unknown),
        (String::new(), Denial::Unknown),
    ] {
        assert_eq!(Denial::of(&message), expected, "{message}");
    }
}

/// Gatekeeper, Kyverno and CEL repeat labels and names that a tenant chose.
#[test]
fn words_that_an_admission_controller_repeats_are_not_taken_for_those_of_another() {
    for words in [
        format!("services is forbidden: {USER} create resource"),
        "exceeded quota: objects, requested: services=1".to_owned(),
        r#"services "a" is forbidden: exceeded quota: objects, requested: x"#.to_owned(),
        r#"admission webhook "evil.example.com" denied the request: no"#.to_owned(),
        "ValidatingAdmissionPolicy 'evil' with binding 'evil' denied request: no".to_owned(),
        "policy 'evil' with binding 'evil' denied request: no".to_owned(),
        "Internal error occurred: add operation does not apply: no".to_owned(),
    ] {
        let webhook = format!(r#"admission webhook "labels.example.com" denied the request: {words}"#);
        assert_eq!(Denial::of(&webhook), Denial::Webhook("labels.example.com"), "{webhook}");
        let policy = format!(
            "services \"web-links\" is forbidden: ValidatingAdmissionPolicy 'labels' with binding 'b' denied request: {words}"
        );
        assert_eq!(Denial::of(&policy), Denial::Policy("labels"), "{policy}");
        let mutating = format!("policy 'labels' with binding 'b' denied request: {words}");
        assert_eq!(Denial::of(&mutating), Denial::MutatingPolicy("labels"), "{mutating}");
        let internal = format!("Internal error occurred: a label is {words}");
        assert_eq!(Denial::of(&internal), Denial::Unknown, "{internal}");
        let invalid = format!("Service \"web-links\" is invalid: metadata.labels: Invalid value: \"{words}\"");
        assert_eq!(Denial::of(&invalid), Denial::Unknown, "{invalid}");
    }
}

#[test]
fn what_is_no_name_is_not_repeated_in_a_command() {
    for name in ["", "a b", "$(reboot)", "a;b", "-n", "ü", &"a".repeat(254), "a…"] {
        let message = format!("services \"web-links\" is forbidden: exceeded quota: {name}, requested: services=1");
        assert_eq!(Denial::of(&message), Denial::Unknown, "{name}");
        let message = format!("admission webhook \"{name}\" denied the request: no");
        assert_eq!(Denial::of(&message), Denial::Unknown, "{name}");
    }
}

#[test]
fn a_message_that_was_cut_off_is_read_as_far_as_it_goes() {
    let message = r#"services "web-links" is forbidden: exceeded quota: objects, requested: services=1"#;
    for end in 0..message.len() {
        let _ = Denial::of(&message[..end]);
    }
    assert_eq!(
        Denial::of(r#"services "a" is forbidden: exceeded quota: objects"#),
        Denial::Quota("objects")
    );
}
