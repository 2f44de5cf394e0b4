use instancelink_api::InstanceLinkGrant;

use super::*;
use crate::fixture;
use crate::snapshot::Grant;

/// The link of namespace `shop` to the Deployment `data/pg`.
fn to_other_namespace() -> Snapshot {
    fixture::snapshot().with_target_in("data")
}

fn reference(s: &Snapshot) -> TargetRef {
    s.link.object.spec.target_instance_ref.clone().unwrap()
}

/// The manifest in the message for a link of this namespace.
fn shown(s: &Snapshot, own: &str) -> String {
    manifest(&s.link.object.spec, &reference(s), "data", own)
}

fn permitted(s: &Snapshot) -> bool {
    is_permitted(s, &reference(s), Permission::Endpoints)
}

fn to(to: &str) -> bool {
    permitted(&to_other_namespace().granted("data", to))
}

fn from(from: &str) -> bool {
    permitted(&to_other_namespace().granted_by("data", &format!("{{from: [{from}], to: [{{kind: Deployment}}]}}")))
}

#[test]
fn the_links_own_namespace_needs_no_grant() {
    assert!(permitted(&fixture::snapshot()));
    assert!(permitted(&fixture::snapshot().with_target_in("shop")));
    assert!(!permitted(&to_other_namespace()));
}

#[test]
fn a_grant_permits_a_kind_or_one_object_of_it() {
    assert!(to("{kind: Deployment}"));
    assert!(to("{kind: Deployment, name: pg}"));
    assert!(!to("{kind: Deployment, name: pg2}"));
    assert!(!to("{kind: StatefulSet, name: pg}"));
    assert!(!to("{kind: Service}"));
    assert!(to("{kind: Service}, {kind: Deployment, name: pg}"), "any entry counts");
}

#[test]
fn without_a_group_a_grant_means_the_default_group_of_the_kind() {
    assert!(to("{group: apps, kind: Deployment}"));
    assert!(!to(r#"{group: "", kind: Deployment}"#));
    assert!(!to("{group: example.com, kind: Deployment}"));
    assert!(!to("{kind: Rollout}"));
    let pod = |to: &str| {
        let s = to_other_namespace().edited(|spec| spec.target_instance_ref.as_mut().unwrap().kind = "Pod".to_owned());
        permitted(&s.granted("data", to))
    };
    assert!(pod("{kind: Pod}"));
    assert!(pod(r#"{group: "", kind: Pod}"#));
    assert!(!pod("{group: apps, kind: Pod}"));
}

#[test]
fn a_grant_does_not_permit_a_target_of_another_api_group() {
    let s = to_other_namespace().edited(|spec| {
        spec.target_instance_ref.as_mut().unwrap().api_version = Some("example.com/v1".to_owned());
    });
    assert!(!permitted(&s.clone().granted("data", "{kind: Deployment}")));
    assert!(permitted(&s.granted("data", "{group: example.com, kind: Deployment}")));
}

#[test]
fn a_grant_permits_the_namespaces_that_it_names() {
    assert!(from("{namespace: shop}"));
    assert!(!from("{namespace: shop-2}"));
    assert!(from("{namespace: other}, {namespace: shop}"), "any entry counts");
}

#[test]
fn a_grant_can_select_namespaces_by_label() {
    assert!(from("{namespaceSelector: {}}"), "an empty selector selects all");
    assert!(from(
        "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}"
    ));
    assert!(!from("{namespaceSelector: {matchLabels: {team: a}}}"));
    assert!(from(
        "{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}"
    ));
    assert!(!from(
        "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop},
          matchExpressions: [{key: team, operator: Exists}]}}"
    ));
}

/// contract#invalid-grants
#[test]
fn an_invalid_selector_selects_no_namespace_whatever_its_operator() {
    for requirement in [
        "{key: team, operator: NotIn, values: []}",
        "{key: team, operator: NotIn}",
        "{key: team, operator: NotIn, values: [\"not a value\"]}",
        "{key: team, operator: DoesNotExist, values: [a]}",
        "{key: \"not a key\", operator: DoesNotExist}",
        "{key: \"\", operator: NotIn, values: [a]}",
        "{key: kubernetes.io/metadata.name, operator: Exists, values: [shop]}",
        "{key: kubernetes.io/metadata.name, operator: in, values: [shop]}",
    ] {
        let selector = format!("{{namespaceSelector: {{matchExpressions: [{requirement}]}}}}");
        assert!(!from(&selector), "{requirement}");
        assert!(
            from(&format!("{selector}, {{namespace: shop}}")),
            "the other entries count"
        );
    }
    let labels = "{kubernetes.io/metadata.name: shop, \"not a key\": a}";
    assert!(!from(&format!("{{namespaceSelector: {{matchLabels: {labels}}}}}")));
}

fn with_ports(s: Snapshot, ports: &str) -> Snapshot {
    s.edited(|spec| spec.ports = serde_yaml_ng::from_str(ports).unwrap())
}

/// contract#granted-ports
#[test]
fn a_grant_with_ports_permits_links_that_name_only_these_ports() {
    let links = |ports: &str, granted: &str| {
        let to = format!("{{kind: Deployment, ports: [{granted}]}}");
        permitted(&with_ports(to_other_namespace(), ports).granted("data", &to))
    };
    let pg = "[{name: pg, port: 5432}]";
    assert!(links(pg, "{port: 5432}"));
    assert!(links(pg, "{port: 1}, {port: 5432, protocol: TCP}"));
    assert!(!links(pg, "{port: 5432, protocol: UDP}"));
    assert!(!links(pg, "{port: 5433}"));
    assert!(!links(pg, "{port: pg}"), "the name of a link's port is the link's own");
    assert!(!links(
        "[{name: pg, port: 5432}, {name: ssh, port: 22}]",
        "{port: 5432}"
    ));
    assert!(links(
        "[{name: pg, port: 5432}, {name: x, port: 22, protocol: UDP}]",
        "{port: 5432}, {port: 22, protocol: UDP}"
    ));
    assert!(!links("[]", "{port: 5432}"), "the target decides its ports");
    assert!(!links("null", "{port: 5432}"), "the target decides its ports");
}

/// contract#granted-ports
#[test]
fn behind_a_virtual_ip_the_port_at_the_instance_counts() {
    let links = |port: &str, granted: &str| {
        let to = format!("{{kind: Deployment, ports: [{granted}]}}");
        permitted(&with_ports(to_other_namespace(), &format!("[{port}]")).granted("data", &to))
    };
    assert!(links("{name: pg, port: 80, targetPort: 5432}", "{port: 5432}"));
    assert!(!links("{name: pg, port: 80, targetPort: 22}", "{port: 80}"));
    assert!(links("{name: pg, port: 80, targetPort: pg}", "{port: pg}"));
    assert!(!links(
        "{name: pg, port: 80, targetPort: ssh}",
        "{port: 80}, {port: pg}"
    ));
}

/// contract#granted-ports
#[test]
fn ports_of_two_entries_are_not_combined() {
    let s = with_ports(to_other_namespace(), "[{name: a, port: 1}, {name: b, port: 2}]");
    assert!(!permitted(&s.granted(
        "data",
        "{kind: Deployment, ports: [{port: 1}]}, {kind: Deployment, ports: [{port: 2}]}"
    )));
}

/// contract#granted-ports
#[test]
fn the_manifest_permits_exactly_the_ports_that_the_link_names() {
    let s = with_ports(
        to_other_namespace(),
        "[{name: a, port: 80, targetPort: 5432}, {name: b, port: 81, targetPort: y, protocol: UDP}]",
    );
    let message = shown(&s, "shop");
    assert!(
        message.contains("    ports:\n    - port: 5432\n    - port: \"y\"\n      protocol: UDP\n"),
        "{message}"
    );
    let grant = Grant::from(serde_yaml_ng::from_str::<InstanceLinkGrant>(&message).unwrap());
    let with = |mut s: Snapshot| {
        s.grants = vec![std::sync::Arc::new(grant.clone())];
        permitted(&s)
    };
    assert!(with(s.clone()));
    assert!(!with(with_ports(s, "[{name: c, port: 22}]")));
}

#[test]
fn a_namespace_that_was_not_seen_yet_is_not_selected() {
    let mut s = to_other_namespace().granted_by("data", "{from: [{namespaceSelector: {}}], to: [{kind: Deployment}]}");
    s.namespace = Namespace::default();
    assert!(!permitted(&s));
}

#[test]
fn an_entry_with_neither_or_both_fields_permits_nothing() {
    assert!(!from("{}"));
    assert!(!from("{namespace: shop, namespaceSelector: {}}"));
}

#[test]
fn a_grant_counts_only_in_its_own_namespace() {
    assert!(!permitted(
        &to_other_namespace().granted("data-2", "{kind: Deployment}")
    ));
    assert!(!permitted(&to_other_namespace().granted("shop", "{kind: Deployment}")));
}

#[test]
fn a_grant_that_is_being_deleted_does_not_count() {
    let mut s = to_other_namespace().granted("data", "{kind: Deployment}");
    let mut grant = (*s.grants[0]).clone();
    grant.terminating = true;
    s.grants = vec![std::sync::Arc::new(grant)];
    assert!(!permitted(&s));
}

#[test]
fn a_grant_allows_what_it_lists_and_endpoints_by_default() {
    let allows = |allow: &str, what| {
        let spec = format!("{{from: [{{namespace: shop}}], to: [{{kind: Deployment}}]{allow}}}");
        let s = to_other_namespace().granted_by("data", &spec);
        is_permitted(&s, &reference(&s), what)
    };
    assert!(allows("", Permission::Endpoints));
    assert!(!allows("", Permission::NetworkPolicy));
    assert!(!allows(", allow: [NetworkPolicy]", Permission::Endpoints));
    assert!(allows(", allow: [Endpoints, NetworkPolicy]", Permission::NetworkPolicy));
}

#[test]
fn entries_of_two_grants_are_not_combined() {
    let s = to_other_namespace()
        .granted("data", "{kind: Service}")
        .granted_by("data", "{from: [{namespace: other}], to: [{kind: Deployment}]}");
    assert!(!permitted(&s));
}

#[test]
fn the_message_is_a_manifest_that_permits_exactly_this_target() {
    let s = to_other_namespace();
    let message = shown(&s, "shop");
    assert_eq!(
        message,
        "# Namespace data does not permit links from namespace shop to Deployment data/pg. To permit them, an administrator of \
         namespace data can apply this manifest:\n\
         apiVersion: instancelink.dev/v1alpha1\n\
         kind: InstanceLinkGrant\n\
         metadata:\n  name: shop-to-deployment-pg\n  namespace: data\n\
         spec:\n  from:\n  - namespace: shop\n  to:\n  - kind: Deployment\n    name: pg\n"
    );
}

#[test]
fn the_manifest_permits_a_policy_if_the_link_has_one() {
    let mut s = to_other_namespace().edited(|spec| spec.network_policy = NetworkPolicyMode::Allow);
    let message = shown(&s, "shop");
    s.grants = vec![std::sync::Arc::new(Grant::from(
        serde_yaml_ng::from_str::<InstanceLinkGrant>(&message).unwrap(),
    ))];
    assert!(is_permitted(&s, &reference(&s), Permission::NetworkPolicy));
    assert!(permitted(&s));
}

#[test]
fn the_manifest_is_valid_for_any_names() {
    let long = "p".repeat(253);
    for name in ["pg", "1", "1e3", "true", "no", "0x1f", "a.b-c", long.as_str()] {
        for own in ["shop", "007", "on"] {
            for (api_version, kind) in [(None, "Pod"), (None, "Deployment"), (Some("example.com/v1"), "Pod")] {
                let mut s = to_other_namespace();
                s.link.object.metadata.namespace = Some(own.to_owned());
                s = s.edited(|spec| {
                    let target = spec.target_instance_ref.as_mut().unwrap();
                    name.clone_into(&mut target.name);
                    kind.clone_into(&mut target.kind);
                    target.api_version = api_version.map(str::to_owned);
                });
                let message = shown(&s, own);
                let object: InstanceLinkGrant = serde_yaml_ng::from_str(&message).unwrap();
                assert!(object.metadata.name.as_ref().unwrap().len() <= MAX_NAME);
                s.grants = vec![std::sync::Arc::new(Grant::from(object))];
                assert!(permitted(&s), "{message}");
            }
        }
    }
}

#[test]
fn a_grant_to_a_kind_of_another_group_names_the_group() {
    let to_rollout = |s: Snapshot| {
        s.edited(|spec| {
            let reference = spec.target_instance_ref.as_mut().unwrap();
            reference.api_version = Some("argoproj.io/v1alpha1".to_owned());
            reference.kind = "Rollout".to_owned();
            reference.namespace = Some("data".to_owned());
        })
    };
    let permits = |to: &str| {
        let s = to_rollout(fixture::snapshot()).granted("data", to);
        let reference = s.link.object.spec.target_instance_ref.clone().unwrap();
        is_permitted(&s, &reference, Permission::Endpoints)
    };
    assert!(permits("{group: argoproj.io, kind: Rollout}"));
    assert!(permits("{group: argoproj.io, kind: Rollout, name: pg}"));
    assert!(!permits("{group: example.com, kind: Rollout}"));
    assert!(!permits("{kind: Rollout}"));
    assert!(!permits("{kind: Deployment}"));
}

#[test]
fn a_name_is_quoted_where_yaml_could_read_something_else_and_only_there() {
    for word in ["pg", "a.b-c", "nobody", "yesterday"] {
        assert_eq!(quoted(word), word);
    }
    // Numbers, and what YAML 1.1 takes for a boolean or null, in whatever case.
    for other in ["1", "1e3", "007", "-pg", "y", "No", "on", "TRUE", "null"] {
        assert_eq!(quoted(other), format!("\"{other}\""));
    }
}
