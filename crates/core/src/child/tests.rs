//! Children compare by what the operator writes, and every kind converts to its API type and back.

mod fields;
mod merged;

use super::*;
use crate::fixture;
pub(super) use merged::{merged, patched};

fn environment() -> ChildSpec<Environment> {
    fixture::snapshot().up().children.environments.remove(0).object
}

#[test]
fn a_creation_has_no_uid_and_no_version() {
    let creation = environment().to_api().metadata;
    assert_eq!((creation.uid, creation.resource_version), (None, None));
}

#[test]
fn labels_and_annotations_that_others_set_on_a_child_are_not_compared() {
    let desired = environment();
    let mut api = desired.to_api();
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
        assert_eq!(Observed::<Slice>::from(slice.object.to_api()).object, slice.object);
    }
    let [directory, virtual_ip] = [&all.directories[0].object.to_api(), &all.virtual_ips[0].object.to_api()];
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

/// lifecycle#finalizers-of-others
#[test]
fn each_finalizer_of_a_child_is_of_others_but_those_of_the_garbage_collector() {
    let held = |finalizer: &str| {
        let mut api = environment().to_api();
        api.metadata.deletion_timestamp = Some(serde_json::from_str(r#""2026-01-01T00:00:00Z""#).unwrap());
        api.metadata.finalizers = Some(vec![finalizer.to_owned()]);
        Observed::<Environment>::from(api).held_since.is_some()
    };
    assert!(held("example.com/keep"));
    assert!(held(keys::FINALIZER), "the operator sets none on a child");
    assert!(!held("foregroundDeletion") && !held("orphan"));
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
