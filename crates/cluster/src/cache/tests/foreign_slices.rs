//! The slices that others write for a Service without a selector.

use instancelink_core::snapshot::Snapshot;

use super::*;

fn snapshot(world: &World) -> Snapshot {
    let key = ObjectName::new("shop", "a");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let observe = |index: &_| crate::observe::observe(index, &key, now, "cluster.local", &[]);
    world.cache.read(observe).unwrap()
}

fn addresses(world: &World) -> Option<Vec<String>> {
    let slices = snapshot(world).target.unwrap().slices?;
    let all = slices.iter().flat_map(|slice| &slice.addresses);
    Some(all.map(|found| found.address.to_string()).collect())
}

fn service(name: &str, labels: &Value, version: u64) -> Value {
    let service = json!({"metadata": meta(name, version), "spec": {"clusterIP": "None", "ports": [{"port": 5432}]}});
    with(service, "/metadata/labels", labels.clone())
}

fn slice(name: &str, service: &str, address: &str, version: u64) -> Value {
    let labels = json!({"kubernetes.io/service-name": service});
    let slice = json!({
        "metadata": meta(name, version), "addressType": "IPv4",
        "endpoints": [{"addresses": [address]}], "ports": [{"name": "", "port": 5432}],
    });
    with(slice, "/metadata/labels", labels)
}

/// contract#endpoints-of-others
#[test]
fn a_change_of_a_slice_concerns_the_links_to_its_service() {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &to("Service", "pg"), 1));
    world.apply::<Links>(link("b", "b", &to("Service", "other"), 2));
    world.apply::<Links>(link("c", "c", &to("Deployment", "pg"), 3));
    world.apply::<Services>(service("pg", &json!({}), 4));
    assert_eq!(addresses(&world), Some(vec![]));
    world.heard();
    world.apply::<ForeignSlices>(slice("pg-1", "pg", "192.0.2.1", 5));
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(addresses(&world), Some(vec!["192.0.2.1".to_owned()]));
    world.apply::<ForeignSlices>(slice("pg-1", "pg", "192.0.2.1", 6));
    assert_eq!(world.heard(), names([]), "a new version alone is no news");
    world.apply::<ForeignSlices>(slice("pg-1", "pg", "192.0.2.2", 7));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<ForeignSlices>(slice("pg-1", "other", "192.0.2.2", 8));
    assert_eq!(world.heard(), names(["a", "b"]));
    assert_eq!(addresses(&world), Some(vec![]));
    world.delete::<ForeignSlices>(slice("pg-1", "other", "192.0.2.2", 9));
    assert_eq!(world.heard(), names(["b"]));
}

/// contract#endpoints-of-others
#[test]
fn a_slice_of_another_namespace_is_not_of_the_service() {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &to("Service", "pg"), 1));
    world.apply::<Services>(service("pg", &json!({}), 2));
    world.heard();
    let forged = with(
        slice("pg-1", "pg", "192.0.2.1", 3),
        "/metadata/namespace",
        json!("evil"),
    );
    world.apply::<ForeignSlices>(forged);
    assert_eq!(world.heard(), names([]));
    assert_eq!(addresses(&world), Some(vec![]));
}

/// contract#endpoints-of-others
#[test]
fn a_slice_with_any_mark_of_the_operator_is_not_followed_whatever_a_policy_writes_into_managed_by() {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &to("Service", "pg"), 1));
    world.apply::<Services>(service("pg", &json!({}), 2));
    let marks = [
        json!({"labels": {"instancelink.dev/link-uid": "x"}}),
        json!({"labels": {"app.kubernetes.io/managed-by": "instancelink"}}),
        json!({"annotations": {"instancelink.dev/link": "shop/b"}}),
    ];
    for (version, mark) in (3..).zip(&marks) {
        let mut slice = slice("b-v4", "pg", "192.0.2.1", version);
        let rewritten = "endpointslicemirroring-controller.k8s.io";
        slice["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] = rewritten.into();
        for (name, value) in mark["labels"].as_object().into_iter().flatten() {
            slice["metadata"]["labels"][name] = value.clone();
        }
        slice["metadata"]["annotations"] = mark["annotations"].clone();
        world.apply::<ForeignSlices>(slice);
        assert_eq!(addresses(&world), Some(vec![]), "{mark}");
        let service = ObjectName::new("shop", "pg");
        let leads = world.cache.read(|index| index.foreign_slices.lead_into(&service));
        assert!(!leads, "{mark}");
    }
    // Users write such an owner, so that their slices go with a link.
    let owner = json!([{"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "a", "uid": "x"}]);
    let theirs = with(slice("b-v4", "pg", "192.0.2.1", 9), "/metadata/ownerReferences", owner);
    world.apply::<ForeignSlices>(theirs);
    assert_eq!(addresses(&world), Some(vec!["192.0.2.1".to_owned()]));
}

/// contract#endpoints-of-others
#[test]
fn a_service_of_the_operator_is_known_without_its_label_managed_by() {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &to("Service", "pg-links"), 1));
    world.apply::<ForeignSlices>(slice("pg-1", "pg-links", "192.0.2.1", 2));
    for (version, label) in (3..).zip(["instancelink.dev/link-uid", "instancelink.dev/source-uid"]) {
        let labels = json!({"app.kubernetes.io/managed-by": "helm", label: "x"});
        world.apply::<Services>(service("pg-links", &labels, version));
        assert_eq!(addresses(&world), None, "{label}");
    }
}

/// contract#endpoints-of-others
#[test]
fn the_slices_of_a_service_with_a_selector_or_of_the_operator_are_not_followed() {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &to("Service", "pg-links"), 1));
    let ours = json!({"app.kubernetes.io/managed-by": "instancelink"});
    world.apply::<Services>(service("pg-links", &ours, 2));
    world.apply::<ForeignSlices>(slice("pg-1", "pg-links", "192.0.2.1", 3));
    assert_eq!(addresses(&world), None);
    world.apply::<Services>(service("pg-links", &json!({}), 4));
    assert_eq!(addresses(&world), Some(vec!["192.0.2.1".to_owned()]));
    let selective = with(
        service("pg-links", &json!({}), 5),
        "/spec/selector",
        json!({"app": "pg"}),
    );
    world.apply::<Services>(selective);
    assert_eq!(addresses(&world), None);
}
