//! Tests of the random writes of a tenant.

use serde_json::json;

use super::*;

fn scene() -> Scene {
    Scene {
        mine: "a".to_owned(),
        theirs: "b".to_owned(),
        their_links: vec!["db".to_owned()],
        their_workloads: vec![("Deployment", "pg".to_owned())],
        their_objects: vec![("InstanceLink", "db".to_owned())],
    }
}

#[test]
fn a_seed_gives_the_same_writes_again() {
    for seed in 0..20 {
        assert_eq!(writes(&scene(), seed), writes(&scene(), seed));
    }
    assert_ne!(writes(&scene(), 1), writes(&scene(), 2));
}

#[test]
fn many_histories_have_each_verb_and_kind() {
    let all: Vec<Write> = (0..400).flat_map(|seed| writes(&scene(), seed)).collect();
    for verb in [Verb::Create, Verb::Patch, Verb::PatchStatus, Verb::Delete] {
        assert!(all.iter().any(|write| write.verb == verb), "{verb:?}");
    }
    for kind in [
        "InstanceLink",
        "InstanceLinkGrant",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Pod",
        "Service",
        "ConfigMap",
        "EndpointSlice",
        "NetworkPolicy",
    ] {
        assert!(all.iter().any(|write| write.kind == kind), "{kind}");
    }
}

#[test]
fn placeholders_become_uids() {
    let write = Write {
        at: 0,
        number: 0,
        verb: Verb::Create,
        kind: "Pod",
        name: "p".to_owned(),
        body: json!({"a": ["{uid InstanceLink db}", "x{my-uid Pod p}y", "{\"entries\": 1}"]}),
    };
    let body = write.resolved(&mut |mine, kind, name| (!mine).then(|| format!("{kind}-{name}")));
    let unknown = format!("x{UNKNOWN_UID}y");
    assert_eq!(body["a"], json!(["InstanceLink-db", unknown, "{\"entries\": 1}"]));
}
