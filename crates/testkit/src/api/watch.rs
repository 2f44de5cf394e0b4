//! A watch: which events a client gets, in which order, from which version on.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::call::Call;
use super::failure::Failure;
use super::list::{objects_at, selector_of, version};
use super::object::Meta as _;
use super::resource::Resource;
use super::selector::Selector;
use super::store::{Change, Store};

/// What a watch has told, and what it will tell next.
#[derive(Debug)]
pub struct Watch {
    /// The kind.
    pub resource: &'static Resource,
    selector: Selector,
    /// Changes up to this version were told, or are no matter of this watch.
    pub told: u64,
    /// Events that are due before any change.
    first: VecDeque<Value>,
}

/// What a replica of the API server knows: everything, or what had happened up to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replica {
    /// Everything.
    Fresh,
    /// Nothing newer than this, for a list or a watch that does not insist.
    Behind(u64),
}

impl Watch {
    /// Begins a watch.
    pub fn begin(store: &Store, call: &Call, replica: Replica) -> Result<Self, Failure> {
        let selector = selector_of(call)?;
        let newest = store.version();
        let asked = version(call).map_err(|why| Failure::new(500, "", why))?.unwrap_or(0);
        let matching = call.query("resourceVersionMatch");
        if call.query("sendInitialEvents") == "true" && matching != "NotOlderThan" {
            let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return Err(Failure::list_options("resourceVersionMatch", why));
        }
        if call.query("sendInitialEvents").is_empty() && !matching.is_empty() {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            return Err(Failure::list_options("resourceVersionMatch", why));
        }
        let (from, first) = if call.query("sendInitialEvents") == "true" {
            // "0" is any version, and one that is asked for is the least.
            let at = match (replica, call.query("resourceVersion")) {
                (Replica::Behind(version), "0") => version.min(newest),
                _ => newest,
            };
            (at, initial(store, call.resource, &selector, at))
        } else if asked == 0 {
            let events = objects_at(store, call.resource, &selector, newest);
            (newest, events.into_iter().map(|o| event("ADDED", &o)).collect())
        } else if asked < store.oldest() {
            // The answer is a stream all the same, whose first event and last says so.
            (store.version(), VecDeque::from([gone(asked, store.oldest())]))
        } else {
            (asked, VecDeque::new())
        };
        Ok(Self {
            resource: call.resource,
            selector,
            told: from,
            first,
        })
    }

    /// The next event that is due, if there is one.
    pub fn next(&mut self, store: &Store) -> Option<Value> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        if self.told < store.oldest() {
            let event = gone(self.told, store.oldest());
            self.told = store.version();
            return Some(event);
        }
        for change in store.changes_after(self.told) {
            self.told = change.version;
            if change.key.resource == self.resource
                && let Some(event) = self.seen(change)
            {
                return Some(event);
            }
        }
        None
    }

    /// A sign of life, with the version up to which all was told.
    pub fn bookmark(&self) -> Value {
        bookmark(self.resource, self.told, false)
    }

    /// A change as this watch sees it: an object that begins or ceases to match comes or goes.
    fn seen(&self, change: &Change) -> Option<Value> {
        let before = change.before.as_ref().is_some_and(|o| self.selector.matches(o));
        let after = !change.deleted && self.selector.matches(&change.after);
        match (before, after) {
            (false, false) => None,
            (false, true) => Some(event("ADDED", &change.after)),
            (true, true) => Some(event("MODIFIED", &change.after)),
            (true, false) => Some(event("DELETED", &left(change))),
        }
    }
}

/// What is told of an object that this watch sees no more: as it last saw it, with the version of what happened.
fn left(change: &Change) -> Value {
    let mut left = change
        .before
        .as_ref()
        .map_or(Value::Null, |before| Value::clone(before));
    left.metadata()
        .insert("resourceVersion".to_owned(), change.version.to_string().into());
    left
}

fn initial(store: &Store, resource: &'static Resource, selector: &Selector, version: u64) -> VecDeque<Value> {
    let objects = objects_at(store, resource, selector, version);
    let mut events: VecDeque<Value> = objects.iter().map(|o| event("ADDED", o)).collect();
    events.push_back(bookmark(resource, version, true));
    events
}

/// The last event of a watch that asks for what is forgotten.
fn gone(from: u64, oldest: u64) -> Value {
    event("ERROR", &Failure::expired(from, oldest).body())
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

fn bookmark(resource: &Resource, version: u64, ends_initial: bool) -> Value {
    let mut metadata = json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
    if ends_initial {
        metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    let object = json!({"kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata});
    event("BOOKMARK", &object)
}
