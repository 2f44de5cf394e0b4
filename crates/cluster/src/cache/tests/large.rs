//! The largest objects that the API server takes: little of each is kept, and what was kept before goes on to count.

use std::sync::Arc;

use instancelink_core::resolve::isolation::{Isolation, isolation_of};
use instancelink_core::resolve::{TargetVerdict, target_of};
use instancelink_core::snapshot::{Referenced, Secrets as KnownSecrets, Snapshot};
use serde_json::Map;

use super::largest::{LARGEST, largest, list, map, noise};
use super::strange::valid;
use super::*;
use crate::observe;
use crate::store::lenient::Lenient;
use crate::store::scale::{OF_OTHERS, OF_OURS, Scale};
use crate::store::table::Item;

fn snapshot(world: &World, name: &str) -> Snapshot {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let key = ObjectName::new("shop", name);
    world
        .cache
        .read(|index| observe(index, &key, now, "cluster.local", &[]))
        .unwrap()
}

fn weight_of<I: Item>(item: &I) -> usize {
    let mut scale = Scale::default();
    item.weigh(&mut scale);
    scale.bytes()
}

fn stays_small<W: Watched>() {
    for object in largest(W::KIND) {
        let world = World::new();
        let text = object.to_string();
        let raw: Lenient<W::Raw> = serde_json::from_str(&text).unwrap();
        let reduced = W::reduced(raw);
        let weight = weight_of(&reduced.item);
        let context = format!("{} of {} bytes, {weight} kept, {:?}", W::KIND, text.len(), reduced.why);
        assert!(weight <= OF_OURS && weight <= 2 * text.len(), "{context}");
        assert!(weight <= OF_OTHERS || weight <= reduced.item.limit(), "{context}");
        if reduced.why.is_some() {
            assert!(weight <= 8 * 1024, "only the identity is kept: {context}");
        }
        assert_eq!(reduced.item.uid(), format!("{}-pg-uid", W::KIND), "{context}");
        assert_eq!(reduced.item.resource_version(), "2", "{context}");

        let namespace = if W::KIND == "Secret" { "shop" } else { "" };
        let unusable = usize::from(reduced.why.is_some());
        let observe = |event| world.cache.observe_in::<W>(namespace, event);
        observe(Event::Apply(serde_json::from_str(&text).unwrap()));
        assert_eq!(world.unusable().len(), unusable, "it is told: {context}");
        observe(Event::Apply(
            serde_json::from_value(with(object.clone(), "/metadata/resourceVersion", json!("3"))).unwrap(),
        ));
        assert_eq!(world.unusable().len(), 0, "it is told once: {context}");
        observe(Event::Apply(serde_json::from_value(valid(W::KIND, "pg", 4)).unwrap()));
        assert!(
            world.cache.count_unusable().is_empty(),
            "a smaller one can be used: {context}"
        );
        observe(Event::Delete(
            serde_json::from_value(with(object, "/metadata/resourceVersion", json!("5"))).unwrap(),
        ));
        let objects = world.cache.write(|index| W::table_in(index, namespace).iter().count());
        assert_eq!(objects, 0, "its deletion counts: {context}");
    }
}

/// contract#bounded-objects
#[test]
fn of_the_largest_object_of_each_kind_little_is_kept() {
    stays_small::<Links>();
    stays_small::<Grants>();
    stays_small::<ReferenceGrants>();
    stays_small::<Deployments>();
    stays_small::<StatefulSets>();
    stays_small::<DaemonSets>();
    stays_small::<ReplicaSets>();
    stays_small::<Jobs>();
    stays_small::<CronJobs>();
    stays_small::<Pods>();
    stays_small::<Services>();
    stays_small::<Slices>();
    stays_small::<Policies>();
    stays_small::<ForeignSlices>();
    stays_small::<Environments>();
    stays_small::<Namespaces>();
    stays_small::<Nodes>();
    stays_small::<Secrets>();
}

/// contract#bounded-objects
#[test]
fn a_small_text_needs_no_scale() {
    let labels = (0..crate::store::scale::SMALL / 7).map(|n| (format!("{n:03x}"), json!("")));
    let object = json!({"metadata": {"name": "a", "labels": labels.collect::<Map<_, _>>()}});
    let raw: Lenient<<Namespaces as Watched>::Raw> = serde_json::from_value(object).unwrap();
    assert!(weight_of(&Namespaces::reduced(raw).item) <= OF_OTHERS);
}

/// contract#bounded-objects
#[test]
fn fields_that_are_not_kept_may_be_large() {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &to("Deployment", "pg"), 1));
    let environment = json!([{"name": "X", "value": "x".repeat(300_000)}]);
    let template = with(
        valid("Deployment", "pg", 2),
        "/spec/template/spec/containers/0/env",
        environment,
    );
    world.apply::<Deployments>(with(template, "/metadata/labels", map(300_000)));
    assert!(matches!(target_of(&snapshot(&world, "a")), TargetVerdict::Observed(_)));
    let foreign = with(valid("NetworkPolicy", "deny", 3), "/metadata/labels", json!({}));
    let blocks = list(400_000, &json!({"ipBlock": {"cidr": "10.0.0.0/8"}}));
    world.apply::<Policies>(with(foreign, "/spec/ingress/0/from", blocks));
    assert_eq!(world.cache.read(|index| index.policies.isolators_in("shop").count()), 1);
    assert_eq!(world.unusable(), []);
}

/// contract#bounded-objects
#[test]
fn a_link_to_an_object_that_is_too_large_says_why_it_has_no_endpoints_and_recovers() {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &to("Deployment", "pg"), 1));
    world.apply::<Deployments>(valid("Deployment", "pg", 2));
    world.heard();
    let large = with(
        valid("Deployment", "pg", 3),
        "/spec/selector/matchLabels",
        map(1_000_000),
    );
    world.apply::<Deployments>(large);
    assert_eq!(world.heard(), names(["a"]));
    let s = snapshot(&world, "a");
    let TargetVerdict::Unusable { message } = target_of(&s) else {
        panic!()
    };
    assert_eq!(
        message,
        "Deployment shop/pg exists, but the field spec.selector is too large: the operator would keep more than 1024 KiB of \
         this object, and it keeps at most 64 KiB of one, so nothing answers under the alias; make the field smaller, or set \
         targetInstanceRef to another target"
    );
    assert_eq!(world.cache.count_unusable(), [(("Deployment", "too_large"), 1)].into());
    world.apply::<Deployments>(valid("Deployment", "pg", 4));
    assert!(matches!(target_of(&snapshot(&world, "a")), TargetVerdict::Observed(_)));
}

/// contract#bounded-objects
#[test]
fn a_link_stays_usable_whatever_its_metadata_has() {
    let world = World::new();
    for (pointer, value) in [
        ("/metadata/labels", map(LARGEST)),
        ("/metadata/finalizers", list(LARGEST, &json!("example.com/f"))),
        (
            "/metadata/ownerReferences",
            list(
                LARGEST,
                &json!({"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}),
            ),
        ),
    ] {
        let version = 1 + world.cache.read(|index| index.links.table.iter().count() as u64);
        world.apply::<Links>(with(valid("InstanceLink", "web", version), pointer, value));
        assert!(snapshot(&world, "web").link.unusable.is_none());
    }
    assert_eq!(world.unusable(), []);
}

/// contract#bounded-objects, contract#network-policy
#[test]
fn a_pod_with_too_many_labels_may_have_those_of_any_target() {
    let world = World::new();
    world.apply::<Links>(with(
        link("a", "a", &to("Deployment", "pg"), 1),
        "/spec/networkPolicy",
        json!("Allow"),
    ));
    world.apply::<Deployments>(valid("Deployment", "pg", 2));
    let deny = with(valid("NetworkPolicy", "deny", 3), "/metadata/labels", json!({}));
    world.apply::<Policies>(with(deny, "/spec", json!({"podSelector": {}})));
    let own = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "pg", "uid": "Deployment-pg-uid", "controller": true}]);
    world.apply::<Pods>(with(valid("Pod", "pg-0", 4), "/metadata/ownerReferences", own));
    let isolation = |world: &World| {
        let s = snapshot(world, "a");
        isolation_of(&s, s.target.as_ref().unwrap())
    };
    assert!(matches!(isolation(&world), Isolation::Isolated(_)));
    world.heard();
    world.apply::<Pods>(with(valid("Pod", "other", 5), "/metadata/labels", map(LARGEST)));
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(isolation(&world), Isolation::Shared(["other".to_owned()].into()));
}

/// contract#bounded-objects
#[test]
fn a_large_secret_that_a_binding_refers_to_is_named() {
    let world = World::new();
    world.apply::<Links>(valid("InstanceLink", "web", 1));
    let (namespace, names) = (Arc::from("shop"), Arc::new([String::from("creds")].into()));
    let shown = |object: Value| {
        let events = [
            Event::Init,
            Event::InitApply(serde_json::from_value(object).unwrap()),
            Event::InitDone,
        ];
        for event in events {
            world.cache.observe_secrets(&namespace, &names, event);
        }
    };
    let foreign = |version, bytes: usize| {
        let secret = with(valid("Secret", "creds", version), "/metadata/labels", json!({}));
        with(secret, "/data", json!({"x": "QUFB".repeat(bytes / 3)}))
    };
    let referenced = || match snapshot(&world, "web").secrets {
        KnownSecrets::Known { referenced } => referenced.unwrap(),
        other => panic!("{other:?}"),
    };
    shown(foreign(2, 40_000));
    assert!(matches!(referenced(), Referenced::Entries(_)));
    shown(foreign(3, 90_000));
    let Referenced::Unusable(why) = referenced() else {
        panic!()
    };
    assert!(why.to_string().contains("the field data is too large"), "{why}");
}

/// contract#bounded-objects
#[test]
fn of_an_object_that_only_has_the_label_of_the_watch_no_more_is_kept_than_of_others() {
    let world = World::new();
    let label = json!({ "app.kubernetes.io/managed-by": "instancelink" });
    let environment = |name, version, marks| {
        let environment = with(
            valid("ConfigMap", name, version),
            "/data",
            json!({ "x": noise(100_000) }),
        );
        with(
            with(environment, "/metadata/annotations", json!({})),
            "/metadata/labels",
            marks,
        )
    };
    let slice = |name, version, marks| {
        // The same text for each endpoint would be compressed to little.
        let noise = noise(150_000);
        let text = |n: usize| noise.get(500 * n..500 * (n + 1)).unwrap_or_default();
        let endpoint =
            |n: usize| json!({ "addresses": [format!("10.0.{}.{}", n / 256, n % 256)], "hostname": text(n) });
        let endpoints: Vec<Value> = (0..300).map(endpoint).collect();
        let slice = with(valid("EndpointSlice", name, version), "/endpoints", json!(endpoints));
        with(
            with(slice, "/metadata/annotations", json!({})),
            "/metadata/labels",
            marks,
        )
    };
    world.apply::<Environments>(environment("any", 1, label.clone()));
    world.apply::<Environments>(environment("web-links", 2, label.clone()));
    world.apply::<Slices>(slice("any", 3, label));
    let mut unusable = world.unusable();
    unusable.sort_by_key(|object| object.name.to_string());
    let unusable: Vec<String> = unusable.iter().map(|object| object.name.to_string()).collect();
    assert_eq!(unusable, ["shop/any", "shop/any", "shop/web-links"]);
    let marks = json!({ "app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/source-uid": "web-uid" });
    world.apply::<Environments>(environment("web-links", 4, marks));
    assert_eq!(world.unusable(), [], "one of the operator's own");
}

/// contract#bounded-objects
#[test]
fn what_the_operator_writes_is_never_too_large() {
    // The annotation is as long as one may be; a key is in the annotation, in the data and in the managed fields.
    let (mut keys, mut all, mut data) = (Map::new(), 0, Map::new());
    for link in 0.. {
        let of_link = (0..8).map(|n| format!("ALIAS_{link}_PORT_{n}_TCP_ADDR"));
        let of_link: Vec<String> = of_link.collect();
        all += 42 + of_link.iter().map(|key| key.len() + 3).sum::<usize>();
        if all > 262_000 {
            break;
        }
        data.extend(of_link.iter().map(|key| {
            (
                key.clone(),
                json!(format!("tcp://alias-{link}.web-links.shop.svc:5432")),
            )
        }));
        keys.insert(format!("{link:08x}-{}", noise(27)), json!(of_link));
    }
    let environment = with(valid("ConfigMap", "web-links", 1), "/data", Value::Object(data));
    let environment = with(
        environment,
        "/metadata/annotations",
        json!({"instancelink.dev/link": "shop/web", "instancelink.dev/entries": Value::Object(keys).to_string()}),
    );
    let endpoint = |n: usize| {
        let noise = noise(48);
        json!({"addresses": [format!("10.1.{}.{}", n / 256, n % 256)], "conditions": {"ready": true}, "nodeName": format!("node-{}", n % 100),
            "targetRef": {"kind": "Pod", "namespace": "shop", "name": format!("pg-{}-{n}", &noise[..10]), "uid": format!("{n:010}{}", &noise[10..36])},
            "zone": format!("zone-{}", n % 3)})
    };
    let endpoints: Vec<Value> = (0..1000).map(endpoint).collect();
    let slice = with(valid("EndpointSlice", "web-v4", 1), "/endpoints", json!(endpoints));
    let selector = json!({"matchExpressions": [{"key": "app", "operator": "In",
        "values": (0..7_000).map(|n| format!("{n:05}")).collect::<Vec<_>>()}]});
    let policy = json!({"podSelector": selector, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": selector}], "ports": [{"port": 5432}]}]});
    let policy = with(valid("NetworkPolicy", "web", 1), "/spec", policy);
    let world = World::new();
    world.apply::<Environments>(environment);
    world.apply::<Slices>(slice);
    world.apply::<Policies>(policy);
    assert_eq!(world.unusable(), []);
}
