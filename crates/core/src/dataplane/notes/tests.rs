use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::*;
use crate::child::Confidential;
use crate::dataplane::build;
use crate::fixture;
use crate::snapshot::{Secrets, ServicePort};

fn notes(s: &Snapshot) -> Vec<(Reason, String)> {
    let plan = build(s, &BTreeSet::new()).unwrap();
    plan.notes.into_iter().map(|note| (note.reason, note.message)).collect()
}

/// The target Deployment declares no ports.
fn without_ports() -> Snapshot {
    let mut workload = fixture::deployment();
    workload.container_ports.clear();
    let pod = fixture::pod("pg-0", "10.0.0.10").ports(Vec::new());
    fixture::snapshot().with_target(TargetObject::Workload(Arc::new(workload)), vec![pod])
}

fn with_outputs(s: Snapshot, outputs: &str) -> Snapshot {
    s.edited(|spec| spec.outputs = serde_yaml_ng::from_str(outputs).unwrap())
}

fn service(ports: Vec<ServicePort>) -> Snapshot {
    let service = crate::snapshot::Service {
        cluster_ips: Vec::new(),
        ports,
        ..fixture::service()
    };
    fixture::snapshot().with_target_service(service, vec![fixture::pod("pg-0", "10.0.0.10")])
}

/// contract#notes
#[test]
fn a_target_without_ports_is_named_with_what_to_write() {
    assert_eq!(notes(&fixture::snapshot()), []);
    let all = notes(&without_ports());
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].0, Reason::NoPorts);
    for part in [
        "Deployment shop/pg declares no ports",
        "the environment has only DB_NAME",
        "ports: [{name: db, port: 5432}]",
        "kubectl -n shop edit il web-db",
    ] {
        assert!(all[0].1.contains(part), "{part}: {}", all[0].1);
    }
}

#[test]
fn a_headless_service_without_ports_and_one_whose_pods_lack_its_named_ports_are_named() {
    assert!(
        notes(&service(Vec::new()))[0]
            .1
            .contains("Service shop/pg declares no ports")
    );
    let named = ServicePort {
        target_port: Some(IntOrString::String("metrics".to_owned())),
        ..fixture::service_port("metrics", 9187)
    };
    assert!(
        notes(&service(vec![named.clone()]))[0]
            .1
            .contains("names that its pods do not declare")
    );
    let mut no_pods = service(vec![named]);
    if let Some(target) = &mut no_pods.target {
        target.candidates.clear();
    }
    assert_eq!(notes(&no_pods), [], "the numbers are not known yet");
}

#[test]
fn nothing_is_said_of_ports_that_are_listed_or_not_used() {
    let listed = without_ports().edited(|spec| {
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 5432}]").unwrap();
    });
    assert_eq!(notes(&listed), []);
    assert_eq!(notes(&with_outputs(without_ports(), "{environment: None}")), []);
    let mut missing = without_ports();
    missing.target = None;
    assert_eq!(notes(&missing), [], "what is missing declares nothing");
    let none = without_ports().edited(|spec| spec.target_instance_ref = None);
    assert_eq!(notes(&none), [], "NoTarget says enough");
}

#[test]
fn a_binding_without_a_port_is_said_too() {
    let bound = with_outputs(without_ports(), "{environment: None, binding: {type: postgresql}}");
    let all = notes(&bound);
    assert!(
        all[0].1.contains("so the binding has no port of the link"),
        "{}",
        all[0].1
    );
}

/// contract#entries-past-the-alias
#[test]
fn entries_that_lead_past_the_alias_are_named_without_their_values() {
    let mut s = with_outputs(
        fixture::snapshot(),
        "{binding: {type: mongodb, secretRef: {name: creds}}}",
    );
    let entries = [
        ("host", "mongo.shop.svc"),
        ("uri", "mongodb+srv://app:hunter2@mongo.shop.svc/app"),
        ("members", "mongo.shop.svc:1 hunter2"),
        ("jdbc-uri", "jdbc:mongodb://app:hunter2@mongo:27017/app"),
    ];
    let entries: crate::child::Entries = entries
        .map(|(key, value)| (key.to_owned(), Confidential::from(value)))
        .into();
    s.secrets = Secrets::Known {
        referenced: Some(entries.into()),
    };
    let all = notes(&s);
    assert_eq!(all.len(), 1, "{all:?}");
    let (reason, message) = &all[0];
    assert_eq!(*reason, Reason::EntriesBypassAlias);
    for part in [
        "Secret shop/creds leads past the alias in the entries members,",
        "the entry uri of Secret shop/creds",
        "kubectl -n shop edit secret creds",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(
        !message.contains("hunter2") && !message.contains("mongo.shop"),
        "{message}"
    );
    assert!(!message.contains("jdbc-uri"), "it has the alias: {message}");
}

#[test]
fn of_many_entries_a_few_are_named() {
    let mut s = with_outputs(fixture::snapshot(), "{binding: {type: x, secretRef: {name: creds}}}");
    let mut entries: crate::child::Entries = (0..9)
        .map(|n| (format!("host-{n}"), Confidential::from("pg.shop")))
        .collect();
    entries.insert("host".to_owned(), Confidential::from("pg"));
    s.secrets = Secrets::Known {
        referenced: Some(entries.into()),
    };
    let message = &notes(&s)[0].1;
    assert!(message.contains("host-0, host-1, host-2, host-3, 5 more"), "{message}");
}
