//! The caches as their users see them: events in, affected links out.

mod children;
mod echoes;
mod gates;
mod gateway;
mod grants;
mod links;
mod namesakes;
mod pods;
mod policies;
mod scaled;
mod secrets;

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::InstanceLink;
use kube::runtime::watcher::Event;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::index::Watched;
use super::{Affected, Cache, Listener, Wire};

/// Remembers which links it was told of.
#[derive(Default)]
struct Ear {
    heard: Mutex<Affected>,
}

impl Listener for Ear {
    fn affected(&self, affected: Affected) {
        self.heard.lock().merge(affected);
    }

    fn listed(&self, _: &'static str, _: u64) {}
}

/// Caches in which nothing is watched, but everything can be said.
struct World {
    cache: Arc<Cache>,
    ear: Arc<Ear>,
}

impl World {
    fn new() -> Self {
        Self::waiting_for(&["InstanceLink"])
    }

    fn waiting_for(kinds: &[&'static str]) -> Self {
        let ear = Arc::new(Ear::default());
        let listener = Arc::clone(&ear) as Arc<dyn Listener>;
        Self {
            cache: Arc::new(Cache::new(kinds, listener)),
            ear,
        }
    }

    fn apply<W: Watched>(&self, object: Value) {
        self.cache
            .observe::<W>(Event::Apply(serde_json::from_value(object).unwrap()));
    }

    fn delete<W: Watched>(&self, object: Value) {
        self.cache
            .observe::<W>(Event::Delete(serde_json::from_value(object).unwrap()));
    }

    fn list<W: Watched>(&self, objects: Vec<Value>) {
        self.cache.observe::<W>(Event::Init);
        for object in objects {
            self.cache
                .observe::<W>(Event::InitApply(serde_json::from_value(object).unwrap()));
        }
        self.cache.observe::<W>(Event::InitDone);
    }

    /// The names of the links told of since the last time.
    fn heard(&self) -> BTreeSet<String> {
        let heard = std::mem::take(&mut *self.ear.heard.lock());
        heard.links.into_keys().map(|key| key.name.to_string()).collect()
    }

    /// The names of the pods whose gates are to be looked at, since the last time.
    fn gated(&self) -> BTreeSet<String> {
        let heard = std::mem::take(&mut *self.ear.heard.lock());
        heard.gated.into_iter().map(|pod| pod.name.to_string()).collect()
    }

    /// Whether a child came since the last time whose link nobody knows.
    fn has_strays(&self) -> bool {
        std::mem::take(&mut *self.ear.heard.lock()).strays
    }

    fn gone(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.ear.heard.lock());
        heard.gone.into_iter().map(|gone| gone.uid).collect()
    }
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

fn meta(name: &str, version: u64) -> Value {
    json!({"namespace": "shop", "name": name, "uid": format!("{name}-uid"), "resourceVersion": version.to_string()})
}

/// A link of `web` under an alias.
fn link(name: &str, alias: &str, target: &Value, version: u64) -> Value {
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

fn to(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name})
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(key.to_owned(), value);
    object
}

fn typed(object: Value) -> Wire<InstanceLink> {
    serde_json::from_value(object).unwrap()
}
