use instancelink_api::Addressing;

use super::*;
use crate::child::Owner;
use crate::dataplane::{bring_up, build};
use crate::fixture::{self, owner, pod, shown};
use crate::resolve::endpoints::endpoint_groups;
use crate::snapshot::{Pod, TargetObject};

/// A link that is up, and whose status names its target.
fn programmed(s: Snapshot) -> Snapshot {
    let mut s = s.up();
    let target = s.link.object.spec.target_instance_ref.clone();
    s.link.object.status.get_or_insert_default().target = target;
    s
}

fn due(s: &Snapshot) -> Vec<String> {
    shown(&bring_up(s, &build(s, &[].into()).unwrap()))
}

fn addresses(s: &Snapshot) -> Vec<String> {
    let groups = endpoint_groups(s).unwrap().groups;
    let endpoints = groups.iter().flat_map(|group| &group.endpoints);
    endpoints.map(|endpoint| endpoint.address.to_string()).collect()
}

/// The pods, in the ownership of this controller, whose own owner is the last.
fn of(controller: Option<Owner>, grand_owner: Option<Owner>) -> impl Fn(Candidate) -> Candidate {
    move |candidate| Candidate {
        pod: std::sync::Arc::new(Pod {
            controller: controller.clone(),
            labels: [
                ("app".to_owned(), "pg".to_owned()),
                ("pod-template-hash".to_owned(), "6d4c".to_owned()),
            ]
            .into(),
            ..(*candidate.pod).clone()
        }),
        grand_owner: grand_owner.clone(),
        ..candidate
    }
}

fn deployment(name: &str, uid: &str) -> Owner {
    owner("apps/v1", "Deployment", name, uid)
}

fn replica_set(name: &str) -> Owner {
    owner("apps/v1", "ReplicaSet", name, "uid-of-the-set")
}

/// contract#kept-endpoints
#[test]
fn the_endpoints_of_a_target_that_is_gone_stay_while_no_other_workload_owns_their_pods() {
    let s = programmed(fixture::snapshot());
    let stays = [
        of(None, None),
        of(Some(deployment("pg", "former")), None),
        of(Some(replica_set("pg-6d4c")), Some(deployment("pg", "former"))),
        of(Some(replica_set("pg-6d4c")), None),
    ];
    for owned in stays {
        let s = s.clone().orphaned(owned);
        assert_eq!(due(&s), [""; 0], "neither the slices nor the environment change");
    }
    let leaves = [
        of(Some(deployment("other", "other")), None),
        of(Some(owner("apps/v1", "StatefulSet", "pg", "another kind")), None),
        of(Some(owner("example.com/v1", "Deployment", "pg", "another API")), None),
        of(Some(replica_set("other-6d4c")), Some(deployment("other", "other"))),
        of(Some(replica_set("pg-6d4c")), Some(deployment("other", "other"))),
        of(Some(replica_set("pg-other")), None),
        of(Some(replica_set("thief")), None),
    ];
    for owned in leaves {
        assert_eq!(addresses(&s.clone().orphaned(owned)), [""; 0]);
    }
}

/// contract#kept-endpoints
#[test]
fn the_pods_of_a_former_target_are_those_of_a_new_one_that_selects_them_until_another_workload_owns_them() {
    let workload = |app: &str| {
        let mut new = fixture::deployment();
        "new".clone_into(&mut new.uid);
        let selector = format!("{{matchLabels: {{app: {app}}}}}");
        new.selector = serde_yaml_ng::from_str(&selector).unwrap();
        TargetObject::Workload(std::sync::Arc::new(new))
    };
    let s = |app: &str, owned: fn(Candidate) -> Candidate| {
        let mut s = programmed(fixture::snapshot()).with_target(workload(app), vec![]);
        let pods = ["10.0.0.10", "10.0.0.11"].iter().zip(["pg-0", "pg-1"]);
        let pods = pods.map(|(address, name)| owned(fixture::candidate(pod(name, address))));
        let kept = |candidate| Candidate {
            is_kept: true,
            ..candidate
        };
        s.target.as_mut().unwrap().candidates = pods.map(kept).collect();
        s
    };
    let free = |candidate| of(None, None)(candidate);
    assert_eq!(due(&s("pg", free)), [""; 0]);
    assert_eq!(addresses(&s("pg2", free)), [""; 0], "the new one never adopts them");
    let taken = |candidate| of(Some(deployment("thief", "thief")), None)(candidate);
    assert_eq!(addresses(&s("pg", taken)), [""; 0]);
}

/// contract#kept-endpoints
#[test]
fn nothing_joins_and_a_pod_that_does_not_serve_leaves() {
    let s = programmed(fixture::snapshot()).orphaned(of(None, None));
    let change = |change: fn(&mut Pod)| {
        let mut s = s.clone();
        change(std::sync::Arc::make_mut(&mut s.kept_pods[0].pod));
        addresses(&s)
    };
    assert_eq!(change(|_| {}), ["10.0.0.10", "10.0.0.11"]);
    assert_eq!(change(|pod| pod.ready = false), ["10.0.0.11"]);
    assert_eq!(change(|pod| pod.terminating = true), ["10.0.0.11"]);
    assert_eq!(change(|pod| pod.finished = true), ["10.0.0.11"]);
    assert_eq!(change(|pod| "data".clone_into(&mut pod.namespace)), ["10.0.0.11"]);
    let turned = s
        .clone()
        .edited(|spec| spec.target_instance_ref.as_mut().unwrap().name.push('2'));
    assert_eq!(
        addresses(&turned),
        [""; 0],
        "they are not pods of the target that the spec names"
    );
    let mut elsewhere = s.edited(|spec| spec.target_instance_ref.as_mut().unwrap().namespace = Some("data".to_owned()));
    let target = elsewhere.link.object.spec.target_instance_ref.clone();
    elsewhere.link.object.status.get_or_insert_default().target = target;
    assert_eq!(addresses(&elsewhere), [""; 0], "there is no consent");
}

/// contract#kept-endpoints
#[test]
fn the_pods_of_a_headless_service_stay_on_their_ports_with_any_owner() {
    let headless = crate::snapshot::Service {
        cluster_ips: vec![],
        ports: vec![
            fixture::service_port("pg", 5432),
            fixture::service_port("metrics", 9187),
        ],
        ..fixture::service()
    };
    let s = fixture::snapshot().with_target_service(headless, vec![pod("pg-0", "10.0.0.10"), pod("pg-1", "10.0.0.11")]);
    let s = programmed(s).orphaned(of(Some(deployment("any", "any")), None));
    assert_eq!(due(&s), [""; 0]);
}

/// contract#kept-endpoints
#[test]
fn the_pods_behind_a_virtual_ip_stay() {
    let s = fixture::snapshot().edited(|spec| {
        spec.addressing = Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 80, targetPort: pg}]").unwrap();
    });
    assert_eq!(due(&programmed(s).orphaned(of(None, None))), [""; 0]);
}
