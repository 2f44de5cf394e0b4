use std::sync::Arc;

use instancelink_api::condition::Reason;

use super::*;
use crate::fixture;
use crate::resolve::endpoints::endpoint_groups;
use crate::resolve::scaled_kinds::refusal;
use crate::resolve::service_slices;
use crate::snapshot::{Snapshot, TargetObject, Unlisted};

fn kind() -> ApiKind {
    ApiKind::new(API_VERSION, KIND)
}

fn imported(ips: &[&str], headless: bool) -> Snapshot {
    let service = Service {
        selector: [].into(),
        cluster_ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
        import: Some(Box::new(Import { kind: kind(), headless })),
        ..fixture::service()
    };
    let mut s = fixture::snapshot().edited(|spec| {
        let reference = spec.target_instance_ref.as_mut().unwrap();
        reference.api_version = Some(API_VERSION.to_owned());
        KIND.clone_into(&mut reference.kind);
    });
    s = s.with_target(TargetObject::Service(Arc::new(service)), vec![]);
    s.target.as_mut().unwrap().slices = None;
    s
}

fn addresses(s: &Snapshot) -> Vec<String> {
    let found = endpoint_groups(s).unwrap();
    let all = found.groups.iter().flat_map(|group| &group.endpoints);
    all.map(|e| format!("{} {} {}", e.target.as_ref().unwrap().kind, e.address, e.ready))
        .collect()
}

/// contract#service-imports
#[test]
fn an_import_leads_to_its_cluster_set_ips() {
    let s = imported(&["10.42.0.1", "fd00::1"], false);
    assert_eq!(
        addresses(&s),
        ["ServiceImport 10.42.0.1 true", "ServiceImport fd00::1 true"]
    );
    assert_eq!(endpoint_groups(&s).unwrap().ports[0].port, 5432);
    let none = imported(&[], false);
    assert!(addresses(&none).is_empty());
    let why = service_slices::why_unavailable(none.target.as_ref().unwrap()).unwrap();
    assert!(why.contains("has no clusterset IP"), "{why}");
    assert!(addresses(&imported(&["169.254.0.1"], false)).is_empty());
}

/// contract#service-imports
#[test]
fn an_import_without_a_cluster_set_ip_cannot_be_served_and_says_what_to_do() {
    let reason = |s: &Snapshot| endpoint_groups(s).unwrap_err().reason;
    assert_eq!(reason(&imported(&[], true)), Reason::AddressingNotPossible);
    for addressing in [Addressing::PodIP, Addressing::VirtualIP] {
        let s = imported(&["10.42.0.1"], false).edited(|spec| {
            spec.addressing = addressing;
            spec.ports = serde_json::from_str(r#"[{"name":"pg","port":1}]"#).unwrap();
        });
        assert_eq!(reason(&s), Reason::AddressingNotPossible);
    }
}

/// contract#service-imports
#[test]
fn the_role_that_an_import_needs_has_no_scale_and_an_import_is_no_source() {
    let mut s = imported(&[], false).without_target();
    let plural = "serviceimports".to_owned();
    s.unlisted.insert(kind(), Unlisted::Forbidden { plural });
    let role = refusal(&s, "targetInstanceRef", API_VERSION, KIND).unwrap();
    let role: serde_json::Value = serde_yaml_ng::from_str(&role).unwrap();
    let rules = serde_json::json!([
        {"apiGroups": ["multicluster.x-k8s.io"], "resources": ["serviceimports"], "verbs": ["list", "watch"]},
    ]);
    assert_eq!(role["rules"], rules);
    let message = refusal(&s, "instanceRef", API_VERSION, KIND).unwrap();
    assert!(message.contains("instanceRef cannot be a ServiceImport"), "{message}");
}
