//! Properties for every snapshot: a plan depends on the snapshot alone, bringing up ends, taking down leaves nothing.

use std::collections::BTreeSet;

use instancelink_api::spec::EnvironmentMode;
use proptest::prelude::*;

use super::*;
use crate::fixture::{self, container_port, pod};
use crate::snapshot::{Pod, Service, Snapshot};

#[test]
fn a_plan_has_a_directory_a_slice_and_an_environment() {
    let s = fixture::snapshot();
    let plan = build(&s, &BTreeSet::new()).unwrap();
    assert_eq!(plan.directory.name, "web-links");
    assert_eq!(plan.slices.len(), 1);
    assert_eq!(plan.environment.get().unwrap().name, "web-links");
    assert_eq!(plan.ready, 2);
    assert!(plan.forbidden.is_empty());
}

#[test]
fn an_instance_whose_name_is_not_valid_for_a_service_has_a_directory_too() {
    let s = fixture::snapshot()
        .edited(|spec| spec.instance_ref.name = "web.v2".to_owned())
        .up();
    let directory = &s.children.directories[0].object;
    assert!(directory.name.starts_with("il-"), "{}", directory.name);
    assert_eq!(
        s.children.slices[0].object.labels[instancelink_api::keys::SERVICE_NAME],
        directory.name
    );
    let s = s.without_source().down();
    assert!(s.children.directories.is_empty());
}

/// Any number of pods, ready or not, with addresses of either family or both.
fn pods() -> impl Strategy<Value = Vec<Pod>> {
    let one = (any::<[bool; 3]>(), 0..4_u8, prop::sample::select(vec![5432_u16, 6432]));
    prop::collection::vec(one, 0..12).prop_map(|all| {
        let each = |(n, ([ready, terminating, finished], families, port)): (usize, ([bool; 3], u8, u16))| {
            let addresses = [format!("10.0.0.{}", n + 1), format!("fd00::{}", n + 1)];
            Pod {
                ready,
                terminating,
                finished: finished && !ready,
                addresses: addresses
                    .iter()
                    .enumerate()
                    .filter(|(family, _)| families & (1 << family) != 0)
                    .map(|(_, address)| address.parse().unwrap())
                    .collect(),
                ..pod(&format!("pg-{n}"), "10.0.0.1").ports(vec![container_port("pg", port)])
            }
        };
        all.into_iter().enumerate().map(each).collect()
    })
}

prop_compose! {
    fn snapshots()(
        pods in pods(),
        target in 0..4,
        publish in any::<bool>(),
        environment in any::<bool>(),
        ports in any::<bool>(),
    ) -> Snapshot {
        let s = fixture::snapshot().edited(|spec| {
            spec.publish_not_ready_addresses = publish;
            spec.ports = ports.then(|| serde_yaml_ng::from_str("[{name: a, port: 1}, {name: b, port: 2}]").unwrap());
            let mode = if environment { EnvironmentMode::Docker } else { EnvironmentMode::None };
            spec.outputs.get_or_insert_default().environment = mode;
        });
        let by_name = crate::snapshot::ServicePort {
            target_port: Some(serde_json::from_str("\"pg\"").unwrap()),
            ..fixture::service_port("pg", 5432)
        };
        let headless = Service { cluster_ips: vec![], ports: vec![by_name], ..fixture::service() };
        match target {
            0 => s.without_target(),
            1 => s.with_target_deployment(pods),
            2 => s.with_target_service(fixture::service(), pods),
            _ => s.with_target_service(headless, pods),
        }
    }
}

proptest! {
    #[test]
    fn a_plan_depends_on_the_snapshot_alone(s in snapshots()) {
        let mut shuffled = s.clone();
        if let Some(target) = &mut shuffled.target {
            target.candidates.reverse();
        }
        prop_assert_eq!(build(&s, &BTreeSet::new()), build(&shuffled, &BTreeSet::new()));
    }

    #[test]
    fn a_link_that_is_up_needs_no_write(s in snapshots()) {
        let s = s.up();
        let plan = build(&s, &BTreeSet::new()).unwrap();
        prop_assert_eq!(bring_up(&s, &plan), vec![]);
        prop_assert!(problems(&s, &plan).is_empty());
    }

    #[test]
    fn pruning_leaves_exactly_the_endpoints_that_answer(s in snapshots()) {
        let mut s = s.up();
        let answering = build(&s, &BTreeSet::new()).unwrap().ready;
        s.execute(&prune(&s));
        prop_assert_eq!(prune(&s), vec![]);
        let left = s.children.slices.iter().flat_map(|found| &found.object.body.endpoints);
        prop_assert_eq!(left.filter(|endpoint| endpoint.answers()).count(), answering);
    }

    #[test]
    fn a_link_can_change_from_any_plan_to_any_other(before in snapshots(), mut after in snapshots()) {
        after.children = before.up().children;
        let after = after.up();
        let fresh = Snapshot { children: crate::child::Children::default(), ..after.clone() };
        // The distribution of endpoints over slices depends on the earlier slices, so only the contents are compared.
        let bodies = |s: &Snapshot| {
            let mut all: Vec<_> = s.children.slices.iter().map(|f| f.object.body.clone()).collect();
            all.sort_by_key(|body| format!("{body:?}"));
            (all, s.children.environments.iter().map(|f| f.object.clone()).collect::<Vec<_>>())
        };
        prop_assert_eq!(bodies(&after), bodies(&fresh.up()));
    }

    #[test]
    fn taking_down_leaves_no_child(s in snapshots(), drain in 0..60_i64) {
        let mut s = s.up();
        for _ in 0..10 {
            match take_down(&s, Some(drain)) {
                Teardown::Act(effects) => s.execute(&effects),
                Teardown::Draining { from, until } => {
                    prop_assert_eq!(until.duration_since(from).as_secs(), drain);
                    s.now = until;
                }
                Teardown::Waiting(what) => prop_assert!(false, "{}", what),
                Teardown::Done => break,
            }
        }
        prop_assert!(!has_children(&s));
        prop_assert!(s.children.directories.is_empty() && s.children.environments.is_empty());
    }

    #[test]
    fn endpoints_are_addresses_of_pods_that_exist(s in snapshots()) {
        let plan = build(&s, &BTreeSet::new()).unwrap();
        for endpoint in plan.slices.iter().flat_map(|slice| &slice.body.endpoints) {
            let target = endpoint.target.as_ref().unwrap();
            if target.kind == "Pod" {
                let pods = s.target.iter().flat_map(|t| &t.candidates).map(|c| &c.pod);
                let pod = pods.clone().find(|p| p.uid == target.uid).unwrap();
                prop_assert!(pod.addresses.contains(&endpoint.address) && !pod.terminating && !pod.finished);
            }
        }
    }
}
