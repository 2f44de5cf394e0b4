//! A snapshot has only the siblings that matter. Each decision is the same as with all of them.

use instancelink_core::lifecycle;
use instancelink_core::snapshot::Sibling;
use serde_json::{Value, json};

use super::*;
use crate::affects::*;
use crate::index::link_keys::source_key;
use crate::world::*;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(all.len() as u64)).unwrap_or_default();
        all[index]
    }
}

const STATES: [&str; 9] = [
    "requested",
    "registering",
    "activating",
    "active",
    "active",
    "deactivating",
    "inactive",
    "removed",
    "purged",
];

fn some_link(dice: &mut Dice, number: u64) -> Value {
    let name = format!("l{number}");
    let alias = if dice.one_in(3) {
        "db".to_owned()
    } else {
        format!("alias-{number}")
    };
    let kind = if dice.one_in(8) { "StatefulSet" } else { "Deployment" };
    let object = link(&name, &alias, &to("Deployment", "pg"), 100 + number);
    let object = with(object, "/spec/instanceRef", to(kind, "web"));
    let object = with(
        object,
        "/metadata/creationTimestamp",
        json!(format!("2026-01-01T00:00:{:02}Z", dice.below(60))),
    );
    let object = with(object, "/metadata/finalizers", json!(["instancelink.dev/lifecycle"]));
    let outputs = json!({"environment": dice.of(&["Docker", "None"])});
    let object = if dice.one_in(2) {
        with(object, "/spec/outputs", outputs)
    } else {
        object
    };
    let object = if dice.one_in(3) {
        let labels = json!({"team": dice.of(&["a", "b"]), dice.of(&["cost", "owner"]): "x"});
        with(object, "/spec/infrastructure", json!({"labels": labels}))
    } else {
        object
    };
    let object = if dice.one_in(6) {
        with(object, "/metadata/deletionTimestamp", json!("2026-01-02T00:00:00Z"))
    } else {
        object
    };
    with(object, "/status", json!({"state": dice.of(&STATES)}))
}

fn child(name: &str, version: u64, labels: &Value, annotations: &Value) -> Value {
    let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "web-uid"}]);
    json!({"metadata": {
        "namespace": "shop", "name": name, "uid": format!("{name}-uid"), "resourceVersion": version.to_string(),
        "labels": labels, "annotations": annotations, "ownerReferences": owner,
    }})
}

fn workload(name: &str, version: u64) -> Value {
    json!({"metadata": meta(name, version), "spec": {"selector": {"matchLabels": {"app": name}}}})
}

/// A source with more links than a search among all of them is made for, or fewer.
fn some_world(dice: &mut Dice) -> (World, u64) {
    let world = World::new();
    let links = if dice.one_in(4) { 40 } else { 2 + dice.below(6) };
    world.apply::<Deployments>(workload("web", 1));
    world.apply::<Deployments>(workload("pg", 2));
    if dice.one_in(2) {
        world.apply::<StatefulSets>(workload("web", 3));
    }
    let mut entries = serde_json::Map::new();
    for number in 0..links {
        world.apply::<Links>(some_link(dice, number));
        let labels = json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": format!("l{number}-uid")});
        if dice.one_in(3) {
            let slice = child(&format!("l{number}-v4"), 1000 + number, &labels, &json!({}));
            let slice = with(slice, "/addressType", json!("IPv4"));
            world.apply::<Slices>(with(slice, "/endpoints", json!([])));
        }
        if dice.one_in(4) {
            entries.insert(format!("l{number}-uid"), json!(["DB_HOST"]));
        }
    }
    let labels = json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/source-uid": "web-uid"});
    let named = format!("shop/l{}", dice.below(links + 1));
    let annotations =
        json!({"instancelink.dev/link": named, "instancelink.dev/entries": Value::Object(entries).to_string()});
    if dice.one_in(2) {
        let directory = child("web-links", 2000, &labels, &annotations);
        world.apply::<Services>(with(directory, "/spec", json!({"clusterIP": "None"})));
    }
    if dice.one_in(2) {
        let environment = child("web-links", 2001, &labels, &annotations);
        world.apply::<Environments>(with(environment, "/data", json!({"DB_HOST": "db"})));
    }
    (world, links)
}

fn with_all_siblings(index: &Index, key: &LinkKey, some: &Snapshot) -> Snapshot {
    let others = index
        .links
        .by_source
        .get(&source_key(&some.link.object))
        .filter(|other| *other != key);
    let siblings = others.map(|other| Sibling {
        object: index.links.table.get(other).unwrap().peek(),
        has_children: index.count_claims(&other.namespace, &index.links.table.get(other).unwrap().uid) > 0,
    });
    Snapshot {
        siblings: siblings.collect(),
        ..some.clone()
    }
}

#[test]
fn a_decision_with_the_siblings_that_matter_is_the_one_with_all_siblings() {
    let mut dice = Dice(1);
    let (mut all, mut some, mut acted) = (0, 0, 0);
    for _ in 0..250 {
        let (world, links) = some_world(&mut dice);
        for number in 0..links {
            let key = LinkKey::new("shop", &format!("l{number}"));
            let now = "2026-01-03T00:00:00Z".parse().unwrap();
            let (seen, full) = world.cache.read(|index| {
                let seen = observe(index, &key, now, "cluster.local", &[]).unwrap();
                let full = with_all_siblings(index, &key, &seen);
                (seen, full)
            });
            let step = lifecycle::step(&seen);
            assert_eq!(step, lifecycle::step(&full), "{key}: {:#?}", full.siblings);
            acted += usize::from(matches!(step, instancelink_core::effect::Step::Act(_)));
            (some, all) = (some + seen.siblings.len(), all + full.siblings.len());
        }
    }
    assert!(acted > 1000, "{acted}");
    assert!(some * 2 < all, "{some} of {all} siblings");
}
