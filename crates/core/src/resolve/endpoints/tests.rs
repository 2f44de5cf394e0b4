mod addresses;
mod terminating;

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::*;
use crate::fixture::{self, container_port, pod, service, service_port};
use crate::snapshot::{Pod, ServicePort};

/// Each endpoint as `address ready/serving`.
fn shown(s: &Snapshot) -> Vec<String> {
    let endpoints = endpoint_groups(s).unwrap();
    let all = endpoints.groups.iter().flat_map(|g| &g.endpoints);
    all.map(|e| format!("{} {}/{}", e.address, e.ready, e.serving))
        .collect()
}

fn numbers(ports: &[Port]) -> Vec<u16> {
    ports.iter().map(|p| p.port).collect()
}

fn addressed(s: Snapshot, addressing: Addressing) -> Snapshot {
    s.edited(|spec| spec.addressing = addressing)
}

fn reason(s: &Snapshot) -> Reason {
    let refused = endpoint_groups(s).unwrap_err();
    assert!(
        refused.message.contains(';'),
        "the message says what to do: {}",
        refused.message
    );
    refused.reason
}

/// contract#endpoints-of-workloads
#[test]
fn the_endpoints_of_a_workload_are_its_pods() {
    let s = fixture::snapshot();
    assert_eq!(shown(&s), ["10.0.0.10 true/true", "10.0.0.11 true/true"]);
    let endpoints = endpoint_groups(&s).unwrap();
    let first = &endpoints.groups[0].endpoints[0];
    assert_eq!(first.hostname, "db");
    assert_eq!(first.target.as_ref().unwrap().uid, "uid-of-pg-0");
    assert_eq!(
        (first.node.as_deref(), first.zone.as_deref()),
        (Some("node-1"), Some("zone-a"))
    );
    assert_eq!(numbers(&endpoints.ports), [5432]);
}

/// contract#endpoints-of-workloads
#[test]
fn a_pod_that_is_not_ready_is_listed_as_not_ready() {
    let s = fixture::snapshot().with_target_deployment(vec![pod("pg-0", "10.0.0.10").not_ready()]);
    assert_eq!(shown(&s), ["10.0.0.10 false/false"]);
    let published = s.edited(|spec| spec.publish_not_ready_addresses = true);
    assert_eq!(shown(&published), ["10.0.0.10 true/false"]);
}

/// contract#endpoints-of-workloads
#[test]
fn the_endpoint_of_a_pod_is_the_pod_itself() {
    let mut s = fixture::snapshot();
    s.link.object.spec.target_instance_ref.as_mut().unwrap().kind = "Pod".to_owned();
    let one = Pod {
        name: "pg".to_owned(),
        ..pod("pg-0", "10.0.0.10")
    };
    let s = s.with_target(TargetObject::Pod(Arc::new(one.clone())), vec![one]);
    assert_eq!(shown(&s), ["10.0.0.10 true/true"]);
}

/// contract#excluded-addresses
#[test]
fn both_address_families_of_a_pod_count_and_unusable_addresses_do_not() {
    let addresses = ["10.0.0.10", "fd00::10", "127.0.0.1", "fe80::1"]
        .map(|a| a.parse().unwrap())
        .to_vec();
    let s = fixture::snapshot().with_target_deployment(vec![Pod {
        addresses,
        ..pod("pg-0", "10.0.0.10")
    }]);
    assert_eq!(shown(&s), ["10.0.0.10 true/true", "fd00::10 true/true"]);
}

/// contract#endpoints-of-services, contract#fixed-names
#[test]
fn the_cluster_ip_of_a_service_always_has_a_name_and_serves_when_one_of_its_pods_is_ready() {
    let s = |pods| fixture::snapshot().with_target_service(service(), pods);
    assert_eq!(shown(&s(vec![pod("pg-0", "10.0.0.10")])), ["10.96.0.5 true/true"]);
    assert_eq!(
        shown(&s(vec![pod("pg-0", "10.0.0.10").not_ready()])),
        ["10.96.0.5 true/false"]
    );
    assert_eq!(shown(&s(vec![])), ["10.96.0.5 true/false"]);
    let endpoints = endpoint_groups(&s(vec![])).unwrap();
    assert_eq!(
        endpoints.groups[0].endpoints[0].target.as_ref().unwrap().kind,
        "Service"
    );
}

/// contract#endpoints-of-services
#[test]
fn the_endpoints_of_a_headless_service_are_its_pods() {
    let headless = Service {
        cluster_ips: vec![],
        ..service()
    };
    let s = fixture::snapshot().with_target_service(headless, vec![pod("pg-0", "10.0.0.10")]);
    assert_eq!(shown(&s), ["10.0.0.10 true/true"]);
    assert_eq!(
        reason(&addressed(s, Addressing::ServiceIP)),
        Reason::AddressingNotPossible
    );
}

/// contract#spec-publish-not-ready-addresses
#[test]
fn a_service_that_publishes_unready_pods_publishes_them_through_the_link_too() {
    let publishing = Service {
        publish_not_ready_addresses: true,
        ..service()
    };
    let s = fixture::snapshot().with_target_service(publishing, vec![pod("pg-0", "10.0.0.10").not_ready()]);
    assert_eq!(shown(&s), ["10.96.0.5 true/true"]);
    assert_eq!(shown(&addressed(s, Addressing::PodIP)), ["10.0.0.10 true/false"]);
}

/// contract#condition-accepted
#[test]
fn an_impossible_addressing_says_what_to_write_instead() {
    assert_eq!(
        reason(&addressed(fixture::snapshot(), Addressing::VirtualIP).edited(|spec| spec.ports = None)),
        Reason::AddressingNotPossible
    );
    assert_eq!(
        reason(&addressed(fixture::snapshot(), Addressing::ServiceIP)),
        Reason::AddressingNotPossible
    );
    let external = Service {
        external_name: Some("db.example.com".to_owned()),
        cluster_ips: vec![],
        ..service()
    };
    let s = fixture::snapshot().with_target_service(external, vec![]);
    assert_eq!(reason(&s), Reason::KindNotSupported);
}

/// contract#spec-ports
#[test]
fn the_ports_of_the_spec_replace_those_of_the_target() {
    let s = fixture::snapshot().edited(|spec| {
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 6432}]").unwrap();
    });
    assert_eq!(numbers(&endpoint_groups(&s).unwrap().ports), [6432]);
    assert_eq!(numbers(&endpoint_groups(&s.without_target()).unwrap().ports), [6432]);
    let missing = fixture::snapshot().without_target();
    assert_eq!(endpoint_groups(&missing).unwrap(), EndpointGroups::default());
}

/// contract#default-ports
#[test]
fn the_ports_of_a_service_depend_on_the_addressing() {
    let mut with_target_port = service();
    with_target_port.ports = vec![ServicePort {
        target_port: Some(IntOrString::Int(15432)),
        ..service_port("", 5432)
    }];
    let s = fixture::snapshot().with_target_service(with_target_port, vec![pod("pg-0", "10.0.0.10")]);
    assert_eq!(numbers(&endpoint_groups(&s).unwrap().ports), [5432]);
    assert_eq!(
        numbers(&endpoint_groups(&addressed(s, Addressing::PodIP)).unwrap().ports),
        [15432]
    );
}

/// contract#named-target-ports
#[test]
fn pods_whose_ports_differ_form_groups_of_their_own() {
    let mut named = service();
    named.ports = vec![ServicePort {
        target_port: Some(IntOrString::String("pg".to_owned())),
        ..service_port("", 1)
    }];
    let pods = vec![
        pod("pg-0", "10.0.0.10").ports(vec![container_port("pg", 6432)]),
        pod("pg-1", "10.0.0.11"),
        pod("pg-2", "10.0.0.12").ports(vec![container_port("pg", 6432)]),
    ];
    let s = addressed(fixture::snapshot().with_target_service(named, pods), Addressing::PodIP);
    let groups = endpoint_groups(&s).unwrap().groups;
    let shown: Vec<_> = groups.iter().map(|g| (numbers(&g.ports), g.endpoints.len())).collect();
    assert_eq!(shown, [(vec![5432], 1), (vec![6432], 2)]);
}

/// contract#named-target-ports
#[test]
fn pods_with_very_many_different_ports_are_refused() {
    let mut named = service();
    named.ports = vec![ServicePort {
        target_port: Some(IntOrString::String("pg".to_owned())),
        ..service_port("", 1)
    }];
    let groups = |count: u16| {
        let of_number = |n: u16| {
            let address = format!("10.0.{}.{}", n / 250, n % 250 + 1);
            pod(&format!("pg-{n}"), &address).ports(vec![container_port("pg", 1000 + n)])
        };
        let pods = (0..count).map(of_number).collect();
        let s = fixture::snapshot().with_target_service(named.clone(), pods);
        endpoint_groups(&addressed(s, Addressing::PodIP)).map(|endpoints| endpoints.groups.len())
    };
    assert_eq!(groups(100), Ok(100));
    assert_eq!(groups(101).unwrap_err().reason, Reason::InvalidPorts);
}

/// contract#consent
#[test]
fn a_target_in_another_namespace_without_consent_has_no_endpoint() {
    let s = fixture::snapshot().edited(|spec| {
        spec.target_instance_ref.as_mut().unwrap().namespace = Some("data".to_owned());
    });
    assert!(shown(&s).is_empty());
}

/// contract#bounded-work
#[test]
fn pods_with_too_many_labels_are_not_compared_and_the_link_says_so() {
    let with = |count: usize| {
        let labels: BTreeMap<String, String> = (0..1000).map(|n| (format!("l{n}"), String::new())).collect();
        let pods = (0..count).map(|n| Pod {
            labels: labels.clone(),
            ..pod(&format!("pg-{n}"), "10.0.0.10")
        });
        let service = Service {
            selector: labels.clone(),
            cluster_ips: Vec::new(),
            ..service()
        };
        fixture::snapshot().with_target_service(service, pods.collect())
    };
    assert!(endpoint_groups(&with(90)).is_ok());
    assert_eq!(reason(&with(110)), Reason::TooCostly);
}
