use instancelink_api::spec::NetworkPolicyMode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::*;
use crate::child::{Observed, Policy};
use crate::dataplane::writes::key_of;
use crate::fixture;
use crate::snapshot::{Isolator, Snapshot};

/// A link with a policy in the namespace `data` of its target, and that policy.
fn with_policy_elsewhere() -> (Snapshot, Observed<Policy>) {
    let grant = "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}";
    let mut s = fixture::snapshot()
        .with_target_in("data")
        .granted_by("data", grant)
        .edited(|spec| spec.network_policy = NetworkPolicyMode::Allow);
    let isolator = Isolator {
        namespace: "data".to_owned(),
        name: "deny".to_owned(),
        pods: LabelSelector::default().into(),
    };
    s.isolators.push(isolator.into());
    let s = s.up();
    let policy = s.children.policies[0].clone();
    (s, policy)
}

/// lifecycle#no-wait-for-others
#[test]
fn conflicts_end_the_deletion_of_each_child_but_a_policy_in_another_namespace() {
    let (s, policy) = with_policy_elsewhere();
    let link = &s.link.object;
    let elsewhere = key_of(&policy.object);
    assert!(outlasts_conflicts(link, &elsewhere));
    let beside = Key {
        namespace: "shop".to_owned(),
        ..elsewhere.clone()
    };
    assert!(!outlasts_conflicts(link, &beside));
    let slice = Key {
        kind: Kind::Slice,
        ..elsewhere
    };
    assert!(!outlasts_conflicts(link, &slice));
}

/// lifecycle#no-wait-for-others
#[test]
fn a_policy_that_changed_is_deleted_only_while_its_marks_are_those_of_the_link() {
    let (s, mut policy) = with_policy_elsewhere();
    let link = &s.link.object;
    let turn = ("example.org/turn".to_owned(), "7".to_owned());
    policy.object.annotations.extend([turn]);
    "new".clone_into(&mut policy.uid);
    assert_eq!(own_uid(link, &ObservedChild::Policy(policy.clone())), Some("new"));
    policy.object.labels.clear();
    assert_eq!(own_uid(link, &ObservedChild::Policy(policy)), None, "given away");
    let slice = s.children.slices[0].clone();
    assert_eq!(own_uid(link, &ObservedChild::Slice(slice)), None);
}
