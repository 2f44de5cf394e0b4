//! What is missing between a plan and what stands: writes, and what is in their way. One list answers three questions:
//! which writes are next, whether there are none, and what to tell the user.

use instancelink_api::condition::Reason;

use super::binding::{self, Wanted};
use super::naming::Names;
use super::ownership::{Claim, claim_of, is_another_links, is_own, own_slices};
use super::prune::prune;
use super::slices::is_under_virtual_ip;
use super::writes::{Body, child_of, create, delete, key_of, mend, replace};
use super::{Plan, environment, policy, virtual_ip};
use crate::child::{ChildSpec, Key, Observed, Policy};
use crate::effect::Effect;
use crate::refusal::{HELD_BACK, Refusal};
use crate::snapshot::Snapshot;

/// Groups of writes in their order; those of one group are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// The directory, the environment, the virtual IP, the policy and the binding. No slice comes before its Service is ours: it would join a
    /// stranger's traffic.
    Services,
    /// Slices under the virtual IP that are new or other than they should be: before the alias leads to it.
    Behind,
    /// The same under the directory.
    Slices,
    /// What is not in the plan: after the new slices, so that the alias never empties.
    Leftovers,
}

/// One difference between the plan and what stands.
#[derive(Debug)]
enum Difference {
    Write(Stage, Effect),
    /// No write of ours mends it.
    Blocked(Key, Refusal),
}

/// The next group of independent writes toward the plan. Empty when all is confirmed, or when what is left is in the
/// way of strangers or was refused in this pass.
pub fn bring_up(s: &Snapshot, plan: &Plan<'_>) -> Vec<Effect> {
    let due: Vec<(Stage, Effect)> = differences(s, plan)
        .into_iter()
        .filter_map(|difference| match difference {
            Difference::Write(stage, effect) => Some((stage, effect)),
            Difference::Blocked(..) => None,
        })
        .filter(|(_, effect)| refusal_of(s, effect).is_none())
        .collect();
    let next = due.iter().map(|(stage, _)| *stage).min();
    due.into_iter()
        .filter(|(stage, _)| Some(*stage) == next)
        .map(|(_, effect)| effect)
        .collect()
}

/// True where all of the plan stands, exactly equal, and nothing else of the link does. What `forbidden` names is not in
/// the plan.
pub fn is_up(s: &Snapshot, plan: &Plan<'_>) -> bool {
    differences(s, plan).is_empty()
}

/// What is in the plan's way: refusals of this pass, strangers on a child's name, waits of ours (`Pending`), and what the
/// spec asks for and the operator may not write.
pub fn problems(s: &Snapshot, plan: &Plan<'_>) -> Vec<Refusal> {
    let in_the_way = differences(s, plan)
        .into_iter()
        .filter_map(|difference| match difference {
            Difference::Write(_, effect) => told(s, &child_of(&effect)?),
            // The executor may have said the same of a creation that failed.
            Difference::Blocked(key, refusal) => Some(told(s, &key).unwrap_or(refusal)),
        });
    in_the_way.chain(plan.forbidden.iter().cloned()).collect()
}

fn refusal_of<'a>(s: &'a Snapshot, effect: &Effect) -> Option<&'a Refusal> {
    s.refusals.get(&child_of(effect)?)
}

/// A refusal of this pass, with what to do about it.
fn told(s: &Snapshot, key: &Key) -> Option<Refusal> {
    let refusal = s.refusals.get(key)?;
    Some(Refusal {
        reason: refusal.reason,
        message: refusal.told(key, &s.account),
    })
}

fn differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    differences.extend(shared_difference(s, &s.children.directories, &plan.directory));
    differences.extend(environment_differences(s, plan));
    differences.extend(virtual_ip_differences(s, plan));
    differences.extend(policy_differences(s, plan));
    differences.extend(binding_differences(s, plan));
    let directory = &plan.directory;
    match claim_of(s, &s.children.directories, &directory.namespace, &directory.name) {
        Claim::Free => {}
        Claim::AnotherSources | Claim::Strangers => {
            differences.extend(retreat(s).map(|e| Difference::Write(Stage::Services, e)))
        }
        Claim::Ours(_) => differences.extend(alias_differences(s, plan)),
    }
    differences
}

/// The slices of this link go at once where the directory is not ours any more: they would answer under its new owner's
/// name.
pub(super) fn retreat(s: &Snapshot) -> impl Iterator<Item = Effect> {
    own_slices(s).filter(|found| !found.terminating).map(delete)
}

/// A shared object that shall stand.
fn shared_difference<T: Body>(s: &Snapshot, all: &[Observed<T>], wanted: &ChildSpec<T>) -> Option<Difference> {
    let key = key_of(wanted);
    match claim_of(s, all, &wanted.namespace, &wanted.name) {
        Claim::Ours(found) if found.terminating => Some(held(&key)),
        // What is right as it stands may be what is wanted.
        Claim::Ours(found) if std::ptr::eq(&raw const found.object, wanted) || found.object == *wanted => None,
        Claim::Free | Claim::Ours(_) if !source_lives(s) => Some(pending(
            &key,
            "is not written while the source is missing or being deleted, because the source owns it",
        )),
        Claim::Ours(found) => Some(Difference::Write(Stage::Services, mend(found, wanted))),
        Claim::Free => Some(creation(s, Stage::Services, wanted)),
        Claim::AnotherSources => Some(pending(
            &key,
            "belongs to an earlier source, or to a source of another kind with the same name; the operator creates it again \
             when the garbage collector has deleted it with that source",
        )),
        Claim::Strangers => Some(taken(key)),
    }
}

fn environment_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let environments = &s.children.environments;
    let key = (&plan.directory.namespace, &plan.directory.name);
    let own = match plan.environment.get() {
        Some(wanted) => shared_difference(s, environments, wanted),
        None => match claim_of(s, environments, key.0, key.1) {
            Claim::Ours(found) if found.terminating => Some(held(&key_of(&found.object))),
            Claim::Ours(found) => Some(Difference::Write(Stage::Services, delete(found))),
            Claim::Free | Claim::AnotherSources | Claim::Strangers => None,
        },
    };
    let strays = environments
        .iter()
        .filter(|found| (&found.object.namespace, &found.object.name) != key && !found.terminating)
        .filter(|found| environment::mentions(s, found))
        .map(|found| Difference::Write(Stage::Leftovers, leave(s, found)));
    own.into_iter().chain(strays).collect()
}

/// Takes this link's entry out of an environment; the last one takes the environment along.
pub(super) fn leave(s: &Snapshot, found: &Observed<crate::child::Environment>) -> Effect {
    environment::without_link(s, found).map_or_else(|| delete(found), |rest| replace(found, rest))
}

/// The slices. While its virtual IP is missing the alias leads where it led, but not to pods that are gone.
fn alias_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let is_missing = plan
        .virtual_ip
        .as_ref()
        .is_some_and(|wanted| wanted.body.addresses.is_empty());
    if is_missing {
        let shrinking = prune(s).into_iter();
        shrinking
            .map(|effect| Difference::Write(Stage::Slices, effect))
            .collect()
    } else {
        slice_differences(s, plan)
    }
}

fn virtual_ip_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    match &plan.virtual_ip {
        Some(wanted) => own_difference(s, Stage::Services, &s.children.virtual_ips, wanted)
            .into_iter()
            .collect(),
        None => virtual_ip::own(s)
            .filter(|found| !found.terminating)
            .map(|found| Difference::Write(Stage::Leftovers, delete(found)))
            .collect(),
    }
}

/// What no consent covers any more goes before anything else; what another target had, after the slices have left it.
fn policy_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let wanted = plan.policy.as_ref();
    let difference = wanted.and_then(|wanted| own_difference(s, Stage::Services, &s.children.policies, wanted));
    let is_wanted = |found: &Observed<Policy>| wanted.is_some_and(|w| key_of(w) == key_of(&found.object));
    let leftovers = policy::own(s)
        .filter(|found| !is_wanted(found) && !found.terminating)
        .map(|found| {
            let consented = !policy::unconsented(s).any(|other| other.uid == found.uid);
            let stage = if consented { Stage::Leftovers } else { Stage::Services };
            Difference::Write(stage, delete(found))
        });
    difference.into_iter().chain(leftovers).collect()
}

fn binding_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    match &plan.binding {
        Wanted::Secret(wanted) => own_difference(s, Stage::Services, &s.children.bindings, wanted)
            .into_iter()
            .collect(),
        Wanted::Later(refusal) => vec![Difference::Blocked(binding::key_of(&Names::of(s)), refusal.clone())],
        Wanted::Nothing => binding::own(s)
            .filter(|found| !found.terminating)
            .map(|found| Difference::Write(Stage::Leftovers, delete(found)))
            .collect(),
    }
}

fn slice_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let wanted = plan.slices.iter().filter_map(|wanted| {
        let stage = if is_under_virtual_ip(wanted) {
            Stage::Behind
        } else {
            Stage::Slices
        };
        own_difference(s, stage, &s.children.slices, wanted)
    });
    let leftovers = own_slices(s)
        .filter(|found| !plan.slices.iter().any(|wanted| key_of(wanted) == key_of(&found.object)))
        .map(|found| {
            if found.terminating {
                held(&key_of(&found.object))
            } else {
                Difference::Write(Stage::Leftovers, delete(found))
            }
        });
    wanted.chain(leftovers).collect()
}

/// A child of the link alone that shall stand.
fn own_difference<T: Body>(
    s: &Snapshot,
    stage: Stage,
    all: &[Observed<T>],
    wanted: &ChildSpec<T>,
) -> Option<Difference> {
    let key = key_of(wanted);
    let Some(found) = all.iter().find(|found| key_of(&found.object) == key) else {
        return Some(creation(s, stage, wanted));
    };
    if !is_own(s, found) {
        return Some(if is_another_links(found) {
            pending(
                &key,
                "is left over from a deleted link of the same name; the operator deletes it soon and then goes on",
            )
        } else {
            taken(key)
        });
    }
    if found.terminating {
        Some(held(&key))
    } else if found.object == *wanted {
        None
    } else {
        Some(Difference::Write(stage, mend(found, wanted)))
    }
}

/// Nothing can be created in a namespace that is being deleted, and to try is refused as if a right were missing.
fn creation<T: Body>(s: &Snapshot, stage: Stage, wanted: &ChildSpec<T>) -> Difference {
    if s.namespace.terminating {
        pending(
            &key_of(wanted),
            "cannot be created, because its namespace is being deleted",
        )
    } else {
        Difference::Write(stage, create(wanted))
    }
}

fn source_lives(s: &Snapshot) -> bool {
    s.source.as_ref().is_some_and(|source| !source.terminating)
}

fn held(key: &Key) -> Difference {
    pending(key, &format!("{}; the operator then creates it again", HELD_BACK))
}

fn pending(key: &Key, why: &str) -> Difference {
    let refusal = Refusal {
        reason: Reason::Pending,
        message: format!("{key} {why}"),
    };
    Difference::Blocked(key.clone(), refusal)
}

fn taken(key: Key) -> Difference {
    let refusal = Refusal::name_taken(&key);
    Difference::Blocked(key, refusal)
}

#[cfg(test)]
mod tests;
