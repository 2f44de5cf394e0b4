use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::*;
use crate::fixture::{self, NOW, SOURCE_UID};
use crate::snapshot::{Gate, Gates};

/// A pod of the Deployment `web` that waits for `db`.
fn waiting() -> Pod {
    let gate = Gate {
        alias: "db".to_owned(),
        observed: None,
    };
    Pod {
        name: "web-1".to_owned(),
        gates: Some(Box::new(Gates(vec![gate]))),
        ..fixture::pod("web-1", "10.0.0.20")
    }
}

/// The same, with this condition.
fn with_condition(condition: &PodCondition) -> Pod {
    let mut pod = waiting();
    pod.gates.as_mut().unwrap().0[0].observed = Some(GateVerdict {
        open: condition.status == "True",
        reason: condition.reason.clone().unwrap(),
        message: condition.message.clone().unwrap(),
    });
    pod
}

fn instances() -> Vec<Owner> {
    vec![
        fixture::owner("v1", "Pod", "web-1", "uid-of-web-1"),
        fixture::owner("apps/v1", "ReplicaSet", "web-rs", "uid-of-web-rs"),
        fixture::owner("apps/v1", "Deployment", "web", SOURCE_UID),
    ]
}

fn link_in(state: State, available: &str, reason: &str) -> InstanceLink {
    let mut link = fixture::link(fixture::SPEC);
    let status = link.status.get_or_insert_default();
    status.state = state;
    status.instance_id = Some(SOURCE_UID.to_owned());
    status.conditions = vec![Condition {
        type_: types::AVAILABLE.to_owned(),
        status: available.to_owned(),
        reason: reason.to_owned(),
        message: "no endpoint of the target is ready; check the readiness of its pods".to_owned(),
        observed_generation: None,
        last_transition_time: second(NOW.parse().unwrap()),
    }];
    link
}

fn serving() -> InstanceLink {
    link_in(State::Active, "True", "EndpointsReady")
}

fn due_for(pod: &Pod, links: &[&InstanceLink]) -> Vec<PodCondition> {
    due(pod, &instances(), links, NOW.parse().unwrap())
}

/// Status, reason and message of the only gate.
fn answer(links: &[&InstanceLink]) -> (String, String, String) {
    let [condition] = due_for(&waiting(), links).try_into().unwrap();
    assert_eq!(condition.type_, "instancelink.dev/db");
    (condition.status, condition.reason.unwrap(), condition.message.unwrap())
}

#[test]
fn a_gate_is_open_while_the_link_is_active_and_available() {
    for state in [State::Active, State::UpdatingActive] {
        let (status, reason, _) = answer(&[&link_in(state, "True", "EndpointsReady")]);
        assert_eq!((status.as_str(), reason.as_str()), ("True", "EndpointsReady"));
    }
}

#[test]
fn a_gate_is_closed_in_every_other_state() {
    for state in State::ALL {
        if matches!(state, State::Active | State::UpdatingActive) {
            continue;
        }
        let (status, reason, message) = answer(&[&link_in(state, "True", "EndpointsReady")]);
        assert_eq!((status.as_str(), reason.as_str()), ("False", "NotActive"), "{state}");
        assert!(message.contains("describe il web-db"), "{message}");
    }
}

#[test]
fn a_gate_is_closed_while_the_target_has_no_ready_endpoint_and_says_what_the_link_says() {
    let (status, reason, message) = answer(&[&link_in(State::Active, "False", "NoReadyEndpoints")]);
    assert_eq!((status.as_str(), reason.as_str()), ("False", "NoReadyEndpoints"));
    assert_eq!(
        message,
        "link web-db: no endpoint of the target is ready; check the readiness of its pods"
    );
}

#[test]
fn a_gate_without_a_link_says_which_link_is_missing() {
    let mut other_alias = serving();
    other_alias.spec.link_name = "cache".to_owned();
    let mut other_source = serving();
    other_source.spec.instance_ref.name = "shop".to_owned();
    let mut namesake = serving();
    namesake.spec.instance_ref.kind = "StatefulSet".to_owned();
    let mut predecessor = serving();
    predecessor.status.as_mut().unwrap().instance_id = Some("of a Deployment web that is gone".to_owned());
    let (status, reason, message) = answer(&[&other_alias, &other_source, &namesake, &predecessor]);
    assert_eq!((status.as_str(), reason.as_str()), ("False", "LinkNotFound"));
    assert!(
        message.contains("instanceRef Deployment web and the linkName db"),
        "{message}"
    );
}

#[test]
fn a_link_of_the_pod_itself_or_of_its_replica_set_counts_too() {
    for (kind, name, uid) in [
        ("Pod", "web-1", "uid-of-web-1"),
        ("ReplicaSet", "web-rs", "uid-of-web-rs"),
    ] {
        let mut link = serving();
        link.spec.instance_ref.kind = kind.to_owned();
        link.spec.instance_ref.name = name.to_owned();
        link.status.as_mut().unwrap().instance_id = Some(uid.to_owned());
        assert_eq!(answer(&[&link]).0, "True", "{kind}");
    }
}

#[test]
fn of_several_links_with_the_alias_the_active_one_counts() {
    let mut parked = link_in(State::Inactive, "False", "NotActive");
    parked.metadata.name = Some("older".to_owned());
    parked.metadata.creation_timestamp = None;
    assert_eq!(answer(&[&parked, &serving()]).0, "True");
    assert!(answer(&[&parked]).2.contains("link older is not active"));
}

#[test]
fn a_condition_that_a_pod_has_is_not_written_again() {
    let [told_so] = due_for(&waiting(), &[&serving()]).try_into().unwrap();
    assert!(due_for(&with_condition(&told_so), &[&serving()]).is_empty());
}

#[test]
fn the_time_of_a_gate_changes_only_with_its_status() {
    let [closed] = due_for(&waiting(), &[]).try_into().unwrap();
    assert!(closed.last_transition_time.is_some());
    let parked = link_in(State::Inactive, "False", "NotActive");
    let [still_closed] = due_for(&with_condition(&closed), &[&parked]).try_into().unwrap();
    assert_eq!(still_closed.last_transition_time, None, "only the reason changed");
    let [open] = due_for(&with_condition(&closed), &[&serving()]).try_into().unwrap();
    assert!(open.last_transition_time.is_some());
}

#[test]
fn pods_that_end_or_have_no_gate_are_left_alone() {
    let finished = Pod {
        finished: true,
        ..waiting()
    };
    for pod in [waiting().terminating(), finished, fixture::pod("web-1", "10.0.0.20")] {
        assert!(due_for(&pod, &[&serving()]).is_empty(), "{pod:?}");
    }
}

#[test]
fn a_pod_without_gates_has_only_a_pointer_for_them() {
    assert_eq!(size_of::<Option<Box<Gates>>>(), size_of::<usize>());
}

#[test]
fn a_missing_right_is_named_with_the_manifest_that_gives_it() {
    let event = forbidden(&waiting(), &Account::default());
    assert!(event.warning && event.reason == "Forbidden");
    assert!(
        event.note.contains("resources: [pods/status]\n  verbs: [patch]"),
        "{}",
        event.note
    );
}

#[test]
fn a_gate_of_a_link_is_known_by_its_prefix_and_names_the_alias() {
    assert_eq!(alias_of("instancelink.dev/db"), Some("db"));
    assert_eq!(alias_of("example.com/db"), None);
}

/// lifecycle#disputed-conditions
#[test]
fn the_fingerprint_of_a_pods_gates_changes_with_each_verdict_and_not_with_what_the_pod_shows() {
    let serving = serving();
    let of = |pod: &Pod, links: &[&InstanceLink]| fingerprint(pod, &instances(), links);
    let [shown] = due_for(&waiting(), &[&serving]).try_into().unwrap();
    let asked = of(&waiting(), &[&serving]);
    assert_eq!(asked, of(&with_condition(&shown), &[&serving]));
    assert_ne!(asked, of(&waiting(), &[]));
    let mut replaced = waiting();
    replaced.uid = "another".to_owned();
    assert_ne!(asked, of(&replaced, &[&serving]));
}
