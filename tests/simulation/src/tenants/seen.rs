//! What B sees: at each look the objects in its namespace, and at the end the states of its links, the writes to its
//! objects and its events, without what differs from run to run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::{EVENTS, LEASES, LINKS, NAMESPACES};
use instancelink_testkit::api::store::Store;
use serde_json::Value;
use tokio::time::Instant;

use super::guests::is_guest;
use super::meter::Times;
use super::places::B;
use super::text::scrubbed;
use crate::history::plain;
use crate::operator::NAME;

/// What a wait may take longer than twice the quiet one: the times are short, and a turn of another link may be between.
const SLACK: Duration = Duration::from_millis(300);
/// Requests that may be added to twice the quiet ones.
const MORE: u64 = 4;
/// Requests about other namespaces for each write of A, with all repetitions until the end.
const EACH: u64 = 40;

/// What B saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    looks: Vec<Look>,
    states: BTreeMap<String, Vec<String>>,
    /// Creations and deletions, by object.
    writes: BTreeMap<String, u32>,
    events: BTreeSet<String>,
    /// Requests about other namespaces.
    others: u64,
    /// The version and the time of the last look.
    last: Option<(u64, Instant)>,
}

#[derive(Debug)]
struct Look {
    name: &'static str,
    objects: BTreeMap<String, String>,
    /// The requests about the namespace so far.
    requests: u64,
    /// The time from the deed before this look to the last write of the operator to an object of B.
    took: Duration,
}

impl Seen {
    /// Called before a deed of B, and at the end.
    pub(super) fn look(&mut self, api: &Api, name: &'static str, requests: u64, times: &Times) {
        let store = api.store();
        let mut objects = BTreeMap::new();
        for (key, object) in store.all() {
            let is_own = key.namespace == B || (*key.resource == NAMESPACES && key.name == B);
            if is_own && *key.resource != EVENTS && *key.resource != LEASES && !is_guest(&store, key, object) {
                let name = scrubbed(&format!("{} {}", key.resource.plural, key.name));
                let mut object = plain(object);
                // A number from the UID.
                if let Some(status) = object["status"].as_object_mut() {
                    status.remove("id");
                }
                objects.insert(name, scrubbed(&object.to_string()));
            }
        }
        let took = self.took(&store, times);
        self.last = Some((store.version(), Instant::now()));
        self.looks.push(Look {
            name,
            objects,
            requests,
            took,
        });
    }

    /// The time from the deed after the last look to the last write of the operator to an object of B.
    fn took(&self, store: &Store, times: &Times) -> Duration {
        let Some((version, deed)) = self.last else {
            return Duration::ZERO;
        };
        let changes = store.changes_after(version).iter().rev();
        let mut theirs = changes.filter(|change| {
            let counts = change.key.namespace == B && *change.key.resource != EVENTS;
            counts && change.by.starts_with(NAME) && !is_guest(store, &change.key, &change.after)
        });
        let last = theirs.next().and_then(|change| times.of(change.version));
        last.map_or(Duration::ZERO, |last| last.saturating_duration_since(deed))
    }

    /// Called at the end.
    pub(super) fn end(&mut self, api: &Api, others: u64) {
        let store = api.store();
        self.others = others;
        for change in store.changes_after(0).iter().filter(|change| change.key.namespace == B) {
            if *change.key.resource == EVENTS {
                self.events.insert(event(&change.after));
            } else if *change.key.resource == LINKS {
                let state = change.after["status"]["state"].as_str().unwrap_or_default();
                let states = self.states.entry(change.key.name.clone()).or_default();
                if states.last().map(String::as_str) != Some(state) {
                    states.push(state.to_owned());
                }
            } else if (change.before.is_none() || change.deleted) && !is_guest(&store, &change.key, &change.after) {
                let verb = if change.deleted { "deleted" } else { "created" };
                let key = &change.key;
                let what = scrubbed(&format!("{} {} {verb}", key.resource.plural, key.name));
                *self.writes.entry(what).or_default() += 1;
            }
        }
    }
}

fn event(event: &Value) -> String {
    let of = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let line = format!(
        "{} {} {} {}: {}",
        of("/regarding/kind"),
        of("/regarding/name"),
        of("/type"),
        of("/reason"),
        of("/note")
    );
    scrubbed(&line)
}

/// What is not the same as without A, after `writes` writes of A.
pub(super) fn differences(quiet: &Seen, seen: &Seen, writes: usize) -> Vec<String> {
    let looks = quiet.looks.iter().zip(&seen.looks);
    // What is different at a look is mostly different at those after it.
    let mut wrong = looks
        .map(|(quiet, look)| look.differences(quiet))
        .find(|wrong| !wrong.is_empty())
        .unwrap_or_default();
    wrong.extend(unequal("the states", &quiet.states, &seen.states));
    wrong.extend(unequal("the writes", &quiet.writes, &seen.writes));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    for event in only(&seen.events, &quiet.events) {
        wrong.push(format!("an event only with A: {event}"));
    }
    for event in only(&quiet.events, &seen.events) {
        wrong.push(format!("an event only without A: {event}"));
    }
    let most = quiet.others * 2 + EACH * writes as u64;
    if seen.others > most {
        wrong.push(format!("{} requests about others, for {writes} writes", seen.others));
    }
    wrong
}

impl Look {
    fn differences(&self, quiet: &Self) -> Vec<String> {
        let name = self.name;
        let mut wrong = unequal(name, &quiet.objects, &self.objects);
        if self.took > quiet.took * 2 + SLACK {
            wrong.push(format!(
                "{name}: it took {:?}, and {:?} without A",
                self.took, quiet.took
            ));
        }
        if self.requests > quiet.requests * 2 + MORE {
            let (more, usual) = (self.requests, quiet.requests);
            wrong.push(format!("{name}: {more} requests, and {usual} without A"));
        }
        wrong
    }
}

fn unequal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    quiet: &BTreeMap<String, T>,
    seen: &BTreeMap<String, T>,
) -> Vec<String> {
    let names: BTreeSet<&String> = quiet.keys().chain(seen.keys()).collect();
    let unequal = names.into_iter().filter(|name| quiet.get(*name) != seen.get(*name));
    unequal
        .map(|name| match (seen.get(name), quiet.get(name)) {
            (Some(with), Some(without)) => {
                let (with, without) = part(&format!("{with:?}"), &format!("{without:?}"));
                format!("{what}: {name}: {with}, and without A {without}")
            }
            (None, _) => format!("{what}: {name} is missing"),
            (_, None) => format!("{what}: {name} is there only with A"),
        })
        .collect()
}

/// The part of two texts around their first difference.
fn part(with: &str, without: &str) -> (String, String) {
    let same = with.chars().zip(without.chars()).take_while(|(a, b)| a == b).count();
    let cut = |text: &str| {
        text.chars()
            .skip(same.saturating_sub(40))
            .take(160)
            .collect::<String>()
            .replace('\\', "")
    };
    (cut(with), cut(without))
}
