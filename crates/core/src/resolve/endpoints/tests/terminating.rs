//! Terminating pods: they leave the alias, and they are behind a virtual IP while they serve.

use super::*;
use crate::dataplane::{build, prune};
use crate::snapshot::SliceAddress;

/// Each endpoint as `address ready/serving/terminating`.
fn conditions(s: &Snapshot) -> Vec<String> {
    let groups = endpoint_groups(s).unwrap().groups;
    let all = groups.iter().flat_map(|group| &group.endpoints);
    all.map(|e| format!("{} {}/{}/{}", e.address, e.ready, e.serving, e.terminating))
        .collect()
}

fn by_virtual_ip(s: Snapshot) -> Snapshot {
    s.edited(|spec| {
        spec.addressing = Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 5432}]").unwrap();
    })
}

fn pods() -> Vec<Pod> {
    vec![
        pod("pg-0", "10.0.0.10").terminating(),
        pod("pg-1", "10.0.0.11").terminating().not_ready(),
        Pod {
            finished: true,
            ..pod("pg-2", "10.0.0.12").terminating()
        },
        pod("pg-3", "10.0.0.13"),
    ]
}

const BEHIND: [&str; 2] = ["10.0.0.10 false/true/true", "10.0.0.13 true/true/false"];

/// contract#terminating-pods
#[test]
fn behind_a_virtual_ip_a_terminating_pod_is_not_ready_and_serves_while_its_probe_succeeds() {
    let s = fixture::snapshot().with_target_deployment(pods());
    assert_eq!(
        conditions(&s),
        ["10.0.0.13 true/true/false"],
        "with its own address, it has left"
    );
    let s = by_virtual_ip(s);
    assert_eq!(conditions(&s), BEHIND);
    let published = s.edited(|spec| spec.publish_not_ready_addresses = true);
    assert_eq!(conditions(&published), BEHIND);
    let selected = fixture::snapshot().with_target_service(service(), pods());
    assert_eq!(conditions(&by_virtual_ip(selected)), BEHIND);
}

/// contract#terminating-pods
#[test]
fn a_virtual_ip_whose_pods_all_terminate_keeps_them_and_is_not_available() {
    let s = by_virtual_ip(fixture::snapshot().with_target_deployment(vec![pod("pg-0", "10.0.0.10").terminating()]));
    let plan = build(&s, &[].into()).unwrap();
    assert_eq!(plan.ready, 0);
    let behind = plan.slices.iter().find(|slice| slice.name == "web-db-vip4").unwrap();
    let api = behind.to_api().endpoints.unwrap().remove(0).conditions.unwrap();
    assert_eq!(
        (api.ready, api.serving, api.terminating),
        (Some(false), Some(true), Some(true))
    );
}

/// contract#terminating-pods
#[test]
fn terminating_pods_of_a_target_that_is_gone_stay_behind_the_virtual_ip() {
    let s = by_virtual_ip(fixture::snapshot().with_target_deployment(vec![pod("pg-0", "10.0.0.10")])).up();
    let mut s = s.with_target_deployment(pods());
    s.link.object.status.get_or_insert_default().target = s.link.object.spec.target_instance_ref.clone();
    assert_eq!(conditions(&s.orphaned(|candidate| candidate)), BEHIND);
}

/// contract#terminating-pods
#[test]
fn a_spec_that_cannot_be_served_takes_no_terminating_pod_away_before_it_has_ended() {
    let left = |pods: Vec<Pod>| {
        let s = by_virtual_ip(fixture::snapshot().with_target_deployment(vec![pod("pg-0", "10.0.0.10").terminating()]));
        let mut s = s.up().with_target_deployment(pods);
        s.execute(&prune(&s));
        let slices = s
            .children
            .slices
            .iter()
            .filter(|found| found.object.name == "web-db-vip4");
        slices.flat_map(|found| &found.object.body.endpoints).count()
    };
    assert_eq!(left(vec![pod("pg-0", "10.0.0.10").terminating()]), 1);
    assert_eq!(left(vec![pod("pg-0", "10.0.0.10").terminating().not_ready()]), 0);
    assert_eq!(left(vec![]), 0);
}

/// contract#terminating-pods
#[test]
fn terminating_addresses_that_others_write_are_behind_a_virtual_ip_too() {
    let slice = |addresses: &[(&str, bool, bool, bool)]| {
        let mut slice = fixture::service_slice("192.0.2.1", 5432);
        let address = |(address, ready, serving, terminating): &(&str, bool, bool, bool)| SliceAddress {
            address: address.parse().unwrap(),
            ready: *ready,
            serving: *serving,
            terminating: *terminating,
        };
        slice.addresses = addresses.iter().map(address).collect();
        Arc::new(slice)
    };
    let mut s = fixture::snapshot().with_target_service(
        Service {
            selector: [].into(),
            ..service()
        },
        vec![],
    );
    s.target.as_mut().unwrap().slices = Some(vec![
        slice(&[
            ("192.0.2.1", false, true, true),
            ("192.0.2.2", false, false, true),
            ("192.0.2.3", true, true, false),
            ("192.0.2.4", false, true, true),
        ]),
        slice(&[("192.0.2.4", true, true, false)]),
    ]);
    assert_eq!(
        conditions(&by_virtual_ip(s.clone())),
        [
            "192.0.2.1 false/true/true",
            "192.0.2.3 true/true/false",
            "192.0.2.4 true/true/false"
        ]
    );
    let by_pods = addressed(s, Addressing::PodIP);
    assert_eq!(
        conditions(&by_pods),
        ["192.0.2.3 true/true/false", "192.0.2.4 true/true/false"]
    );
}

/// The attack of a tenant: many terminating addresses.
#[test]
fn terminating_addresses_count_among_those_that_a_link_follows_at_most() {
    let mut slice = fixture::service_slice("192.0.2.1", 5432);
    let leaving = |n: u16| SliceAddress {
        address: format!("192.0.{}.{}", n / 250, n % 250 + 1).parse().unwrap(),
        ready: false,
        serving: true,
        terminating: true,
    };
    slice.addresses = (0..1001).map(leaving).collect();
    let mut s = fixture::snapshot().with_target_service(
        Service {
            selector: [].into(),
            ..service()
        },
        vec![],
    );
    s.target.as_mut().unwrap().slices = Some(vec![Arc::new(slice)]);
    assert_eq!(conditions(&addressed(s.clone(), Addressing::PodIP)), [""; 0]);
    assert_eq!(reason(&by_virtual_ip(s)), Reason::TooCostly);
}
