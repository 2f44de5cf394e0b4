//! Removes a link's children: first the alias stops resolving, then, after the drain, everything is deleted in a fixed order.

use std::collections::BTreeMap;

use instancelink_api::{State, keys};
use jiff::Timestamp;

use super::binding;
use super::drain::{Drain, drain};
use super::environment;
use super::naming::{Names, representative};
use super::ownership::{is_of_another_source, is_shared, own_slices};
use super::removal::PendingRemoval;
use super::writes::{AT_ONCE, delete};
use super::{policy, virtual_ip};
use crate::child::{ChildKind, Directory, Environment, Observed, Policy};
use crate::effect::Effect;
use crate::marks::{is_named_after, sources_in};
use crate::refusal::joined;
use crate::snapshot::{Secrets, Sibling, Snapshot};

/// The next step of taking a link down.
#[derive(Clone, Debug, PartialEq)]
pub enum Teardown {
    /// Writes that are due.
    Act(Vec<Effect>),
    /// The alias resolves to no address. The rest is removed after the drain.
    Draining {
        /// The start of the drain.
        from: Timestamp,
        /// The end of the drain.
        until: Timestamp,
    },
    /// A deletion was refused, or a finalizer holds a child. The text says what is missing.
    Waiting(String),
    /// No child of the link is left, and no shared child that no link needs.
    Done,
}

/// The next step of taking a link down without a drain.
#[derive(Clone, Debug, PartialEq)]
pub enum TeardownNow {
    /// Writes that are due.
    Act(Vec<Effect>),
    /// A deletion was refused, or a finalizer holds a child. The text says what is missing.
    Waiting(String),
    /// No child of the link is left, and no shared child that no link needs.
    Done,
}

impl From<TeardownNow> for Teardown {
    fn from(now: TeardownNow) -> Self {
        match now {
            TeardownNow::Act(effects) => Self::Act(effects),
            TeardownNow::Waiting(message) => Self::Waiting(message),
            TeardownNow::Done => Self::Done,
        }
    }
}

/// True if the link has slices, a policy, a Secret, or an entry in any environment. Children that are being deleted count.
pub fn has_children(s: &Snapshot) -> bool {
    own_slices(s).next().is_some()
        || policy::own(s).next().is_some()
        || environment::with_entry(s).next().is_some()
        || binding::own(s).next().is_some()
}

/// The next step in taking the link down. `seconds` is the time between the alias' end and the removal of the rest; none
/// for no drain.
pub fn take_down(s: &Snapshot, seconds: Option<i64>) -> Teardown {
    // A policy does not stay until the end of the drain if it reaches more than the target's pods.
    let withdrawn = policies(policy::overreaching(s));
    let withdrawn: Vec<Effect> = withdrawn
        .iter()
        .filter_map(|one| one.due(s, &mut BTreeMap::new()))
        .collect();
    if !withdrawn.is_empty() {
        return Teardown::Act(withdrawn);
    }
    match seconds.filter(|seconds| *seconds > 0).map(|seconds| drain(s, seconds)) {
        Some(Drain::Act(effects)) => Teardown::Act(effects),
        Some(Drain::Running { from, until }) => Teardown::Draining { from, until },
        Some(Drain::Waiting(message)) => Teardown::Waiting(message),
        Some(Drain::Over) | None => teardown_now(s).into(),
    }
}

/// The next step in taking the link down without a drain.
pub fn teardown_now(s: &Snapshot) -> TeardownNow {
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
        let removals = group(s);
        let mut due: Vec<Effect> = removals.iter().filter_map(|one| one.due(s, &mut waits)).collect();
        due.truncate(AT_ONCE);
        if !due.is_empty() {
            return TeardownNow::Act(due);
        }
    }
    if let Some(refusal) = binding::unconfirmed(s).filter(|_| waits.is_empty()) {
        return TeardownNow::Waiting(refusal.message);
    }
    if waits.is_empty() {
        TeardownNow::Done
    } else {
        TeardownNow::Waiting(joined(waits.into_values()))
    }
}

fn slices(s: &Snapshot) -> Vec<PendingRemoval> {
    own_slices(s)
        .map(|found| PendingRemoval::new(found, delete(found)))
        .collect()
}

fn policies<'a>(policies: impl Iterator<Item = &'a Observed<Policy>>) -> Vec<PendingRemoval> {
    policies
        .map(|found| PendingRemoval::new(found, delete(found)))
        .collect()
}

fn environments(s: &Snapshot) -> Vec<PendingRemoval> {
    environment::with_entry(s)
        .map(|found| PendingRemoval::new(found, environment::remove_entry(s, found)))
        .collect()
}

fn bindings(s: &Snapshot) -> Vec<PendingRemoval> {
    // A namespace that is being deleted takes its Secrets along, and the operator's right to them with it.
    if s.namespace.terminating && matches!(s.secrets, Secrets::Forbidden) {
        return Vec::new();
    }
    binding::own(s)
        .map(|found| PendingRemoval::new(found, delete(found)))
        .collect()
}

fn virtual_ips(s: &Snapshot) -> Vec<PendingRemoval> {
    if virtual_ip::is_kept(s) {
        return Vec::new();
    }
    virtual_ip::own(s)
        .map(|found| PendingRemoval::new(found, delete(found)))
        .collect()
}

/// The shared children that no link needs any more (lifecycle#shared-children-go-last): the directory, and an environment
/// without entries. They are kept while this link has other children.
fn shared(s: &Snapshot) -> Vec<PendingRemoval> {
    if has_children(s) {
        return Vec::new();
    }
    let directories = s
        .children
        .directories
        .iter()
        .filter(|found| belongs_to_source(s, found) && !is_needed(s, found));
    let environments = s
        .children
        .environments
        .iter()
        .filter(|found| belongs_to_source(s, found) && is_empty(found));
    directories
        .map(|found| PendingRemoval::new(found, delete(found)))
        .chain(environments.map(|found| PendingRemoval::new(found, delete(found))))
        .collect()
}

/// True if a sibling needs this directory. If the directory's label names the current source, only siblings of this source
/// count. Otherwise the kind of its source is unknown, and any link with this instance name counts.
fn is_needed(s: &Snapshot, found: &Observed<Directory>) -> bool {
    let own = &s.link.object.spec.instance_ref;
    let is_current = found.label(keys::SOURCE_UID) == s.source.as_ref().map(|source| source.uid.as_str());
    s.siblings.iter().any(|sibling| {
        let other = &sibling.object.spec.instance_ref;
        other.name == own.name && (other.is_of_the_kind_of(own) || !is_current) && has_or_gets_children(sibling)
    })
}

/// A link in `deactivating` needs the directory only for the children that it still has. If the state alone were enough,
/// two links that are taken down at the same time would each leave the directory to the other.
fn has_or_gets_children(sibling: &Sibling) -> bool {
    let gets = match sibling.object.state() {
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
    sibling.has_children || gets
}

/// True for a shared child of this link's source, or of a deleted source with its name.
fn belongs_to_source<T: ChildKind>(s: &Snapshot, found: &Observed<T>) -> bool {
    let names = Names::of(s);
    let is_beside = found.object.namespace == names.namespace;
    let has_name = is_named_after(found, names.instance) || found.object.name == names.directory;
    is_beside && has_name && is_shared(s, found) && !is_of_another_source(s, found) && is_of_this_kind(s, found)
}

/// True if the child's source has the kind of this link's source. A name that is derived from a UID does not tell this once
/// the source is deleted; the annotations do.
fn is_of_this_kind<T>(s: &Snapshot, found: &Observed<T>) -> bool {
    let instance = &s.link.object.spec.instance_ref;
    let names = Names::of(s);
    let is_current = found.label(keys::SOURCE_UID) == Some(names.source_uid);
    let names_source = sources_in(found).any(|source| source == (instance.kind.as_str(), instance.name.as_str()));
    let names_this_link = found.object.annotations.get(keys::LINK) == Some(&representative(s, &names, Some(found)));
    is_current || names_source || names_this_link || found.object.name == format!("{}-links", instance.name)
}

fn is_empty(found: &Observed<Environment>) -> bool {
    found.object.entries().is_empty()
}

#[cfg(test)]
mod tests;
