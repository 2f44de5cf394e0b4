//! What others add to the objects of a link stays when the operator changes these objects for another reason: every kind of
//! child.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::BTreeSet;
use std::time::Duration;

use instancelink_simulation::altered::{KINDS, Town};
use instancelink_simulation::operator::NAME;
use instancelink_simulation::run::paused;
use instancelink_simulation::script::{Deed, edit, merge};
use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::resource::{CONFIG_MAPS, LINKS, Resource, SECRETS, SERVICES};
use instancelink_testkit::api::store::Key;
use serde_json::{Value, json};
use tokio::time::sleep;

const SETTLED: Duration = Duration::from_secs(80);

/// What others add to an object of this kind.
fn additions(kind: &Resource) -> Value {
    let mut all = json!({"metadata": {
        "labels": {"team": "shop", "instancelink.dev/team": "shop"},
        "annotations": {"example.com/note": "x"},
    }});
    // The others are deleted, and would wait.
    if *kind == CONFIG_MAPS || *kind == SERVICES {
        all["metadata"]["finalizers"] = json!(["example.com/keep"]);
    }
    if *kind == CONFIG_MAPS || *kind == SECRETS {
        all["data"] = json!({"THEIRS": "eA=="});
    }
    if *kind == CONFIG_MAPS {
        all["binaryData"] = json!({"bytes": "eA=="});
    }
    all
}

/// True if all of one value is in the other one.
fn is_in(part: &Value, whole: &Value) -> bool {
    match part {
        Value::Object(part) => part.iter().all(|(name, part)| is_in(part, &whole[name])),
        _ => part == whole,
    }
}

fn deeds() -> Vec<(&'static str, Deed)> {
    vec![
        ("a pod leaves", Deed::Ready("pg-1-0", "10.0.0.11", false)),
        ("other ports", edit("db", "{ports: [{name: other, port: 5433}]}")),
        (
            "labels of the link",
            edit("db", "{infrastructure: {labels: {cost: a}}}"),
        ),
        ("no labels of the link", edit("db", "{infrastructure: null}")),
        (
            "another target",
            edit("db", "{targetInstanceRef: {kind: Deployment, name: pg-2}}"),
        ),
        ("a cut", Deed::Act("db", "deactivate/1")),
        ("an activation", Deed::Act("db", "activate/2")),
        ("no sibling", Deed::Delete(&LINKS, "shop", "cache")),
    ]
}

struct Added<'a> {
    town: &'a Town,
    /// The objects that others added to, with their UIDs.
    objects: Vec<(Key, String)>,
}

impl<'a> Added<'a> {
    fn to_all(town: &'a Town) -> Self {
        let keys = town.children();
        for key in &keys {
            assert!(merge(&town.api, key, None, &additions(key.resource), "kubectl-edit"));
        }
        let uid = |key: &Key| town.api.store().get(key).unwrap().meta("uid").to_owned();
        let objects = keys.iter().map(|key| (key.clone(), uid(key))).collect();
        Self { town, objects }
    }

    /// Each object that exists still has what was added.
    fn stay(&self, after: &str) {
        let store = self.town.api.store();
        for (key, uid) in &self.objects {
            let Some(found) = store.get(key).filter(|found| found.meta("uid") == uid) else {
                continue;
            };
            let what = additions(key.resource);
            assert!(is_in(&what, found), "after {after}: {found} lacks {what}");
        }
    }

    /// The kinds of these objects that the operator has changed since a version.
    fn changed_since(&self, version: u64) -> BTreeSet<&'static str> {
        let store = self.town.api.store();
        let changes = store.changes_after(version).iter();
        let ours = changes.filter(|change| change.by.starts_with(NAME) && change.before.is_some() && !change.deleted);
        ours.filter(|change| self.objects.iter().any(|(key, _)| *key == change.key))
            .map(|change| change.key.resource.plural)
            .collect()
    }
}

/// contract#additions
#[test]
fn what_others_add_to_the_objects_of_a_link_stays_through_each_later_write() {
    paused().block_on(async {
        let town = Town::new();
        town.create_sibling();
        town.create_link();
        sleep(SETTLED).await;
        let added = Added::to_all(&town);
        let before = town.version();
        sleep(SETTLED).await;
        assert_eq!(town.writes_since(before), [""; 0], "additions cost no write");
        for (what, deed) in deeds() {
            deed.act(&town.api);
            sleep(SETTLED).await;
            added.stay(what);
        }
        let expected: BTreeSet<&str> = KINDS.iter().map(|kind| kind.plural).collect();
        assert_eq!(added.changed_since(before), expected, "each kind was changed");
        let violations = town.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    });
}
