//! The drain: the alias stops resolving, while open connections continue for some time.

use std::collections::BTreeMap;

use instancelink_api::keys;
use jiff::{SignedDuration, Timestamp};

use super::dispute::resists;
use super::ownership::own_slices;
use super::removal::PendingRemoval;
use super::slices::is_under_virtual_ip;
use super::writes::{delete, key_of, replace};
use crate::child::{ChildSpec, Observed, Slice};
use crate::effect::Effect;
use crate::refusal::joined;
use crate::snapshot::Snapshot;

/// The next step of a drain.
pub(super) enum Drain {
    /// Writes that stop the alias.
    Act(Vec<Effect>),
    /// The alias has stopped, and the time runs.
    Running {
        /// When the alias stopped.
        from: Timestamp,
        /// When the drain ends.
        until: Timestamp,
    },
    /// A write was refused, or a finalizer holds a slice. The text says what is missing.
    Waiting(String),
    /// There is nothing to drain, or the time is over.
    Over,
}

/// The next step of a drain that takes this many seconds (lifecycle#drain).
pub(super) fn drain(s: &Snapshot, seconds: i64) -> Drain {
    if s.namespace.terminating {
        return Drain::Over;
    }
    let slices: Vec<&Observed<Slice>> = own_slices(s).filter(|found| !found.terminating).collect();
    if slices.is_empty() {
        return Drain::Over;
    }
    // A start in the future comes from a wrong clock or another writer, and would hold the link: it is ignored.
    let from = slices
        .iter()
        .filter_map(|found| drain_start(found))
        .filter(|t| *t <= s.now)
        .min()
        .unwrap_or(s.now);
    let until = from
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX);
    if until <= s.now {
        return Drain::Over;
    }
    let removals: Vec<PendingRemoval> = slices
        .into_iter()
        .map(|found| (found, draining(found, from)))
        .filter(|(found, draining)| found.object != *draining)
        .map(|(found, draining)| {
            // A slice that does not stop answering does not wait for the end of the drain.
            let is_deleted = resists(s, &key_of(&found.object));
            let effect = if is_deleted {
                delete(found)
            } else {
                replace(found, draining)
            };
            PendingRemoval::new(found, effect)
        })
        .collect();
    let mut waits = BTreeMap::new();
    let due: Vec<Effect> = removals.iter().filter_map(|one| one.due(s, &mut waits)).collect();
    if !due.is_empty() {
        Drain::Act(due)
    } else if waits.is_empty() {
        Drain::Running { from, until }
    } else {
        Drain::Waiting(joined(waits.into_values()))
    }
}

fn drain_start(found: &Observed<Slice>) -> Option<Timestamp> {
    found.object.annotations.get(keys::DRAIN_FROM)?.parse().ok()
}

/// The slice during the drain: DNS no longer returns its endpoints. Those that were ready become terminating; the others
/// have no connections to keep and are removed. A slice under a virtual IP loses all endpoints: kube-proxy would use
/// terminating ones if none is ready, and open connections continue without the slice.
fn draining(found: &Observed<Slice>, from: Timestamp) -> ChildSpec<Slice> {
    let mut object = found.object.clone();
    object.annotations.insert(keys::DRAIN_FROM.to_owned(), from.to_string());
    let is_named = !is_under_virtual_ip(&object);
    object
        .body
        .endpoints
        .retain(|endpoint| is_named && (endpoint.answers() || (endpoint.serving && endpoint.terminating)));
    for endpoint in &mut object.body.endpoints {
        endpoint.ready = false;
        endpoint.serving = true;
        endpoint.terminating = true;
    }
    object
}
