use instancelink_api::condition::Reason;
use jiff::SignedDuration;

use super::*;
use crate::child::Kind;
use crate::fixture::{self, key, pod, shown, sibling};
use crate::refusal::Refusal;

fn act(s: &Snapshot, drain: Option<i64>) -> Vec<Effect> {
    match take_down(s, drain) {
        Teardown::Act(effects) => effects,
        other => panic!("{other:?}"),
    }
}

fn all_writes(mut s: Snapshot) -> Vec<String> {
    let mut all = Vec::new();
    while let Teardown::Act(effects) = take_down(&s, None) {
        all.extend(shown(&effects));
        s.execute(&effects);
    }
    all
}

#[test]
fn slices_are_deleted_first_then_the_environment_then_the_directory() {
    assert_eq!(
        all_writes(fixture::snapshot().up()),
        [
            "delete EndpointSlice shop/web-db-v4",
            "delete ConfigMap shop/web-links",
            "delete Service shop/web-links"
        ]
    );
}

#[test]
fn a_link_without_children_is_down() {
    assert_eq!(take_down(&fixture::snapshot(), Some(30)), Teardown::Done);
    assert!(!has_children(&fixture::snapshot()));
}

#[test]
fn a_drain_starts_when_the_alias_stops() {
    let pods = vec![pod("pg-0", "10.0.0.10"), pod("pg-1", "10.0.0.11").not_ready()];
    let mut s = fixture::snapshot().with_target_deployment(pods).up();
    s.execute(&act(&s, Some(30)));

    let slice = &s.children.slices[0].object;
    assert_eq!(slice.annotations[keys::DRAIN_FROM], fixture::NOW);
    let [endpoint] = slice.body.endpoints.as_slice() else {
        panic!("only endpoints that were ready have connections to keep")
    };
    assert!(!endpoint.ready && endpoint.serving && endpoint.terminating);

    let from: Timestamp = fixture::NOW.parse().unwrap();
    let until = from + SignedDuration::from_secs(30);
    assert_eq!(take_down(&s, Some(30)), Teardown::Draining { from, until });
    let s = s.later(29);
    assert_eq!(take_down(&s, Some(30)), Teardown::Draining { from, until });
    assert_eq!(
        shown(&act(&s.later(1), Some(30))),
        ["delete EndpointSlice shop/web-db-v4"]
    );
}

#[test]
fn a_drain_ends_at_once_without_a_drain_time_or_when_the_namespace_is_deleted() {
    let mut s = fixture::snapshot().up();
    s.execute(&act(&s, Some(30)));
    for drain in [None, Some(0)] {
        assert_eq!(shown(&act(&s, drain)), ["delete EndpointSlice shop/web-db-v4"]);
    }
    s.namespace.terminating = true;
    assert_eq!(shown(&act(&s, Some(30))), ["delete EndpointSlice shop/web-db-v4"]);
}

#[test]
fn a_drain_keeps_its_first_start_time_unless_it_is_in_the_future() {
    let mut s = fixture::snapshot().up().later(10);
    let stamp = |s: &mut Snapshot, at: &str| {
        s.children.slices[0]
            .object
            .annotations
            .insert(keys::DRAIN_FROM.to_owned(), at.to_owned());
    };
    stamp(&mut s, fixture::NOW);
    s.execute(&act(&s, Some(30)));
    assert_eq!(s.children.slices[0].object.annotations[keys::DRAIN_FROM], fixture::NOW);
    stamp(&mut s, "2999-01-01T00:00:00Z");
    s.execute(&act(&s, Some(30)));
    assert_eq!(
        s.children.slices[0].object.annotations[keys::DRAIN_FROM],
        s.now.to_string()
    );
}

#[test]
fn the_directory_is_kept_for_a_sibling_that_needs_it() {
    let kept = |state, has_children| {
        let s = fixture::snapshot().up().with_sibling(sibling(state, has_children));
        !all_writes(s).contains(&"delete Service shop/web-links".to_owned())
    };
    assert!(kept(State::Active, true));
    assert!(kept(State::Activating, false));
    assert!(kept(State::Deactivating, true));
    assert!(
        !kept(State::Deactivating, false),
        "two links that are taken down at the same time do not wait for each other"
    );
    assert!(!kept(State::Inactive, false));
}

#[test]
fn a_sibling_of_another_kind_of_source_does_not_need_this_directory() {
    let mut other = sibling(State::Active, true);
    std::sync::Arc::make_mut(&mut other.object).spec.instance_ref.kind = "StatefulSet".to_owned();
    let writes = all_writes(fixture::snapshot().up().with_sibling(other));
    assert!(writes.contains(&"delete Service shop/web-links".to_owned()));
}

#[test]
fn a_directory_of_an_unknown_source_is_kept_for_each_sibling_with_the_same_source_name() {
    let mut other = sibling(State::Active, true);
    std::sync::Arc::make_mut(&mut other.object).spec.instance_ref.kind = "StatefulSet".to_owned();
    let mut s = fixture::snapshot().up().with_sibling(other);
    let directory = &mut s.children.directories[0].object;
    directory.annotations.remove(keys::SOURCE);
    directory
        .labels
        .insert(keys::SOURCE_UID.to_owned(), "not seen".to_owned());
    assert!(!all_writes(s).contains(&"delete Service shop/web-links".to_owned()));
}

#[test]
fn a_directory_of_another_source_or_a_foreign_one_is_kept() {
    let mut other = fixture::snapshot().up().with_source_uid("another");
    other.living_owners.insert(fixture::SOURCE_UID.to_owned());
    let mut foreign = fixture::snapshot().up();
    foreign.children.directories[0].object.labels.clear();
    foreign.children.directories[0].object.annotations.clear();
    for s in [other, foreign] {
        assert!(!all_writes(s).contains(&"delete Service shop/web-links".to_owned()));
    }
}

#[test]
fn a_link_without_its_source_is_taken_down_too() {
    let s = fixture::snapshot().up().without_source().down();
    assert!(!has_children(&s) && s.children.directories.is_empty());
}

#[test]
fn children_are_found_by_their_marks_and_never_by_spec() {
    let mut s = fixture::snapshot().up();
    s.children.slices[0].object.name = "web-db-v4-9".to_owned();
    s.children.environments[0].object.name = "renamed-links".to_owned();
    s.link.object.status = None;
    let s = s.edited(|spec| spec.target_instance_ref = None);
    assert!(has_children(&s));
    assert_eq!(
        all_writes(s)[..2],
        [
            "delete EndpointSlice shop/web-db-v4-9",
            "delete ConfigMap shop/renamed-links"
        ]
    );
}

/// lifecycle#writes-at-once
#[test]
fn a_thousand_slices_that_somebody_made_on_the_names_of_a_link_are_not_deleted_all_at_once() {
    let mut s = fixture::snapshot().up();
    let slice = s.children.slices[0].clone();
    for number in 2..=1000 {
        let mut copy = slice.clone();
        copy.object.name = format!("web-db-v4-{number}");
        s.children.slices.push(copy);
    }
    let mut groups = Vec::new();
    while let Teardown::Act(effects) = take_down(&s, None) {
        groups.push(effects.len());
        s.execute(&effects);
    }
    assert_eq!(groups.iter().sum::<usize>(), 1002, "with environment and directory");
    assert!(groups.iter().all(|count| *count <= AT_ONCE), "{groups:?}");
}

/// A link with a policy in the namespace `data` of its target.
fn with_policy_elsewhere() -> Snapshot {
    let grant = "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}";
    let mut s = fixture::snapshot()
        .with_target_in("data")
        .granted_by("data", grant)
        .edited(|spec| spec.network_policy = instancelink_api::spec::NetworkPolicyMode::Allow);
    let isolator = crate::snapshot::Isolator {
        namespace: "data".to_owned(),
        name: "deny".to_owned(),
        pods: k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector::default().into(),
    };
    s.isolators.push(isolator.into());
    s.up()
}

/// lifecycle#no-wait-for-others
#[test]
fn a_policy_in_another_namespace_is_waited_for_until_its_deletion_is_accepted_whatever_finalizer_it_has() {
    let mut s = with_policy_elsewhere();
    assert_eq!(s.children.policies.len(), 1);
    s.children.slices.clear();
    s.children.environments.clear();
    s.children.directories.clear();
    assert!(has_children(&s));
    assert!(shown(&act(&s, None))[0].starts_with("delete NetworkPolicy data/web-db-"));
    s.children.policies[0].terminating = true;
    assert_eq!(take_down(&s, Some(30)), Teardown::Done);
    assert!(!has_children(&s));
    // In its own namespace the link waits: who can write there can also write the link.
    let policy = &mut s.children.policies[0].object;
    "shop".clone_into(&mut policy.namespace);
    assert!(matches!(take_down(&s, None), Teardown::Waiting(_)));
}

/// lifecycle#no-wait-for-others
#[test]
fn objects_in_other_namespaces_with_all_marks_of_a_link_are_not_its_children() {
    let mut s = with_policy_elsewhere();
    let (mut slice, mut environment, mut directory) = (
        s.children.slices[0].clone(),
        s.children.environments[0].clone(),
        s.children.directories[0].clone(),
    );
    slice.object.namespace = "data".to_owned();
    environment.object.namespace = "data".to_owned();
    directory.object.namespace = "data".to_owned();
    let mut policy = s.children.policies[0].clone();
    policy.object.name = "mine".to_owned();
    s = s.down_as_far_as_possible();
    (slice.terminating, policy.terminating) = (true, true);
    s.children.slices.push(slice);
    s.children.environments.push(environment);
    s.children.directories.push(directory);
    s.children.policies.push(policy);
    assert!(!has_children(&s));
    assert_eq!(take_down(&s, Some(30)), Teardown::Done);
}

#[test]
fn a_refused_deletion_reports_the_missing_right_and_blocks_no_other_deletion() {
    let mut s = fixture::snapshot().up();
    let slice = key(Kind::Slice, "web-db-v4");
    s.refusals
        .insert(slice.clone(), Refusal::forbidden("delete", &slice, "forbidden"));
    assert_eq!(shown(&act(&s, None)), ["delete ConfigMap shop/web-links"]);
    s.execute(&act(&s, None));
    let Teardown::Waiting(message) = take_down(&s, None) else {
        panic!()
    };
    assert!(
        message.starts_with("# the operator may not delete EndpointSlice shop/web-db-v4: forbidden."),
        "{message}"
    );
    assert!(
        message.contains("resources: [endpointslices]") && message.contains("namespace: shop"),
        "{message}"
    );
    assert_eq!(
        s.children.directories.len(),
        1,
        "the directory is kept while it has a slice"
    );
}

#[test]
fn an_alias_that_cannot_be_stopped_is_reported() {
    let mut s = fixture::snapshot().up();
    let refusal = Refusal {
        reason: Reason::Forbidden,
        message: "forbidden".to_owned(),
    };
    s.refusals.insert(key(Kind::Slice, "web-db-v4"), refusal);
    let Teardown::Waiting(message) = take_down(&s, Some(30)) else {
        panic!()
    };
    assert!(message.contains("resources: [endpointslices]"), "{message}");
}

/// contract#repair
#[test]
fn an_environment_that_cannot_be_changed_goes_with_the_entries_of_other_links() {
    let mut s = fixture::snapshot().up();
    let environment = &mut s.children.environments[0].object;
    let entries = format!("{{\"{}\":[\"DB_NAME\"],\"other\":[\"CACHE_NAME\"]}}", fixture::LINK_UID);
    environment
        .annotations
        .insert(instancelink_api::keys::ENTRIES.to_owned(), entries);
    let writes = |mut s: Snapshot| {
        let mut all = Vec::new();
        while let Teardown::Act(effects) = take_down(&s, None) {
            all.extend(shown(&effects));
            s.execute(&effects);
        }
        all
    };
    assert!(writes(s.clone()).contains(&"replace ConfigMap shop/web-links".to_owned()));
    s.children.environments[0].object.body.immutable = true;
    assert!(writes(s).contains(&"delete ConfigMap shop/web-links".to_owned()));
}

#[test]
fn a_teardown_waits_for_a_child_that_a_finalizer_holds() {
    let mut s = fixture::snapshot().up();
    s.children.slices[0].terminating = true;
    assert!(has_children(&s));
    s.execute(&act(&s, Some(30)));
    assert!(matches!(take_down(&s, Some(30)), Teardown::Waiting(message) if message.contains("finalizer")));
}

#[test]
fn a_directory_named_by_the_uid_of_a_deleted_source_is_identified_by_its_annotations() {
    let long = "w".repeat(60);
    let is_deleted = |source: Option<String>, named: &str| {
        let s = fixture::snapshot().edited(|spec| spec.instance_ref.name.clone_from(&long));
        let mut s = s.up().without_source();
        let directory = &mut s.children.directories[0].object;
        directory.annotations.remove(keys::SOURCE);
        directory
            .annotations
            .extend(source.map(|source| (keys::SOURCE.to_owned(), source)));
        directory.annotations.insert(keys::LINK.to_owned(), named.to_owned());
        s.down_as_far_as_possible().children.directories.is_empty()
    };
    let source = |kind: &str| Some(format!("{kind}/{long}"));
    assert!(is_deleted(source("Deployment"), "shop/gone"), "it names the source");
    assert!(is_deleted(None, "shop/web-db"), "it names this link");
    assert!(!is_deleted(None, "shop/gone"), "it may belong to any source");
    assert!(
        !is_deleted(source("StatefulSet"), "shop/gone"),
        "its source is of another kind"
    );
    let other = Some("Deployment/other".to_owned());
    assert!(!is_deleted(other, "shop/gone"), "its source has another name");
}

#[test]
fn an_environment_without_entries_is_deleted_with_the_last_link() {
    let mut s = fixture::snapshot().up();
    s.children.environments[0].object.annotations.remove(keys::ENTRIES);
    assert_eq!(
        all_writes(s),
        [
            "delete EndpointSlice shop/web-db-v4",
            "delete Service shop/web-links",
            "delete ConfigMap shop/web-links"
        ]
    );
}

#[test]
fn a_terminating_endpoint_that_still_serves_drains_too() {
    let kept = |ready, serving, terminating| {
        let mut s = fixture::snapshot().up();
        let endpoints = &mut s.children.slices[0].object.body.endpoints;
        endpoints.truncate(1);
        endpoints[0].ready = ready;
        endpoints[0].serving = serving;
        endpoints[0].terminating = terminating;
        s.execute(&act(&s, Some(30)));
        !s.children.slices[0].object.body.endpoints.is_empty()
    };
    assert!(kept(true, true, false));
    assert!(kept(false, true, true));
    assert!(!kept(false, true, false), "no client connects to it");
    assert!(!kept(false, false, true), "it does not answer");
}
