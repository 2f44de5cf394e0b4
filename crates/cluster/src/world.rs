//! For tests: the caches as their users see them. Events in, affected links out.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::InstanceLink;
use kube::runtime::watcher::Event;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::affected::Affected;
use crate::affects::Watched;
use crate::cache::{Cache, Listener, Taken, UnusableObject};
use crate::store::strip_managed_fields::Stripped;

/// Records what the caches tell.
#[derive(Default)]
struct Ear {
    heard: Mutex<Affected>,
    unusable: Mutex<Vec<UnusableObject>>,
}

impl Listener for Ear {
    fn affected(&self, affected: Affected) {
        self.heard.lock().merge(affected);
    }

    fn listed(&self, _: &'static str, _: u64) {}

    fn unusable(&self, object: UnusableObject) {
        self.unusable.lock().push(object);
    }
}

/// Caches without a watch: the test says what a watch would.
pub(crate) struct World {
    pub(crate) cache: Arc<Cache>,
    ear: Arc<Ear>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::waiting_for(&["InstanceLink"])
    }

    pub(crate) fn waiting_for(kinds: &[&'static str]) -> Self {
        let ear = Arc::new(Ear::default());
        let listener = Arc::clone(&ear) as Arc<dyn Listener>;
        Self {
            cache: Arc::new(Cache::new(kinds, listener)),
            ear,
        }
    }

    pub(crate) fn apply<W: Watched>(&self, object: Value) {
        self.cache
            .observe::<W>(Event::Apply(serde_json::from_value(object).unwrap()));
    }

    pub(crate) fn delete<W: Watched>(&self, object: Value) {
        self.cache
            .observe::<W>(Event::Delete(serde_json::from_value(object).unwrap()));
    }

    pub(crate) fn list<W: Watched>(&self, objects: Vec<Value>) -> Taken {
        self.cache.observe::<W>(Event::Init);
        for object in objects {
            self.cache
                .observe::<W>(Event::InitApply(serde_json::from_value(object).unwrap()));
        }
        self.cache.observe::<W>(Event::InitDone)
    }

    /// The names of the links that changes concerned since the last call.
    pub(crate) fn heard(&self) -> BTreeSet<String> {
        let heard = std::mem::take(&mut *self.ear.heard.lock());
        heard.links.into_keys().map(|key| key.name.to_string()).collect()
    }

    /// The names of the pods whose gates changes concerned since the last call.
    pub(crate) fn gated(&self) -> BTreeSet<String> {
        let heard = std::mem::take(&mut *self.ear.heard.lock());
        heard.gated.into_iter().map(|pod| pod.name.to_string()).collect()
    }

    /// Everything that changes concerned since the last call.
    pub(crate) fn all_heard(&self) -> Affected {
        std::mem::take(&mut *self.ear.heard.lock())
    }

    /// Whether a child came since the last call whose link is not known.
    pub(crate) fn has_orphans(&self) -> bool {
        !std::mem::take(&mut *self.ear.heard.lock()).orphans.is_empty()
    }

    /// The objects that were told to be unusable since the last call.
    pub(crate) fn unusable(&self) -> Vec<UnusableObject> {
        std::mem::take(&mut *self.ear.unusable.lock())
    }

    pub(crate) fn gone(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.ear.heard.lock());
        heard.gone.into_iter().map(|gone| gone.uid).collect()
    }
}

pub(crate) fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

pub(crate) fn meta(name: &str, version: u64) -> Value {
    json!({"namespace": "shop", "name": name, "uid": format!("{name}-uid"), "resourceVersion": version.to_string()})
}

/// A link of `web` under an alias.
pub(crate) fn link(name: &str, alias: &str, target: &Value, version: u64) -> Value {
    json!({
        "apiVersion": "instancelink.dev/v1alpha1",
        "kind": "InstanceLink",
        "metadata": meta(name, version),
        "spec": {
            "linkName": alias,
            "instanceRef": {"kind": "Deployment", "name": "web"},
            "targetInstanceRef": target,
        },
    })
}

pub(crate) fn to(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name})
}

pub(crate) fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(key.to_owned(), value);
    object
}

pub(crate) fn typed(object: Value) -> Stripped<InstanceLink> {
    serde_json::from_value(object).unwrap()
}
