//! What kube-controller-manager does for the objects: dependents of owners that are gone are deleted, and namespaces that
//! go are emptied.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Api;
use super::object::Meta as _;
use super::resource::NAMESPACES;
use super::store::{Key, Store};
use super::write::{self, Writer};

/// The client that its writes are by.
pub const NAME: &str = "kube-controller-manager";

/// Collects a while after each change. Never returns.
pub async fn run(api: Arc<Api>, pause: Duration) {
    let mut changes = api.changes();
    loop {
        tokio::time::sleep(pause).await;
        changes.borrow_and_update();
        let collected = api.change(|store, now| collect(store, Writer { by: NAME, now }));
        if !collected && changes.changed().await.is_err() {
            return;
        }
    }
}

/// One round; whether something was done.
fn collect(store: &mut Store, writer: Writer<'_>) -> bool {
    let orphans = orphans(store);
    let leaving = leaving(store);
    let empty = empty(store);
    let mut done = false;
    for key in orphans.into_iter().chain(leaving) {
        done |= write::delete(store, &key, &json!({"gracePeriodSeconds": 0}), writer).is_ok();
    }
    for key in empty {
        done |= store.remove(&key, writer.by).is_some();
    }
    done
}

/// Objects whose owners are all gone.
fn orphans(store: &Store) -> Vec<Key> {
    let living: BTreeSet<&str> = store.all().map(|(_, object)| object.meta("uid")).collect();
    let is_orphan = |object: &Value| {
        let owners = object.owners();
        !owners.is_empty() && !object.is_going() && !owners.iter().any(|uid| living.contains(uid))
    };
    let orphans = store.all().filter(|(_, object)| is_orphan(object));
    orphans.map(|(key, _)| key.clone()).collect()
}

fn going_namespaces(store: &Store) -> BTreeSet<String> {
    let going = store.of(&NAMESPACES).filter(|namespace| namespace.is_going());
    going.map(|namespace| namespace.meta("name").to_owned()).collect()
}

/// Objects in namespaces that go.
fn leaving(store: &Store) -> Vec<Key> {
    let going = going_namespaces(store);
    let leaving = store
        .all()
        .filter(|(key, object)| going.contains(&key.namespace) && !object.is_going());
    leaving.map(|(key, _)| key.clone()).collect()
}

/// Namespaces that go and have nothing left.
fn empty(store: &Store) -> Vec<Key> {
    let mut going = going_namespaces(store);
    for (key, _) in store.all() {
        going.remove(&key.namespace);
    }
    let key = |name| Key {
        resource: &NAMESPACES,
        namespace: String::new(),
        name,
    };
    going.into_iter().map(key).collect()
}
