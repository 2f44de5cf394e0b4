use std::collections::BTreeSet;

use instancelink_api::State;
use k8s_openapi::api::core::v1::ServiceSpec;

use crate::child::{Family, Kind, Observed, VirtualIp};
use crate::dataplane::{Teardown, bring_up, build, has_children, is_up, take_down};
use crate::fixture::{self, VIRTUAL_IP, container_port, key, pod, shown};
use crate::snapshot::Snapshot;

fn by_virtual_ip(s: Snapshot, ports: &str) -> Snapshot {
    s.edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str(ports).unwrap();
    })
}

fn pg() -> Snapshot {
    by_virtual_ip(fixture::snapshot(), "[{name: pg, port: 80, targetPort: 5432}]")
}

fn in_state(mut s: Snapshot, state: State) -> Snapshot {
    s.link.object.status.get_or_insert_default().state = state;
    s
}

/// `name: addresses ports` of each slice.
fn slices(s: &Snapshot) -> Vec<String> {
    let slices = s.children.slices.iter().map(|f| &f.object);
    let mut shown: Vec<String> = slices
        .map(|slice| {
            let ports: Vec<_> = slice
                .body
                .ports
                .iter()
                .map(|p| format!("{}={}", p.name, p.port))
                .collect();
            let addresses: Vec<_> = slice
                .body
                .endpoints
                .iter()
                .filter(|e| e.ready)
                .map(|e| e.address.to_string())
                .collect();
            format!("{}: {} {}", slice.name, addresses.join(","), ports.join(","))
        })
        .collect();
    shown.sort();
    shown
}

#[test]
fn the_service_is_created_first_then_the_slices_behind_it_and_the_alias_last() {
    let mut s = pg();
    let mut groups = Vec::new();
    loop {
        let plan = build(&s, &BTreeSet::new()).unwrap();
        let effects = bring_up(&s, &plan);
        if effects.is_empty() {
            assert!(is_up(&s, &plan));
            break;
        }
        groups.push(shown(&effects));
        s.execute(&effects);
    }
    assert_eq!(
        groups,
        [
            vec![
                "create Service shop/web-links",
                "create ConfigMap shop/web-links",
                "create Service shop/web-db-vip"
            ],
            vec!["create EndpointSlice shop/web-db-vip4"],
            vec!["create EndpointSlice shop/web-db-v4"],
        ]
    );
    assert_eq!(
        slices(&s),
        [
            format!("web-db-v4: {VIRTUAL_IP} db=80"),
            "web-db-vip4: 10.0.0.10,10.0.0.11 db=5432".to_owned()
        ]
    );
}

#[test]
fn the_service_has_no_selector_and_the_pods_behind_it_have_no_hostnames() {
    let s = pg().up();
    let service = s.children.virtual_ips[0].object.to_api();
    let yaml = serde_yaml_ng::to_string(&service).unwrap();
    assert_eq!(yaml.trim(), include_str!("web-db-vip.yaml").trim());
    let slice = s
        .children
        .slices
        .iter()
        .find(|f| f.object.name == "web-db-vip4")
        .unwrap();
    let api = slice.object.to_api();
    assert_eq!(api.metadata.labels.unwrap()["kubernetes.io/service-name"], "web-db-vip");
    assert_eq!(api.endpoints.unwrap()[0].hostname, None);
}

#[test]
fn a_named_target_port_is_the_port_that_each_pod_declares() {
    let pods = vec![
        pod("pg-0", "10.0.0.10").ports(vec![container_port("sql", 5432)]),
        pod("pg-1", "10.0.0.11").ports(vec![container_port("sql", 6432)]),
    ];
    let s = by_virtual_ip(
        fixture::snapshot().with_target_deployment(pods),
        "[{name: pg, port: 80, targetPort: sql}]",
    );
    assert_eq!(
        slices(&s.up()),
        [
            format!("web-db-v4: {VIRTUAL_IP} db=80"),
            "web-db-vip4-2: 10.0.0.11 db=6432".to_owned(),
            "web-db-vip4: 10.0.0.10 db=5432".to_owned(),
        ]
    );
}

#[test]
fn two_ports_may_lead_to_one_port_of_the_pods() {
    let ports = "[{name: a, port: 80, targetPort: 5432}, {name: b, port: 81, targetPort: 5432}]";
    let s = by_virtual_ip(fixture::snapshot(), ports).up();
    assert!(
        slices(&s).iter().any(|slice| slice.ends_with("db=5432,db--b=5432")),
        "{:?}",
        slices(&s)
    );
}

/// contract#repair
#[test]
fn a_service_without_an_address_is_deleted_and_created_again() {
    let headless = |spec: &mut ServiceSpec| {
        (spec.cluster_ip, spec.cluster_ips) = (Some("None".to_owned()), Some(vec!["None".to_owned()]));
    };
    let of_a_name = |spec: &mut ServiceSpec| {
        (spec.cluster_ip, spec.cluster_ips) = (None, None);
        (spec.type_, spec.external_name) = (Some("ExternalName".to_owned()), Some("example.com".to_owned()));
    };
    let changes: [fn(&mut ServiceSpec); 2] = [headless, of_a_name];
    for change in changes {
        let mut s = pg().up();
        let found = &mut s.children.virtual_ips[0];
        let mut service = found.object.to_api();
        change(service.spec.as_mut().unwrap());
        found.object = Observed::<VirtualIp>::from(service).object;
        let plan = build(&s, &BTreeSet::new()).unwrap();
        assert!(!is_up(&s, &plan));
        assert_eq!(shown(&bring_up(&s, &plan)), ["delete Service shop/web-db-vip"]);
        let s = s.up();
        assert_eq!(slices(&s)[0], format!("web-db-v4: {VIRTUAL_IP} db=80"));
    }
}

#[test]
fn a_link_with_the_name_of_another_links_virtual_ip_has_other_slices() {
    let names = |s: &Snapshot| {
        s.children
            .slices
            .iter()
            .map(|f| f.object.name.clone())
            .collect::<BTreeSet<_>>()
    };
    let mut other = fixture::snapshot();
    other.link.object.metadata.name = Some("web-db-vip".to_owned());
    assert!(names(&pg().up()).is_disjoint(&names(&other.up())));
}

#[test]
fn a_change_of_the_target_rewrites_only_the_slices_behind_the_virtual_ip() {
    let s = pg().up().with_target_deployment(vec![pod("pg2-0", "10.0.0.20")]);
    let effects = bring_up(&s, &build(&s, &BTreeSet::new()).unwrap());
    assert_eq!(shown(&effects), ["replace EndpointSlice shop/web-db-vip4"]);
}

/// contract#fixed-names
#[test]
fn the_name_of_a_virtual_ip_does_not_depend_on_pods() {
    let not_ready = pg().with_target_deployment(vec![pod("pg-0", "10.0.0.10").not_ready()]);
    let behind = "web-db-vip4:  db=5432";
    let alias = format!("web-db-v4: {VIRTUAL_IP} db=80");
    assert_eq!(slices(&not_ready.clone().up()), [alias.as_str(), behind]);
    for s in [
        not_ready,
        pg().without_target(),
        pg().edited(|spec| spec.target_instance_ref = None),
    ] {
        let s = s.up();
        assert!(slices(&s).contains(&alias), "{:?}", slices(&s));
        let mut endpoints = s.children.slices.iter().flat_map(|found| &found.object.body.endpoints);
        assert!(!endpoints.any(crate::child::Endpoint::answers));
        assert_eq!(build(&s, &BTreeSet::new()).unwrap().ready, 0);
    }
}

#[test]
fn the_address_is_kept_while_the_link_is_inactive() {
    let mut s = pg().up();
    let first = s.children.virtual_ips[0].clone();
    s = in_state(s, State::Deactivating).down();
    assert!(!has_children(&s), "it does not count as a child");
    assert_eq!(s.children.virtual_ips, [first]);
    assert_eq!(slices(&s), Vec::<String>::new());
    let s = s.up();
    assert!(slices(&s)[0].contains(VIRTUAL_IP), "{:?}", slices(&s));
}

#[test]
fn the_virtual_ip_is_deleted_when_the_link_is_removed_purged_or_has_another_addressing() {
    for state in [State::Removing, State::Removed, State::Purging, State::Purged] {
        assert_eq!(in_state(pg().up(), state).down().children.virtual_ips, [], "{state}");
    }
    let inactive = in_state(pg().up(), State::Inactive).down();
    let other = inactive.edited(|spec| spec.addressing = instancelink_api::Addressing::Auto);
    assert_eq!(other.down().children.virtual_ips, []);
}

#[test]
fn an_update_to_another_addressing_moves_the_alias_before_the_virtual_ip_is_deleted() {
    let mut s = pg()
        .up()
        .edited(|spec| spec.addressing = instancelink_api::Addressing::PodIP);
    let mut groups = Vec::new();
    loop {
        let effects = bring_up(&s, &build(&s, &BTreeSet::new()).unwrap());
        if effects.is_empty() {
            break;
        }
        groups.push(shown(&effects));
        s.execute(&effects);
    }
    assert_eq!(
        groups,
        [
            vec!["replace EndpointSlice shop/web-db-v4"],
            vec![
                "delete Service shop/web-db-vip",
                "delete EndpointSlice shop/web-db-vip4"
            ],
        ]
    );
}

#[test]
fn a_drain_empties_the_slices_behind_the_virtual_ip_at_once() {
    let mut s = in_state(pg().up(), State::Deactivating);
    let Teardown::Act(effects) = take_down(&s, Some(30)) else {
        panic!()
    };
    s.execute(&effects);
    assert!(matches!(take_down(&s, Some(30)), Teardown::Draining { .. }));
    let of = |name: &str| s.children.slices.iter().find(|f| f.object.name == name).unwrap();
    assert_eq!(
        of("web-db-vip4").object.body.endpoints,
        [],
        "kube-proxy would use terminating endpoints"
    );
    let alias = &of("web-db-v4").object.body.endpoints[0];
    assert!(!alias.ready && alias.terminating);
}

#[test]
fn a_foreign_service_with_its_name_leaves_the_alias_as_it_is() {
    let mut s = fixture::snapshot().up();
    let mut foreign = pg().up().children.virtual_ips.remove(0);
    foreign.object.labels.clear();
    foreign.object.owners.clear();
    s.children.virtual_ips.push(foreign);
    let s = by_virtual_ip(s, "[{name: pg, port: 5432}]");
    let plan = build(&s, &BTreeSet::new()).unwrap();
    let effects: Vec<_> = shown(&bring_up(&s, &plan))
        .into_iter()
        .filter(|e| !e.contains("ConfigMap"))
        .collect();
    assert_eq!(effects, Vec::<String>::new());
    let problems = crate::dataplane::problems(&s, &plan);
    assert!(
        problems.iter().any(|p| p.message.contains("Service shop/web-db-vip")),
        "{problems:?}"
    );
    assert_eq!(slices(&s)[0].split(' ').nth(1), Some("10.0.0.10,10.0.0.11"));
}

#[test]
fn a_damaged_virtual_ip_is_repaired_and_keeps_its_address() {
    let mut s = pg().up();
    s.children.virtual_ips[0].object.body.damaged = true;
    s.children.virtual_ips[0].object.body.ports.clear();
    let s = s.up();
    let body = &s.children.virtual_ips[0].object.body;
    assert_eq!((body.damaged, body.ports.len(), body.addresses.len()), (false, 1, 1));
}

#[test]
fn a_deleted_virtual_ip_is_created_again() {
    let mut s = pg().up();
    s.children.forget(&key(Kind::VirtualIp, "web-db-vip"));
    let plan = build(&s, &BTreeSet::new()).unwrap();
    assert_eq!(shown(&bring_up(&s, &plan)), ["create Service shop/web-db-vip"]);
}

#[test]
fn pods_of_both_families_are_behind_the_virtual_ip() {
    let mut both = pod("pg-0", "10.0.0.10");
    both.addresses.push("fd00::10".parse().unwrap());
    let s = by_virtual_ip(
        fixture::snapshot().with_target_deployment(vec![both]),
        "[{name: pg, port: 5432}]",
    )
    .up();
    let families: Vec<_> = s.children.slices.iter().map(|f| f.object.body.family).collect();
    assert_eq!(families, [Family::V4, Family::V6, Family::V4]);
}

#[test]
fn only_the_address_of_the_existing_virtual_ip_with_the_right_name_is_kept() {
    let addresses = |s: &Snapshot| {
        let desired = build(s, &BTreeSet::new()).unwrap().virtual_ip.unwrap();
        desired.body.addresses.len()
    };
    let s = pg().up();
    assert_eq!(addresses(&s), 1);
    let mut stray = s.clone();
    "copied".clone_into(&mut stray.children.virtual_ips[0].object.name);
    assert_eq!(addresses(&stray), 0);
    let mut elsewhere = s.clone();
    "elsewhere".clone_into(&mut elsewhere.children.virtual_ips[0].object.namespace);
    assert_eq!(addresses(&elsewhere), 0);
    let mut going = s;
    going.children.virtual_ips[0].terminating = true;
    assert_eq!(addresses(&going), 0);
}

#[test]
fn a_virtual_ip_with_an_address_is_repaired_and_one_without_is_created_again() {
    let due = |s: &Snapshot| shown(&bring_up(s, &build(s, &BTreeSet::new()).unwrap()));
    let mut s = pg().up();
    s.children.virtual_ips[0].object.body.ports.clear();
    assert_eq!(due(&s), ["replace Service shop/web-db-vip"]);
    s.children.virtual_ips[0].object.body.addresses.clear();
    assert_eq!(due(&s), ["delete Service shop/web-db-vip"]);
}
