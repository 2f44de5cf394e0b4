use serde_json::{Value, json};

use super::*;
use crate::affects::Links;
use crate::name::ObjectName;
use crate::store::lenient::Lenient;
use crate::watch::scaled_object::{mark_of, reduce};
use crate::world::{World, link, meta, names};

fn kind() -> ApiKind {
    ApiKind::new("multicluster.x-k8s.io/v1alpha1", "ServiceImport")
}

fn show(world: &World, spec: &Value, version: u64) {
    let object = json!({"metadata": meta("pg", version), "spec": spec});
    let object: Lenient<Object> = serde_json::from_value(object).unwrap();
    let (mark, import) = (mark_of(&object.object), import_of(&kind(), &object.object));
    world.cache.shows_scaled(&kind(), reduce(&kind(), object), import, mark);
}

fn found(world: &World) -> Option<Service> {
    let name = ObjectName::new("shop", "pg");
    world.cache.read(|index| {
        assert_eq!(index.scaled.why_not(&kind(), &name), None);
        let target = index.target("multicluster.x-k8s.io/v1alpha1", "ServiceImport", &name);
        assert!(
            index
                .workload("multicluster.x-k8s.io/v1alpha1", "ServiceImport", &name)
                .is_none()
        );
        match target? {
            instancelink_core::snapshot::TargetObject::Service(service) => Some((*service).clone()),
            other => panic!("{other:?}"),
        }
    })
}

/// contract#service-imports
#[test]
fn an_import_is_known_without_a_scale_and_a_change_of_its_addresses_concerns_its_links() {
    let world = World::new();
    let target = json!({"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport", "name": "pg"});
    world.apply::<Links>(link("a", "db", &target, 1));
    world.cache.awaits_kind(&kind());
    world.cache.lists(&kind());
    let ports = json!([{"name": "pg", "port": 5432, "protocol": "TCP"}]);
    show(
        &world,
        &json!({"type": "ClusterSetIP", "ips": ["10.42.0.1", "x"], "ports": ports}),
        2,
    );
    world.cache.listed_all(&kind());
    world.heard();
    let service = found(&world).unwrap();
    assert_eq!(service.cluster_ips, ["10.42.0.1".parse::<IpAddr>().unwrap()]);
    assert_eq!((service.ports[0].port, service.import.unwrap().headless), (5432, false));
    assert!(world.cache.unread(&kind(), None).is_empty());
    show(
        &world,
        &json!({"type": "ClusterSetIP", "ips": ["10.42.0.1"], "ports": ports}),
        3,
    );
    assert_eq!(world.heard(), names([]), "a new version alone is no news");
    show(&world, &json!({"type": "Headless"}), 4);
    assert_eq!(world.heard(), names(["a"]));
    assert!(found(&world).unwrap().import.unwrap().headless);
    world.cache.hides_scaled(&kind(), &ObjectName::new("shop", "pg"));
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(found(&world), None);
}

#[test]
fn of_a_spec_that_cannot_be_read_nothing_counts() {
    let world = World::new();
    world.cache.awaits_kind(&kind());
    world.cache.lists(&kind());
    show(
        &world,
        &json!({"ips": "10.42.0.1", "ports": [{"port": "x"}], "type": 7}),
        2,
    );
    world.cache.listed_all(&kind());
    let service = found(&world).unwrap();
    assert!(service.cluster_ips.is_empty() && service.ports.is_empty());
}
