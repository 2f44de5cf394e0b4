use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;
use crate::fixture;
use crate::resolve::consent::is_permitted;
use crate::snapshot::Snapshot;

const SHOP: &str = "{group: instancelink.dev, kind: InstanceLink, namespace: shop}";
const PG: &str = "{group: apps, kind: Deployment, name: pg}";

fn grant(spec: &str) -> Grant {
    let meta = ObjectMeta {
        namespace: Some("data".to_owned()),
        ..ObjectMeta::default()
    };
    grant_of(meta, serde_yaml_ng::from_str(spec).unwrap())
}

/// The link of namespace `shop` to the Deployment `data/pg`, with this grant.
fn with(grant: Grant) -> Snapshot {
    let mut s = fixture::snapshot().with_target_in("data");
    s.grants = vec![Arc::new(grant)];
    s
}

fn allows(grant: Grant, what: Permission) -> bool {
    let s = with(grant);
    let reference = s.link.object.spec.target_instance_ref.clone().unwrap();
    is_permitted(&s, &reference, what)
}

fn permits(spec: &str) -> bool {
    allows(grant(spec), Permission::Endpoints)
}

fn from(from: &str) -> bool {
    permits(&format!("{{from: [{from}], to: [{PG}]}}"))
}

fn to(to: &str) -> bool {
    permits(&format!("{{from: [{SHOP}], to: [{to}]}}"))
}

/// contract#reference-grants
#[test]
fn a_reference_grant_consents_to_links_of_the_group_kind_and_namespace_it_names() {
    assert!(from(SHOP));
    assert!(!from("{group: instancelink.dev, kind: InstanceLink, namespace: other}"));
    assert!(!from(
        "{group: instancelink.dev, kind: InstanceLinkGrant, namespace: shop}"
    ));
    assert!(!from(
        "{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}"
    ));
    assert!(!from(
        "{group: gateway.networking.k8s.io, kind: InstanceLink, namespace: shop}"
    ));
    assert!(!from(r#"{group: "", kind: InstanceLink, namespace: shop}"#));
    let route = "{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}";
    assert!(from(&format!("{route}, {SHOP}")), "any entry counts");
}

/// contract#reference-grants
#[test]
fn a_reference_grant_consents_to_a_kind_or_to_one_object_of_it() {
    assert!(to(PG));
    assert!(to("{group: apps, kind: Deployment}"));
    assert!(!to("{group: apps, kind: Deployment, name: pg2}"));
    assert!(!to(r#"{group: apps, kind: Deployment, name: ""}"#));
    assert!(!to("{group: apps, kind: StatefulSet}"));
    assert!(
        to(&format!("{{group: apps, kind: StatefulSet}}, {PG}")),
        "any entry counts"
    );
}

/// contract#reference-grants
#[test]
fn the_groups_of_a_reference_grant_are_exact_and_empty_means_core() {
    assert!(!to(r#"{group: "", kind: Deployment}"#), "there is no default group");
    let core = |kind: &str, group: &str| {
        let spec = format!(r#"{{from: [{SHOP}], to: [{{group: "{group}", kind: {kind}}}]}}"#);
        let s = with(grant(&spec)).edited(|spec| spec.target_instance_ref.as_mut().unwrap().kind = kind.to_owned());
        let reference = s.link.object.spec.target_instance_ref.clone().unwrap();
        is_permitted(&s, &reference, Permission::Endpoints)
    };
    assert!(core("Service", ""));
    assert!(core("Pod", ""));
    assert!(!core("Service", "core"));
    assert!(!core("Service", "apps"));
}

/// contract#reference-grants
#[test]
fn a_reference_grant_never_allows_a_network_policy() {
    let spec = format!("{{from: [{SHOP}], to: [{PG}]}}");
    assert!(allows(grant(&spec), Permission::Endpoints));
    assert!(!allows(grant(&spec), Permission::NetworkPolicy));
}

/// contract#reference-grants
#[test]
fn an_entry_with_unknown_or_missing_fields_consents_to_nothing() {
    assert!(!from("{group: instancelink.dev, kind: InstanceLink}"));
    assert!(!from(
        "{group: instancelink.dev, kind: InstanceLink, namespaceSelector: {}}"
    ));
    assert!(!from(
        "{group: instancelink.dev, kind: InstanceLink, namespace: shop, name: other}"
    ));
    assert!(!from(
        "{group: instancelink.dev, kind: InstanceLink, namespace: [shop]}"
    ));
    assert!(!to("{kind: Deployment}"));
    assert!(!to("{group: apps, kind: Deployment, port: 80}"));
    assert!(!to("Deployment"));
    assert!(to(&format!("{{kind: Deployment}}, {PG}")), "the other entries count");
}

/// contract#reference-grants
#[test]
fn a_missing_or_unknown_spec_consents_to_nothing() {
    assert!(!permits("null"));
    assert!(!permits("{}"));
    assert!(!permits(&format!("{{from: [{SHOP}]}}")));
    assert!(!permits(&format!("{{to: [{PG}]}}")));
    assert!(!permits(&format!("{{from: [{SHOP}], to: [{PG}], except: []}}")));
    assert!(!permits(&format!("{{from: {SHOP}, to: [{PG}]}}")));
}

/// contract#reference-grants
#[test]
fn a_reference_grant_counts_in_its_own_namespace_until_it_is_being_deleted() {
    let spec = format!("{{from: [{SHOP}], to: [{PG}]}}");
    let elsewhere = Grant {
        namespace: "data-2".to_owned(),
        ..grant(&spec)
    };
    assert!(!allows(elsewhere, Permission::Endpoints));
    let meta = ObjectMeta {
        namespace: Some("data".to_owned()),
        deletion_timestamp: Some(Time(jiff::Timestamp::UNIX_EPOCH)),
        ..ObjectMeta::default()
    };
    let terminating = grant_of(meta, serde_yaml_ng::from_str(&spec).unwrap());
    assert!(!allows(terminating, Permission::Endpoints));
}

/// contract#grants
#[test]
fn entries_of_two_reference_grants_are_not_combined() {
    let mut s = with(grant(&format!(
        "{{from: [{SHOP}], to: [{{group: apps, kind: StatefulSet}}]}}"
    )));
    let other = "{group: instancelink.dev, kind: InstanceLink, namespace: other}";
    s.grants
        .push(Arc::new(grant(&format!("{{from: [{other}], to: [{PG}]}}"))));
    let reference = s.link.object.spec.target_instance_ref.clone().unwrap();
    assert!(!is_permitted(&s, &reference, Permission::Endpoints));
}
