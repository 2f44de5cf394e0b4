//! Children compare by what the operator writes, and every kind converts to its API type and back.

use k8s_openapi::api::core::v1::Service;

use super::*;
use crate::fixture;

fn environment() -> ChildSpec<Environment> {
    fixture::snapshot().up().children.environments.remove(0).object
}

#[test]
fn a_replacement_has_the_uid_and_version_of_the_object_and_a_creation_has_none() {
    let replacement = environment().to_api(Some(("uid-1", "7"))).metadata;
    assert_eq!(replacement.uid.as_deref(), Some("uid-1"));
    assert_eq!(replacement.resource_version.as_deref(), Some("7"));
    let creation = environment().to_api(None).metadata;
    assert_eq!((creation.uid, creation.resource_version), (None, None));
}

#[test]
fn labels_and_annotations_that_others_set_on_a_child_are_not_compared() {
    let desired = environment();
    let mut api = desired.to_api(None);
    let others = ("argocd.argoproj.io/instance".to_owned(), "shop".to_owned());
    let meta = &mut api.metadata;
    meta.labels.as_mut().unwrap().extend([others.clone()]);
    meta.annotations.as_mut().unwrap().extend([others]);
    assert_eq!(Observed::from(api).object, desired);
}

/// The children of a link with a virtual IP.
fn by_virtual_ip() -> Children {
    let s = fixture::snapshot().edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 80, targetPort: 5432}]").unwrap();
    });
    s.up().children
}

#[test]
fn a_child_that_is_sent_and_read_back_equals_what_was_sent() {
    let all = by_virtual_ip();
    for slice in &all.slices {
        assert_eq!(Observed::<Slice>::from(slice.object.to_api(None)).object, slice.object);
    }
    let [directory, virtual_ip] = [
        &all.directories[0].object.to_api(None),
        &all.virtual_ips[0].object.to_api(None),
    ];
    assert_eq!(
        Observed::<Directory>::from(directory.clone()).object,
        all.directories[0].object
    );
    assert_eq!(
        Observed::<VirtualIp>::from(virtual_ip.clone()).object,
        all.virtual_ips[0].object
    );
    for service in [directory, virtual_ip] {
        assert_eq!(service.spec.as_ref().unwrap().type_.as_deref(), Some("ClusterIP"));
    }
}

/// The Service with a patch applied to its spec, as another writer could do it.
fn changed(service: &Service, patch: &str) -> Service {
    let mut changed = serde_json::to_value(service).unwrap();
    let patch: serde_json::Map<_, _> = serde_yaml_ng::from_str(patch).unwrap();
    changed["spec"].as_object_mut().unwrap().extend(patch);
    serde_json::from_value(changed).unwrap()
}

#[test]
fn a_directory_with_an_address_a_selector_a_port_or_another_type_is_damaged() {
    let sent = by_virtual_ip().directories[0].object.to_api(None);
    for patch in [
        "{clusterIP: 10.96.0.9}",
        "{selector: {app: web}}",
        "{ports: [{port: 80}]}",
        "{type: NodePort}",
    ] {
        let found = Observed::<Directory>::from(changed(&sent, patch));
        assert_ne!(found.object.body, Directory::RIGHT, "{patch}");
    }
    for patch in ["{selector: {}, ports: []}", "{type: null}"] {
        let found = Observed::<Directory>::from(changed(&sent, patch));
        assert_eq!(found.object.body, Directory::RIGHT, "{patch}");
    }
}

#[test]
fn a_virtual_ip_with_a_selector_an_external_ip_or_another_type_is_damaged() {
    let sent = by_virtual_ip().virtual_ips[0].object.to_api(None);
    let is_damaged = |patch: &str| Observed::<VirtualIp>::from(changed(&sent, patch)).object.body.damaged;
    for patch in [
        "{type: LoadBalancer}",
        "{selector: {app: pg}}",
        "{externalIPs: [192.0.2.1]}",
    ] {
        assert!(is_damaged(patch), "{patch}");
    }
    assert!(!is_damaged("{selector: {}, externalIPs: [], type: null}"));
}

#[test]
fn every_kind_has_the_name_and_resource_of_its_api_type() {
    let named: Vec<_> = Kind::ALL.iter().map(|kind| (kind.as_str(), kind.resource())).collect();
    let expected = [
        ("Service", "services"),
        ("EndpointSlice", "endpointslices.discovery.k8s.io"),
        ("ConfigMap", "configmaps"),
        ("Service", "services"),
        ("NetworkPolicy", "networkpolicies.networking.k8s.io"),
        ("Secret", "secrets"),
    ];
    assert_eq!(named, expected.map(|(kind, resource)| (kind, resource.to_owned())));
}

#[test]
fn a_dispatch_runs_with_the_kind_of_the_child() {
    for kind in Kind::ALL {
        assert_eq!(with_kind!(*kind, K => K::KIND), *kind);
    }
    let desired = DesiredChild::Environment(environment());
    let observed = desired.clone().written("uid-1", "7");
    assert_eq!(
        with_desired!(&desired, K(spec) => (K::KIND, spec.name.as_str())),
        (Kind::Environment, "web-links")
    );
    assert_eq!(
        with_observed!(&observed, K(found) => (K::KIND, found.uid.as_str())),
        (Kind::Environment, "uid-1")
    );
    assert_eq!(observed.into_desired(), desired);
}
