//! Lists and events of every kind in which one object is strange: no other object is lost, the deletion of the strange one
//! counts, and each object that cannot be read is told.

use std::sync::Arc;

use instancelink_core::lifecycle::step;
use instancelink_core::snapshot::Unusable;
use kube::Resource as _;
use kube::core::{ObjectList, WatchEvent};

use super::strange::{Random, strange, valid};
use super::*;
use crate::observe;
use crate::store::lenient::Lenient;
use crate::store::table::Item as _;

const ROUNDS: u64 = 40;
/// The strange one is `pg`, which is also the target of each link. `odd` has no identity that counts.
const NAMES: [&str; 4] = ["web", "pg", "other", "odd"];

/// One kind in the caches of one world.
struct Ingest<'a> {
    world: &'a World,
    seed: u64,
}

impl Ingest<'_> {
    fn check<W: Watched>(&self, random: &mut Random) {
        let (world, seed) = (self.world, self.seed);
        let context = format!("{} with seed {seed}", W::KIND);
        let is_strange = [false, true, false, true];
        let texts = NAMES.iter().zip(is_strange).map(|(name, is_strange)| {
            let object = valid(W::KIND, name, 10);
            if is_strange {
                strange(&object, *name != "odd", random)
            } else {
                object.to_string()
            }
        });
        let texts: Vec<String> = texts.collect();
        let list = format!(
            "{{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{{\"resourceVersion\":\"11\"}},\"items\":[{}]}}",
            texts.join(",")
        );
        let list: ObjectList<Lenient<W::Raw>> =
            serde_json::from_str(&list).unwrap_or_else(|e| panic!("{context}: {e}"));
        let unreadable = list
            .items
            .iter()
            .filter(|item| why_of::<W>(item).is_some() || item.meta().name.as_deref().unwrap_or_default().is_empty())
            .count();
        let why = why_of::<W>(&list.items[1]);
        world.unusable();
        observe_all::<W>(world, list.items);
        let told = world.unusable();
        assert_eq!(told.len(), unreadable, "{context}: {told:?}");
        assert_eq!(
            told.iter().any(|object| &*object.name.name == "pg"),
            why.is_some(),
            "{context}"
        );
        self.all_are_known::<W>(&context);

        let why = self.changes::<W>(
            "MODIFIED",
            &strange(&valid(W::KIND, "pg", 12), true, random),
            why.as_deref(),
            &context,
        );
        self.all_are_known::<W>(&context);
        let snapshot_takes_it = |key: &ObjectName| {
            world.cache.read(|index| {
                let snapshot = observe(index, key, jiff::Timestamp::UNIX_EPOCH, "cluster.local", &[])?;
                Some(step(&snapshot))
            })
        };
        for name in NAMES {
            snapshot_takes_it(&ObjectName::new("shop", name));
        }

        let why = self.changes::<W>(
            "MODIFIED",
            &valid(W::KIND, "pg", 13).to_string(),
            why.as_deref(),
            &context,
        );
        assert_eq!(why, None, "{context}");
        self.changes::<W>(
            "MODIFIED",
            &strange(&valid(W::KIND, "pg", 14), true, random),
            why.as_deref(),
            &context,
        );
        let deleted = strange(&valid(W::KIND, "pg", 15), true, random);
        self.changes::<W>("DELETED", &deleted, None, &context);
        assert_eq!(
            uid_of::<W>(world, "pg"),
            None,
            "{context}: its deletion counts: {deleted}"
        );
        assert_eq!(
            uid_of::<W>(world, "other"),
            Some(format!("{}-other-uid", W::KIND)),
            "{context}"
        );
        let counted = world.cache.count_unusable();
        let of_kind: usize = counted
            .iter()
            .filter(|((kind, _), _)| *kind == W::KIND)
            .map(|(_, count)| count)
            .sum();
        assert!(of_kind <= 1, "{context}: {counted:?}");
    }

    fn all_are_known<W: Watched>(&self, context: &str) {
        for name in ["web", "pg", "other"] {
            let uid = uid_of::<W>(self.world, name);
            assert_eq!(uid, Some(format!("{}-{name}-uid", W::KIND)), "{context}: {name}");
        }
    }

    /// An event of the strange object. It is told if it cannot be read, and that is new.
    fn changes<W: Watched>(
        &self,
        event: &str,
        text: &str,
        before: Option<&Unusable>,
        context: &str,
    ) -> Option<Box<Unusable>> {
        let line = format!("{{\"type\":\"{event}\",\"object\":{text}}}");
        let event =
            serde_json::from_str::<WatchEvent<Lenient<W::Raw>>>(&line).unwrap_or_else(|e| panic!("{context}: {e}"));
        self.world.unusable();
        let why = match event {
            WatchEvent::Modified(object) => {
                let why = why_of::<W>(&object);
                take::<W>(self.world, Event::Apply(object));
                why
            }
            WatchEvent::Deleted(object) => {
                take::<W>(self.world, Event::Delete(object));
                None
            }
            _ => panic!("{context}: another event"),
        };
        let told = self.world.unusable();
        let is_new = why.is_some() && why.as_deref() != before;
        assert_eq!(told.len(), usize::from(is_new), "{context}: {told:?}");
        why
    }
}

fn why_of<W: Watched>(object: &Lenient<W::Raw>) -> Option<Box<Unusable>> {
    W::reduced(object.clone()).why
}

fn observe_all<W: Watched>(world: &World, objects: Vec<Lenient<W::Raw>>) {
    take::<W>(world, Event::Init);
    for object in objects {
        take::<W>(world, Event::InitApply(object));
    }
    take::<W>(world, Event::InitDone);
}

fn take<W: Watched>(world: &World, event: Event<Lenient<W::Raw>>) {
    let namespace = if W::KIND == Secrets::KIND { "shop" } else { "" };
    world.cache.observe_in::<W>(namespace, event);
}

fn uid_of<W: Watched>(world: &World, name: &str) -> Option<String> {
    let namespace = if matches!(W::KIND, "Namespace" | "Node") {
        ""
    } else {
        "shop"
    };
    let name = ObjectName::new(namespace, name);
    world.cache.write(|index| {
        let object: Option<&Arc<W::Item>> = W::table_in(index, namespace).get(&name);
        object.map(|object| object.uid().to_owned())
    })
}

/// contract#unusable-objects
#[test]
fn no_object_hides_another_whatever_it_looks_like_and_none_is_unread_in_silence() {
    for seed in 0..ROUNDS {
        let world = &World::new();
        let ingest = Ingest { world, seed };
        let random = &mut Random(seed);
        ingest.check::<Links>(random);
        ingest.check::<Grants>(random);
        ingest.check::<ReferenceGrants>(random);
        ingest.check::<Deployments>(random);
        ingest.check::<StatefulSets>(random);
        ingest.check::<DaemonSets>(random);
        ingest.check::<ReplicaSets>(random);
        ingest.check::<Jobs>(random);
        ingest.check::<CronJobs>(random);
        ingest.check::<Pods>(random);
        ingest.check::<Services>(random);
        ingest.check::<Slices>(random);
        ingest.check::<Policies>(random);
        ingest.check::<ForeignSlices>(random);
        ingest.check::<Environments>(random);
        ingest.check::<Namespaces>(random);
        ingest.check::<Nodes>(random);
        ingest.check::<Secrets>(random);
    }
}
