//! Takes a link's data plane away: the names stop first, then, after the drain, slices, environment, Secret, directory
//! go.

use std::collections::BTreeMap;

use instancelink_api::{State, keys};
use jiff::{SignedDuration, Timestamp};

use super::binding;
use super::diff::leave;
use super::environment;
use super::naming::{Names, representative};
use super::ownership::{is_another_sources, is_shared_of_ours, own_slices};
use super::slices::is_under_virtual_ip;
use super::writes::{Body, delete, key_of, replace};
use super::{Cleared, Teardown};
use super::{policy, virtual_ip};
use crate::child::{ChildSpec, Directory, Environment, Key, Observed, Policy, Slice};
use crate::effect::Effect;
use crate::refusal::{HELD_BACK, joined};
use crate::resolve::directory_name;
use crate::snapshot::{Secrets, Sibling, Snapshot};

/// True where slices, a policy or a Secret of this link stand, or entries of it in any environment; those being deleted
/// count.
pub fn has_children(s: &Snapshot) -> bool {
    own_slices(s).next().is_some()
        || policy::own(s).next().is_some()
        || environment::mentioning(s).next().is_some()
        || binding::own(s).next().is_some()
}

/// The next step in taking the link down. `drain` is the time in seconds between the names' end and everything else's;
/// none where nothing is to be waited for.
pub fn take_down(s: &Snapshot, drain: Option<i64>) -> Teardown {
    if let Some(draining) = drain
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| drain_for(s, seconds))
    {
        return draining;
    }
    teardown_now(s).into()
}

/// The next step in taking the link down at once.
pub fn teardown_now(s: &Snapshot) -> Cleared {
    let mut waits = BTreeMap::new();
    // Policies without consent go first: lifecycle#lost-consent-skips-drain.
    let groups: [fn(&Snapshot) -> Vec<PendingRemoval>; 7] = [
        |s| policies(policy::unconsented(s)),
        slices,
        |s| policies(policy::own(s)),
        environments,
        bindings,
        virtual_ips,
        shared,
    ];
    for group in groups {
        let going = group(s);
        let due: Vec<Effect> = going.iter().filter_map(|going| going.due(s, &mut waits)).collect();
        if !due.is_empty() {
            return Cleared::Act(due);
        }
    }
    if let Some(doubt) = binding::doubt(s).filter(|_| waits.is_empty()) {
        return Cleared::Waiting(doubt.message);
    }
    if waits.is_empty() {
        Cleared::Done
    } else {
        Cleared::Waiting(told(waits))
    }
}

/// A child that has to go, or to lose this link's part.
struct PendingRemoval {
    key: Key,
    terminating: bool,
    effect: Effect,
}

impl PendingRemoval {
    fn new<T: Body>(found: &Observed<T>, effect: Effect) -> Self {
        Self {
            key: key_of(&found.object),
            terminating: found.terminating,
            effect,
        }
    }

    /// The write that is due, or, noted down, what it waits for.
    fn due(&self, s: &Snapshot, waits: &mut BTreeMap<Key, String>) -> Option<Effect> {
        let key = &self.key;
        let wait = if let Some(refusal) = s.refusals.get(key) {
            refusal.told(key, &s.account)
        } else if self.terminating {
            format!("{key} {}", HELD_BACK)
        } else {
            return Some(self.effect.clone());
        };
        waits.insert(key.clone(), wait);
        None
    }
}

fn slices(s: &Snapshot) -> Vec<PendingRemoval> {
    own_slices(s)
        .map(|found| PendingRemoval::new(found, delete(found)))
        .collect()
}

fn policies<'a>(going: impl Iterator<Item = &'a Observed<Policy>>) -> Vec<PendingRemoval> {
    going.map(|found| PendingRemoval::new(found, delete(found))).collect()
}

fn environments(s: &Snapshot) -> Vec<PendingRemoval> {
    environment::mentioning(s)
        .map(|found| PendingRemoval::new(found, leave(s, found)))
        .collect()
}

fn bindings(s: &Snapshot) -> Vec<PendingRemoval> {
    // A namespace that is going takes them along, and the right to do it goes with it.
    if s.namespace.terminating && matches!(s.secrets, Secrets::Forbidden) {
        return Vec::new();
    }
    binding::own(s)
        .map(|found| PendingRemoval::new(found, delete(found)))
        .collect()
}

fn virtual_ips(s: &Snapshot) -> Vec<PendingRemoval> {
    if virtual_ip::stays(s) {
        return Vec::new();
    }
    virtual_ip::own(s)
        .map(|found| PendingRemoval::new(found, delete(found)))
        .collect()
}

/// What the links of the source share goes with the last one that needs it: the directory, and an environment without
/// entries. Not while something of this link still stands.
fn shared(s: &Snapshot) -> Vec<PendingRemoval> {
    if has_children(s) {
        return Vec::new();
    }
    let directories = s
        .children
        .directories
        .iter()
        .filter(|found| is_this_sources(s, found) && !is_needed(s, found));
    let environments = s
        .children
        .environments
        .iter()
        .filter(|found| is_this_sources(s, found) && is_empty(found));
    directories
        .map(|found| PendingRemoval::new(found, delete(found)))
        .chain(environments.map(|found| PendingRemoval::new(found, delete(found))))
        .collect()
}

/// True where a sibling needs this directory: one of the same source, or, where the label names another one than this
/// link's source, any link of that instance name. Which kind of source had it cannot be told any more then.
fn is_needed(s: &Snapshot, found: &Observed<Directory>) -> bool {
    let own = &s.link.object.spec.instance_ref;
    let is_current = found.label(keys::SOURCE_UID) == s.source.as_ref().map(|source| source.uid.as_str());
    s.siblings.iter().any(|sibling| {
        let other = &sibling.object.spec.instance_ref;
        other.name == own.name && (other.is_of_the_kind_of(own) || !is_current) && has_or_wants_children(sibling)
    })
}

/// A link that is deactivating needs the directory for the children it still has, and for nothing else: were it enough
/// to be deactivating, two links going down at the same time would each leave the directory to the other.
fn has_or_wants_children(sibling: &Sibling) -> bool {
    let wants = match sibling.object.state() {
        State::Activating | State::Active | State::UpdatingActive => true,
        State::Requested
        | State::Registering
        | State::Deactivating
        | State::Inactive
        | State::UpdatingInactive
        | State::Removing
        | State::Removed
        | State::Restoring
        | State::Purging
        | State::Purged => false,
    };
    sibling.has_children || wants
}

/// Ours, of this source or of a dead one of its name.
fn is_this_sources<T>(s: &Snapshot, found: &Observed<T>) -> bool {
    let instance = &s.link.object.spec.instance_ref;
    let source_uid = found.label(keys::SOURCE_UID).unwrap_or_default();
    let named_so = directory_name(&instance.name, source_uid) == found.object.name;
    named_so && is_shared_of_ours(found) && !is_another_sources(s, found) && is_of_the_family(s, found)
}

/// A name made from a UID does not say whose it is once the UID is dead; the owner reference does, or the link it names.
fn is_of_the_family<T>(s: &Snapshot, found: &Observed<T>) -> bool {
    let instance = &s.link.object.spec.instance_ref;
    let names = Names::of(s);
    let is_current = found.label(keys::SOURCE_UID) == Some(names.source_uid);
    let is_owned = found
        .object
        .owners
        .iter()
        .any(|o| o.kind == instance.kind && o.name == instance.name);
    let says_so = found.object.annotations.get(keys::LINK) == Some(&representative(s, &names, Some(found)));
    is_current || is_owned || says_so || found.object.name == format!("{}-links", instance.name)
}

fn is_empty(found: &Observed<Environment>) -> bool {
    found.object.entries().is_empty()
}

/// Stops the names and waits; none where no slice stands any more, or the time is over.
fn drain_for(s: &Snapshot, seconds: i64) -> Option<Teardown> {
    if s.namespace.terminating {
        return None;
    }
    let standing: Vec<&Observed<Slice>> = own_slices(s).filter(|found| !found.terminating).collect();
    if standing.is_empty() {
        return None;
    }
    // A time in the future was written by nobody's clock of ours, and would hold the link.
    let from = standing
        .iter()
        .filter_map(|found| stopped_at(found))
        .filter(|t| *t <= s.now)
        .min()
        .unwrap_or(s.now);
    let until = from
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX);
    if until <= s.now {
        return None;
    }
    let stops: Vec<PendingRemoval> = standing
        .into_iter()
        .map(|found| (found, stopped(found, from)))
        .filter(|(found, stopped)| found.object != *stopped)
        .map(|(found, stopped)| PendingRemoval::new(found, replace(found, stopped)))
        .collect();
    let mut waits = BTreeMap::new();
    let due: Vec<Effect> = stops.iter().filter_map(|going| going.due(s, &mut waits)).collect();
    Some(if !due.is_empty() {
        Teardown::Act(due)
    } else if waits.is_empty() {
        Teardown::Draining { from, until }
    } else {
        Teardown::Waiting(told(waits))
    })
}

fn told(waits: BTreeMap<Key, String>) -> String {
    joined(waits.into_values())
}

fn stopped_at(found: &Observed<Slice>) -> Option<Timestamp> {
    found.object.annotations.get(keys::DRAIN_FROM)?.parse().ok()
}

/// The slice with no name left in DNS: what was ready is on its way out, and what was not has no connections to keep.
/// Under a virtual IP nothing is left: kube-proxy goes on using what is on its way out where nothing is ready, and open
/// connections live on without their slice.
fn stopped(found: &Observed<Slice>, from: Timestamp) -> ChildSpec<Slice> {
    let mut object = found.object.clone();
    object.annotations.insert(keys::DRAIN_FROM.to_owned(), from.to_string());
    let is_named = !is_under_virtual_ip(&object);
    object
        .body
        .endpoints
        .retain(|endpoint| is_named && (endpoint.ready || (endpoint.serving && endpoint.terminating)));
    for endpoint in &mut object.body.endpoints {
        endpoint.ready = false;
        endpoint.serving = true;
        endpoint.terminating = true;
    }
    object
}

#[cfg(test)]
mod tests;
