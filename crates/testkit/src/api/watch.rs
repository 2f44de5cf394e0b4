//! A watch of the double: it sends a client the events after a version, in order.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::call::Call;
use super::failure::Failure;
use super::list::{objects_at, selector_of, version};
use super::object::Meta as _;
use super::resource::Resource;
use super::selector::Selector;
use super::store::{Change, Store};

/// The state of a watch.
#[derive(Debug)]
pub struct Watch {
    /// The kind.
    pub resource: &'static Resource,
    selector: Selector,
    /// The watch has handled all changes up to this version: it sent them, or it does not select them.
    pub seen_up_to: u64,
    /// Events to send before any change.
    first: VecDeque<Value>,
}

/// How current a replica of the API server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replica {
    /// It has the newest version.
    Fresh,
    /// It answers with this version if the client accepts any version.
    Behind(u64),
}

impl Watch {
    /// Starts a watch.
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
            // "0" accepts any version; any other number is the minimum.
            let at = match (replica, call.query("resourceVersion")) {
                (Replica::Behind(version), "0") => version.min(newest),
                _ => newest,
            };
            (at, initial(store, call.resource, &selector, at))
        } else if asked == 0 {
            let events = objects_at(store, call.resource, &selector, newest);
            (newest, events.into_iter().map(|o| event("ADDED", &o)).collect())
        } else if asked < store.oldest() {
            // The answer is a stream whose only event is the error.
            (store.version(), VecDeque::from([gone(asked, store.oldest())]))
        } else {
            (asked, VecDeque::new())
        };
        Ok(Self {
            resource: call.resource,
            selector,
            seen_up_to: from,
            first,
        })
    }

    /// The next event, if there is one.
    pub fn next(&mut self, store: &Store) -> Option<Value> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        if self.seen_up_to < store.oldest() {
            let event = gone(self.seen_up_to, store.oldest());
            self.seen_up_to = store.version();
            return Some(event);
        }
        for change in store.changes_after(self.seen_up_to) {
            self.seen_up_to = change.version;
            if change.key.resource == self.resource
                && let Some(event) = self.event_of(change)
            {
                return Some(event);
            }
        }
        None
    }

    /// A bookmark with the last version that the watch has handled.
    pub fn bookmark(&self) -> Value {
        bookmark(self.resource, self.seen_up_to, false)
    }

    /// The event for a change. An object that starts to match is ADDED; one that stops matching is DELETED.
    fn event_of(&self, change: &Change) -> Option<Value> {
        let before = change.before.as_ref().is_some_and(|o| self.selector.matches(o));
        let after = !change.deleted && self.selector.matches(&change.after);
        match (before, after) {
            (false, false) => None,
            (false, true) => Some(event("ADDED", &change.after)),
            (true, true) => Some(event("MODIFIED", &change.after)),
            (true, false) => Some(event("DELETED", &last_selected(change))),
        }
    }
}

/// The object of a DELETED event: its last selected state, with the version of the change.
fn last_selected(change: &Change) -> Value {
    let mut object = change
        .before
        .as_ref()
        .map_or(Value::Null, |before| Value::clone(before));
    object
        .metadata()
        .insert("resourceVersion".to_owned(), change.version.to_string().into());
    object
}

/// The events before any change: each object that is selected, and a bookmark that ends them.
fn initial(store: &Store, resource: &'static Resource, selector: &Selector, version: u64) -> VecDeque<Value> {
    let objects = objects_at(store, resource, selector, version);
    let mut events: VecDeque<Value> = objects.iter().map(|o| event("ADDED", o)).collect();
    events.push_back(bookmark(resource, version, true));
    events
}

/// The error for a watch from a version that the API server no longer has.
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
