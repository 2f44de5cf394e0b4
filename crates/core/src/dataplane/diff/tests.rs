use std::collections::BTreeSet;

use instancelink_api::keys;

use super::*;
use crate::child::{Directory, Kind, Slice};
use crate::dataplane::{Teardown, build, has_children, take_down};
use crate::fixture::{self, key, pod, shown};

mod ownership;

fn plan(s: &Snapshot) -> Plan<'_> {
    build(s, &BTreeSet::new()).unwrap()
}

fn due(s: &Snapshot) -> Vec<String> {
    shown(&bring_up(s, &plan(s)))
}

fn reasons(s: &Snapshot) -> Vec<Reason> {
    problems(s, &plan(s))
        .into_iter()
        .map(|refusal| refusal.reason)
        .collect()
}

fn refuse(s: &mut Snapshot, key: Key) {
    let refusal = Refusal {
        reason: Reason::Forbidden,
        message: "no".to_owned(),
    };
    s.refusals.insert(key, refusal);
}

/// A foreign Service with the directory's name.
fn foreign_directory() -> Observed<Directory> {
    Observed {
        uid: "foreign".to_owned(),
        resource_version: "7".to_owned(),
        terminating: false,
        held_since: None,
        object: ChildSpec {
            namespace: "shop".to_owned(),
            name: "web-links".to_owned(),
            labels: [].into(),
            annotations: [].into(),
            owners: vec![],
            body: Directory::default(),
        },
    }
}

#[test]
fn slices_are_created_after_the_directory_is_confirmed() {
    let mut s = fixture::snapshot();
    assert_eq!(
        due(&s),
        ["create Service shop/web-links", "create ConfigMap shop/web-links"]
    );
    s.execute(&bring_up(&s, &plan(&s)));
    assert_eq!(due(&s), ["create EndpointSlice shop/web-db-v4"]);
    assert!(!is_up(&s, &plan(&s)));
    s.execute(&bring_up(&s, &plan(&s)));
    assert!(is_up(&s, &plan(&s)));
}

#[test]
fn a_change_of_the_target_replaces_each_slice_in_one_write() {
    let s = fixture::snapshot()
        .up()
        .with_target_deployment(vec![pod("pg-9", "10.0.0.19")]);
    assert_eq!(due(&s), ["replace EndpointSlice shop/web-db-v4"]);
}

#[test]
fn old_slices_are_deleted_after_new_ones_exist() {
    let mut s = fixture::snapshot()
        .up()
        .with_target_deployment(vec![pod("pg-0", "fd00::10")]);
    assert_eq!(due(&s), ["create EndpointSlice shop/web-db-v6"]);
    s.execute(&bring_up(&s, &plan(&s)));
    assert_eq!(due(&s), ["delete EndpointSlice shop/web-db-v4"]);
}

#[test]
fn a_refused_child_does_not_block_the_others() {
    let mut s = fixture::snapshot();
    refuse(&mut s, key(Kind::Environment, "web-links"));
    for _ in 0..2 {
        s.execute(&bring_up(&s, &plan(&s)));
    }
    assert_eq!(due(&s), Vec::<String>::new());
    assert_eq!(s.children.slices.len(), 1);
    assert!(!is_up(&s, &plan(&s)));
    assert_eq!(reasons(&s), [Reason::Forbidden]);
}

#[test]
fn no_slice_is_written_if_the_directory_was_refused() {
    let mut s = fixture::snapshot();
    refuse(&mut s, key(Kind::Directory, "web-links"));
    s.execute(&bring_up(&s, &plan(&s)));
    assert_eq!(due(&s), Vec::<String>::new());
    assert!(s.children.slices.is_empty());
}

#[test]
fn a_foreign_service_is_not_changed_and_is_reported() {
    let mut s = fixture::snapshot();
    s.children.directories.push(foreign_directory());
    assert_eq!(due(&s), ["create ConfigMap shop/web-links"]);
    let problem = problems(&s, &plan(&s)).remove(0);
    assert_eq!(problem.reason, Reason::NameTaken);
    assert!(
        problem.message.starts_with("Service shop/web-links already exists"),
        "{}",
        problem.message
    );
}

#[test]
fn slices_are_deleted_at_once_when_the_directory_becomes_foreign() {
    let mut s = fixture::snapshot().up();
    s.children.directories = vec![foreign_directory()];
    assert_eq!(due(&s), ["delete EndpointSlice shop/web-db-v4"]);
    s.execute(&bring_up(&s, &plan(&s)));
    assert_eq!(due(&s), Vec::<String>::new());
}

#[test]
fn a_directory_that_lost_the_operators_labels_is_repaired_and_one_without_any_mark_is_foreign() {
    let mut s = fixture::snapshot().up();
    s.children.directories[0].object.labels.clear();
    assert_eq!(due(&s), ["replace Service shop/web-links"]);
    s.children.directories[0].object.annotations.clear();
    assert_eq!(reasons(&s), [Reason::NameTaken]);
}

#[test]
fn a_directory_of_a_deleted_source_is_taken_over() {
    let s = fixture::snapshot().up().with_source_uid("reborn");
    assert_eq!(
        due(&s),
        ["replace Service shop/web-links", "replace ConfigMap shop/web-links"]
    );
    let s = s.up();
    assert_eq!(s.children.directories[0].object.labels[keys::SOURCE_UID], "reborn");
}

#[test]
fn a_directory_of_another_existing_source_is_waited_for_without_a_slice_in_it() {
    let mut s = fixture::snapshot().up().with_source_uid("a-stateful-set-of-that-name");
    s.living_owners.insert(fixture::SOURCE_UID.to_owned());
    assert_eq!(due(&s), ["delete EndpointSlice shop/web-db-v4"]);
    assert_eq!(reasons(&s), [Reason::Pending, Reason::Pending]);
}

#[test]
fn a_lost_owner_reference_is_restored_and_one_of_a_shared_child_is_removed() {
    let source = fixture::owner("apps/v1", "Deployment", "web", fixture::SOURCE_UID);
    let mut s = fixture::snapshot().up();
    s.children.directories[0].object.owners = vec![source.clone()];
    s.children.environments[0].object.owners = vec![source];
    s.children.slices[0].object.owners.clear();
    assert_eq!(
        due(&s),
        ["replace Service shop/web-links", "replace ConfigMap shop/web-links"]
    );
    let children = s.up().children;
    assert_eq!(children.directories[0].object.owners, []);
    assert_eq!(children.environments[0].object.owners, []);
    assert_eq!(children.slices[0].object.owners.len(), 1);
}

#[test]
fn a_slice_that_lost_its_labels_still_belongs_to_its_link() {
    let mut s = fixture::snapshot().up();
    s.children.slices[0].object.labels.clear();
    assert_eq!(due(&s), ["replace EndpointSlice shop/web-db-v4"]);
}

#[test]
fn a_foreign_slice_is_not_changed_and_is_reported() {
    let mut s = fixture::snapshot().up();
    s.children.slices[0].object.labels.clear();
    s.children.slices[0].object.owners.clear();
    assert_eq!(due(&s), Vec::<String>::new());
    assert_eq!(reasons(&s), [Reason::NameTaken]);
}

#[test]
fn a_slice_of_an_earlier_link_of_the_name_waits_for_the_sweep() {
    let mut s = fixture::snapshot().up();
    s.children.slices[0].object.owners.clear();
    s.children.slices[0]
        .object
        .labels
        .insert(keys::LINK_UID.to_owned(), "dead".to_owned());
    assert_eq!(due(&s), Vec::<String>::new());
    assert_eq!(reasons(&s), [Reason::Pending]);
}

#[test]
fn a_surplus_slice_of_the_link_is_deleted() {
    let mut s = fixture::snapshot().up();
    let mut surplus = s.children.slices[0].clone();
    surplus.object.name = "web-db-v4-7".to_owned();
    s.children.slices.push(surplus);
    assert_eq!(due(&s), ["delete EndpointSlice shop/web-db-v4-7"]);
}

#[test]
fn a_slice_that_was_drained_answers_again() {
    let mut s = fixture::snapshot().up();
    s.children.slices[0]
        .object
        .annotations
        .insert(keys::DRAIN_FROM.to_owned(), fixture::NOW.to_owned());
    assert_eq!(due(&s), ["replace EndpointSlice shop/web-db-v4"]);
}

#[test]
fn a_slice_with_foreign_endpoints_is_repaired() {
    let s = fixture::snapshot().up();
    let mut api = s.children.slices[0].object.to_api();
    let mut foreign = api.endpoints.as_ref().unwrap()[0].clone();
    foreign.addresses.push("10.66.66.66".to_owned());
    api.endpoints.as_mut().unwrap().push(foreign);
    let mut damaged = s.clone();
    damaged.children.slices[0].object.body = Observed::<Slice>::from(api).object.body;
    assert_eq!(due(&damaged), ["replace EndpointSlice shop/web-db-v4"]);
}

/// contract#repair
#[test]
fn an_environment_that_became_immutable_is_created_again() {
    let sibling = fixture::sibling(instancelink_api::State::Active, true);
    let mut s = fixture::snapshot().with_sibling(sibling).up();
    s.children.environments[0].object.body.immutable = true;
    assert_eq!(due(&s), ["delete ConfigMap shop/web-links"]);
    s.execute(&bring_up(&s, &plan(&s)));
    assert_eq!(due(&s), ["create ConfigMap shop/web-links"]);
}

#[test]
fn a_directory_that_got_a_cluster_ip_is_created_again() {
    let mut s = fixture::snapshot().up();
    s.children.directories[0].object.body.headless = false;
    assert_eq!(due(&s), ["delete Service shop/web-links"]);
    s.execute(&bring_up(&s, &plan(&s)));
    assert_eq!(due(&s), ["create Service shop/web-links"]);
}

#[test]
fn the_shared_children_of_a_terminating_source_are_not_created_or_repaired() {
    let mut s = fixture::snapshot().up();
    s.source.as_mut().unwrap().terminating = true;
    assert!(is_up(&s, &plan(&s)));
    s.children.directories[0].object.annotations.clear();
    s.children.environments.clear();
    assert_eq!(due(&s), Vec::<String>::new());
    assert!(!is_up(&s, &plan(&s)));
    let moved = s.with_target_deployment(vec![pod("pg-9", "10.0.0.19")]);
    assert_eq!(
        due(&moved),
        ["replace EndpointSlice shop/web-db-v4"],
        "the link's own slices still follow the pods"
    );
}

#[test]
fn nothing_is_created_in_a_terminating_namespace() {
    let mut s = fixture::snapshot();
    s.namespace.terminating = true;
    assert_eq!(due(&s), Vec::<String>::new());
    assert_eq!(reasons(&s), [Reason::Pending, Reason::Pending]);
}

#[test]
fn a_child_that_a_finalizer_holds_is_waited_for() {
    let mut s = fixture::snapshot().up();
    s.children.slices[0].terminating = true;
    assert_eq!(due(&s), Vec::<String>::new());
    assert!(!is_up(&s, &plan(&s)));
    assert_eq!(reasons(&s), [Reason::Pending]);
}

#[test]
fn an_environment_that_no_link_needs_is_deleted() {
    let s = fixture::snapshot().up().edited(|spec| {
        spec.outputs = serde_yaml_ng::from_str("{environment: None}").unwrap();
    });
    assert_eq!(due(&s), ["delete ConfigMap shop/web-links"]);
    assert!(s.up().children.environments.is_empty());
}

#[test]
fn a_shared_child_that_a_finalizer_holds_is_waited_for() {
    let mut s = fixture::snapshot().up();
    s.children.directories[0].terminating = true;
    assert_eq!(due(&s), Vec::<String>::new());
    assert_eq!(reasons(&s), [Reason::Pending]);

    let mut s = fixture::snapshot().up().edited(|spec| {
        spec.outputs = serde_yaml_ng::from_str("{environment: None}").unwrap();
    });
    s.children.environments[0].terminating = true;
    assert_eq!(due(&s), Vec::<String>::new(), "it is being deleted already");
    assert_eq!(reasons(&s), [Reason::Pending]);
}

#[test]
fn the_entry_of_the_link_in_an_environment_of_another_name_is_removed() {
    let mut s = fixture::snapshot().up();
    let mut surplus = s.children.environments[0].clone();
    "renamed-links".clone_into(&mut surplus.object.name);
    s.children.environments.push(surplus);
    assert_eq!(due(&s), ["delete ConfigMap shop/renamed-links"]);
    s.children.environments[1].terminating = true;
    assert_eq!(due(&s), Vec::<String>::new(), "it is being deleted already");
}

#[test]
fn a_shared_child_is_identified_by_namespace_and_name() {
    let s = fixture::snapshot().up();
    let mut other = s.children.directories[0].clone();
    "api-links".clone_into(&mut other.object.name);
    let mut elsewhere = s.children.directories[0].clone();
    "elsewhere".clone_into(&mut elsewhere.object.namespace);
    for first in [other, elsewhere] {
        let mut s = s.clone();
        s.children.directories = vec![first];
        assert_eq!(due(&s), ["create Service shop/web-links"]);
    }
}

#[test]
fn a_shared_child_that_lost_its_label_or_annotation_is_repaired() {
    let mut s = fixture::snapshot().up();
    s.children.directories[0].object.annotations.clear();
    assert_eq!(due(&s), ["replace Service shop/web-links"]);
    let mut s = fixture::snapshot().up();
    s.children.directories[0].object.labels.remove(keys::SOURCE_UID);
    assert_eq!(due(&s), ["replace Service shop/web-links"]);
}

/// contract#ownership
#[test]
fn a_slice_with_the_label_of_a_dead_link_waits_for_the_sweep_and_one_without_it_is_foreign() {
    for (key, value, reason) in [
        (keys::MANAGED_BY, keys::MANAGER, Reason::NameTaken),
        (keys::LINK_UID, "dead", Reason::Pending),
    ] {
        let mut s = fixture::snapshot().up();
        s.children.slices[0].object.owners.clear();
        s.children.slices[0].object.labels = [(key.to_owned(), value.to_owned())].into();
        assert_eq!(reasons(&s), [reason], "{key}");
    }
}
