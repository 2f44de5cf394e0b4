use super::*;

fn of(namespace: &str, mut object: Value) -> Value {
    object["metadata"]["namespace"] = namespace.into();
    object
}

fn service(name: &str, version: u64) -> Value {
    json!({"metadata": meta(name, version), "spec": {"clusterIP": "10.96.0.7"}})
}

fn two_links() -> World {
    let world = World::new();
    world.apply::<Links>(link("web-db", "db", &to("Deployment", "pg"), 1));
    world.apply::<Links>(link("web-cache", "cache", &to("Deployment", "redis"), 2));
    world.heard();
    world
}

#[test]
fn a_service_called_like_the_alias_concerns_the_link_beside_it_and_in_the_directorys_namespace() {
    let world = two_links();
    for (namespace, version) in [("shop", 10), ("web-links", 20)] {
        world.apply::<Services>(of(namespace, service("db", version)));
        assert_eq!(world.heard(), names(["web-db"]), "{namespace}");
        let edited = with(service("db", version + 1), "/spec/ports", json!([{"port": 1}]));
        world.apply::<Services>(of(namespace, edited));
        assert_eq!(world.heard(), names([]), "its coming and going counts");
        world.delete::<Services>(of(namespace, service("db", version + 2)));
        assert_eq!(world.heard(), names(["web-db"]), "{namespace}");
    }
    world.apply::<Services>(of("elsewhere", service("db", 30)));
    world.apply::<Services>(of("shop", service("dbs", 31)));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn a_namespace_called_like_the_alias_concerns_the_link() {
    let world = two_links();
    let namespace = json!({"metadata": {"name": "cache", "uid": "n", "resourceVersion": "10"}});
    world.apply::<Namespaces>(namespace.clone());
    assert_eq!(world.heard(), names(["web-cache"]));
    world.delete::<Namespaces>(namespace);
    assert_eq!(world.heard(), names(["web-cache"]));
}

#[test]
fn a_link_that_is_gone_is_not_told() {
    let world = two_links();
    world.delete::<Links>(link("web-db", "db", &to("Deployment", "pg"), 3));
    world.heard();
    world.apply::<Services>(service("db", 10));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn endpoints_mirrored_into_a_directory_concern_its_links() {
    let world = two_links();
    let mirrored = |name: &str, service: &str, version| {
        let labels = json!({"kubernetes.io/service-name": service,
            "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io"});
        with(
            json!({"metadata": meta(name, version), "addressType": "IPv4", "endpoints": []}),
            "/metadata/labels",
            labels,
        )
    };
    world.apply::<ForeignSlices>(mirrored("web-links-x", "web-links", 10));
    assert_eq!(world.heard(), names(["web-db", "web-cache"]));
    let directory = ObjectName::new("shop", "web-links");
    assert!(world.cache.read(|index| index.foreign_slices.lead_into(&directory)));
    world.apply::<ForeignSlices>(mirrored("web-links-y", "web-links", 11));
    world.apply::<ForeignSlices>(mirrored("other-z", "other", 12));
    assert_eq!(world.heard(), names([]), "a second slice is no news");
    world.delete::<ForeignSlices>(mirrored("web-links-x", "web-links", 13));
    assert_eq!(world.heard(), names([]));
    world.delete::<ForeignSlices>(mirrored("web-links-y", "web-links", 14));
    assert_eq!(world.heard(), names(["web-db", "web-cache"]));
}
