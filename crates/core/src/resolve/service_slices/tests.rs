use instancelink_api::Addressing;

use crate::child::DesiredChild;
use crate::dataplane;
use crate::effect::Effect;
use crate::fixture::{self, service, service_port, service_slice};
use crate::resolve::endpoints::{endpoint_groups, service_answers};
use crate::snapshot::{Service, ServicePort, Snapshot};

use super::*;

/// The Service `pg` without a selector, with these cluster IPs and slices.
fn external(cluster_ips: &[&str], slices: Vec<ServiceSlice>) -> Snapshot {
    let service = Service {
        cluster_ips: cluster_ips.iter().map(|ip| ip.parse().unwrap()).collect(),
        selector: [].into(),
        ..service()
    };
    fixture::snapshot()
        .with_target_service(service, vec![])
        .with_slices(slices)
}

/// Each endpoint as `address port ready/serving`.
fn shown(s: &Snapshot) -> Vec<String> {
    let found = endpoint_groups(s).unwrap();
    let all = found.groups.iter().flat_map(|group| {
        let ports: Vec<String> = group.ports.iter().map(|port| port.port.to_string()).collect();
        let ports = ports.join(",");
        let of_group = group.endpoints.iter();
        of_group.map(move |e| format!("{} {ports} {}/{}", e.address, e.ready, e.serving))
    });
    all.collect()
}

fn reason(s: &Snapshot) -> Reason {
    endpoint_groups(s).unwrap_err().reason
}

/// contract#endpoints-of-others
#[test]
fn a_headless_service_without_a_selector_has_the_addresses_that_others_write() {
    let s = external(
        &[],
        vec![service_slice("192.0.2.1", 5432), service_slice("2001:db8::1", 5432)],
    );
    assert_eq!(shown(&s), ["192.0.2.1 5432 true/true", "2001:db8::1 5432 true/true"]);
    let target = endpoint_groups(&s).unwrap().groups[0].endpoints[0]
        .target
        .clone()
        .unwrap();
    assert_eq!(
        (target.kind.as_str(), target.uid.as_str()),
        ("Service", fixture::TARGET_UID)
    );
    assert!(shown(&external(&[], vec![])).is_empty());
}

/// contract#excluded-addresses
#[test]
fn addresses_that_mean_another_host_for_each_client_are_never_followed() {
    for bad in [
        "127.0.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "0.0.0.0",
        "fe80::1",
        "::1",
        "ff02::1",
        "::ffff:127.0.0.1",
    ] {
        let s = external(&[], vec![service_slice(bad, 5432)]);
        assert!(shown(&s).is_empty(), "{bad}");
        let target = s.target.as_ref().unwrap();
        assert!(
            why_unavailable(target).unwrap().contains("is ready and usable"),
            "{bad}"
        );
        let s = external(&["10.96.0.5"], vec![service_slice(bad, 5432)]);
        assert_eq!(shown(&s), ["10.96.0.5 5432 true/false"], "{bad}");
    }
}

/// contract#endpoints-of-others
#[test]
fn a_cluster_ip_is_ready_while_a_slice_has_a_ready_address() {
    let s = |slices| external(&["10.96.0.5"], slices);
    let mut not_ready = service_slice("192.0.2.1", 5432);
    not_ready.addresses[0].ready = false;
    let mut leaving = service_slice("192.0.2.1", 5432);
    leaving.addresses[0].terminating = true;
    for (slices, ready) in [
        (vec![service_slice("192.0.2.1", 5432)], true),
        (vec![not_ready.clone()], false),
        (vec![leaving], false),
        (vec![], false),
    ] {
        let s = s(slices);
        let TargetObject::Service(service) = &s.target.as_ref().unwrap().object else {
            panic!()
        };
        assert_eq!(service_answers(s.target.as_ref().unwrap(), service, false), ready);
        assert_eq!(shown(&s), [format!("10.96.0.5 5432 true/{ready}")]);
    }
    let published = s(vec![not_ready]).edited(|spec| spec.publish_not_ready_addresses = true);
    assert_eq!(shown(&published), ["10.96.0.5 5432 true/true"]);
}

/// contract#endpoints-of-others
#[test]
fn the_cluster_ip_of_a_service_of_the_operator_counts_as_ready() {
    let mut s = external(&["10.96.0.5"], vec![]);
    s.target.as_mut().unwrap().slices = None;
    assert_eq!(shown(&s), ["10.96.0.5 5432 true/true"]);
    let by_pods = s.edited(|spec| spec.addressing = Addressing::PodIP);
    assert_eq!(reason(&by_pods), Reason::AddressingNotPossible);
}

/// contract#endpoints-of-others
#[test]
fn an_address_in_two_slices_is_one_endpoint_and_one_ready_entry_is_enough() {
    let mut not_ready = service_slice("192.0.2.1", 5432);
    not_ready.addresses[0].ready = false;
    let s = external(&[], vec![not_ready, service_slice("192.0.2.1", 5432)]);
    assert_eq!(shown(&s), ["192.0.2.1 5432 true/true"]);
}

/// contract#default-ports
#[test]
fn the_ports_are_those_of_the_slice_that_have_the_name_of_a_port_of_the_service() {
    let mut other = service_slice("192.0.2.1", 6432);
    other.ports[0].name = "other".to_owned();
    let s = external(&[], vec![service_slice("192.0.2.2", 6432), other]);
    assert_eq!(shown(&s), ["192.0.2.1  true/true", "192.0.2.2 6432 true/true"]);
    let portless = |mut s: Snapshot| {
        let TargetObject::Service(service) = &s.target.as_ref().unwrap().object else {
            panic!()
        };
        let service = Service {
            ports: vec![],
            ..(**service).clone()
        };
        let slices = s.target.as_ref().unwrap().slices.clone();
        s = s.with_target_service(service, vec![]);
        s.target.as_mut().unwrap().slices = slices;
        s
    };
    let s = external(&[], vec![service_slice("192.0.2.2", 6432)]);
    assert_eq!(shown(&portless(s)), ["192.0.2.2 6432 true/true"]);
    let listed = external(&[], vec![service_slice("192.0.2.2", 6432)])
        .edited(|spec| spec.ports = serde_json::from_str(r#"[{"name":"pg","port":7000}]"#).unwrap());
    assert_eq!(shown(&listed), ["192.0.2.2 7000 true/true"]);
}

/// contract#default-ports
#[test]
fn a_slice_without_ports_has_the_target_ports_of_the_service() {
    let mut any = service_slice("192.0.2.2", 1);
    any.ports.clear();
    let mut s = external(&[], vec![any.clone()]);
    assert_eq!(shown(&s), ["192.0.2.2 5432 true/true"]);
    let service = Service {
        cluster_ips: vec![],
        selector: [].into(),
        ports: vec![ServicePort {
            target_port: Some(serde_json::from_str("6432").unwrap()),
            ..service_port("pg", 5432)
        }],
        ..service()
    };
    s = s.with_target_service(service, vec![]).with_slices(vec![any]);
    assert_eq!(shown(&s), ["192.0.2.2 6432 true/true"]);
}

/// contract#named-target-ports
#[test]
fn behind_a_virtual_ip_a_named_target_port_is_that_of_the_slice() {
    let ports =
        r#"[{"name":"a","port":80,"targetPort":"pg"},{"name":"b","port":81,"targetPort":9},{"name":"c","port":82}]"#;
    let s = external(&["10.96.0.5"], vec![service_slice("192.0.2.2", 6432)]).edited(|spec| {
        spec.addressing = Addressing::VirtualIP;
        spec.ports = serde_json::from_str(ports).unwrap();
    });
    assert_eq!(shown(&s), ["192.0.2.2 6432,9,82 true/true"]);
}

/// contract#bounded-work
#[test]
fn very_many_slices_or_addresses_are_not_followed() {
    let many = vec![service_slice("192.0.2.2", 6432); MOST_SLICES + 1];
    assert_eq!(reason(&external(&[], many)), Reason::TooCostly);
    let mut large = service_slice("192.0.2.2", 6432);
    large.addresses = vec![large.addresses[0]; MOST_ADDRESSES + 1];
    assert_eq!(reason(&external(&[], vec![large])), Reason::TooCostly);
}

/// contract#endpoints-of-others
#[test]
fn the_message_says_whether_a_slice_is_missing_or_not_ready() {
    let none = external(&[], vec![]);
    let why = why_unavailable(none.target.as_ref().unwrap()).unwrap();
    assert!(why.contains("the label kubernetes.io/service-name: pg"), "{why}");
    assert_eq!(why_unavailable(fixture::snapshot().target.as_ref().unwrap()), None);
}

/// lifecycle#unservable-spec-waits
#[test]
fn an_address_of_others_stays_while_a_slice_has_it_ready() {
    let both = || vec![service_slice("192.0.2.1", 5432), service_slice("192.0.2.2", 5432)];
    let left = |effects: &[Effect]| match effects {
        [
            Effect::Replace {
                child: DesiredChild::Slice(slice),
                ..
            },
        ] => slice
            .body
            .endpoints
            .iter()
            .map(|e| e.address.to_string())
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let s = external(&[], both()).up();
    assert_eq!(dataplane::prune(&s), []);
    let mut not_ready = both();
    not_ready[0].addresses[0].ready = false;
    assert_eq!(
        left(&dataplane::prune(&s.clone().with_slices(not_ready))),
        ["192.0.2.2"]
    );
    assert_eq!(
        left(&dataplane::prune(&s.with_slices(both().split_off(1)))),
        ["192.0.2.2"]
    );
}
