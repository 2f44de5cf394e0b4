use super::*;
use crate::fixture;

/// The link of namespace `shop` to the Deployment `data/pg`.
fn to_other_namespace() -> Snapshot {
    fixture::snapshot().with_target_in("data")
}

fn reference(s: &Snapshot) -> TargetRef {
    s.link.object.spec.target_instance_ref.clone().unwrap()
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
    let message = manifest(&reference(&s), "data", "shop", NetworkPolicyMode::None);
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
    let mut s = to_other_namespace();
    let message = manifest(&reference(&s), "data", "shop", NetworkPolicyMode::Allow);
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
                let message = manifest(&reference(&s), "data", own, NetworkPolicyMode::None);
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
