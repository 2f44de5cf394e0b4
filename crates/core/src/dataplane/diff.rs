//! The differences between a plan and the observed children: writes, and what prevents them. One list answers three
//! questions: which writes are next, whether the link is up, and which problems to report.

use instancelink_api::condition::Reason;

use super::binding::{self, DesiredBinding};
use super::dispute::{disputed, one_slow, refusal};
use super::held::is_overdue;
use super::naming::Names;
use super::ownership::{Ownership, delete_own_slices, is_of_another_link, is_own, own_slices, ownership_of};
use super::plan::Plan;
use super::prune::prune;
use super::slices::is_under_virtual_ip;
use super::writes::{AT_ONCE, Body, child_of, create, delete, key_of, repair};
use super::{environment, policy, virtual_ip};
use crate::child::{ChildSpec, Key, Kind, Observed, Policy};
use crate::effect::Effect;
use crate::refusal::{Refusal, held_back};
use crate::snapshot::Snapshot;

/// The order of the writes. Writes of one stage are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// The directory, the environment, the virtual IP, the policy and the binding. A slice is not written before its Service
    /// is the operator's own: it would receive traffic of a foreign Service (contract#directory-before-slices).
    Services,
    /// Slices under the virtual IP, before the alias leads to it.
    VirtualIpSlices,
    /// Slices under the directory.
    DirectorySlices,
    /// Children that are not in the plan: after the new slices, so that the alias always has endpoints.
    Prune,
}

/// One difference between the plan and the observed children.
#[derive(Debug)]
enum Difference {
    Write(Stage, Effect),
    /// The operator cannot write the child now.
    Blocked(Key, Refusal),
}

/// The next group of independent writes toward the plan. It is empty when everything is confirmed, or when the rest is
/// blocked or was refused in this pass.
pub fn bring_up(s: &Snapshot, plan: &Plan<'_>) -> Vec<Effect> {
    let due: Vec<(Stage, Effect)> = differences(s, plan)
        .into_iter()
        .filter_map(|difference| match difference {
            Difference::Write(stage, effect) => Some((stage, effect)),
            Difference::Blocked(..) => None,
        })
        .filter(|(_, effect)| refusal(s, effect).is_none())
        .collect();
    let next = due.iter().map(|(stage, _)| *stage).min();
    let group = due.into_iter().filter(|(stage, _)| Some(*stage) == next);
    let mut group = one_slow(s, group.map(|(_, effect)| effect).collect());
    group.truncate(AT_ONCE);
    group
}

/// True if every child of the plan exists exactly as desired, and the link has no other children. What `forbidden` names is
/// not in the plan.
pub fn is_up(s: &Snapshot, plan: &Plan<'_>) -> bool {
    differences(s, plan).is_empty()
}

/// The problems that prevent the plan: refusals of this pass, foreign objects with a child's name, waits (`Pending`), and
/// what the spec asks for but the operator may not write, or what does not fit.
pub fn problems(s: &Snapshot, plan: &Plan<'_>) -> Vec<Refusal> {
    let problems = differences(s, plan)
        .into_iter()
        .filter_map(|difference| match difference {
            Difference::Write(_, effect) => Some(with_advice(s, &child_of(&effect)?, &refusal(s, &effect)?)),
            // The executor may have a more exact refusal of the same child.
            Difference::Blocked(key, refusal) => {
                let exact = s.refusals.get(&key).map(|exact| with_advice(s, &key, exact));
                Some(exact.unwrap_or(refusal))
            }
        });
    let beside = plan.forbidden.iter().cloned().chain(plan.too_large());
    let problems: Vec<Refusal> = problems.chain(beside).collect();
    let disputed = disputed(s).into_iter().filter(|one| !problems.contains(one)).collect();
    [problems, disputed].concat()
}

/// A refusal, with what to do about it.
fn with_advice(s: &Snapshot, key: &Key, refusal: &Refusal) -> Refusal {
    Refusal {
        reason: refusal.reason,
        message: refusal.message_for(key, &s.account),
    }
}

fn differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    differences.extend(shared_difference(s, &s.children.directories, &plan.directory));
    differences.extend(environment_differences(s, plan));
    differences.extend(virtual_ip_differences(s, plan));
    differences.extend(policy_differences(s, plan));
    differences.extend(binding_differences(s, plan));
    let directory = &plan.directory;
    match ownership_of(s, &s.children.directories, &directory.namespace, &directory.name) {
        Ownership::Free => {}
        Ownership::OtherSource | Ownership::Foreign => {
            differences.extend(delete_own_slices(s).map(|e| Difference::Write(Stage::Services, e)));
        }
        Ownership::Own(_) => differences.extend(alias_differences(s, plan)),
    }
    differences
}

/// The difference of a shared child.
fn shared_difference<T: Body>(s: &Snapshot, all: &[Observed<T>], desired: &ChildSpec<T>) -> Option<Difference> {
    let key = key_of(desired);
    match ownership_of(s, all, &desired.namespace, &desired.name) {
        Ownership::Own(found) if found.terminating => Some(held(s, &key, found)),
        // The desired environment borrows the observed one if they are equal.
        Ownership::Own(found) if std::ptr::eq(&raw const found.object, desired) || found.object.is_as(desired) => None,
        Ownership::Free | Ownership::Own(_) if !source_exists(s) => Some(pending(
            &key,
            "is not written while the source is missing or being deleted, because it has the UID of the source",
        )),
        Ownership::Own(found) => Some(repair_difference(s, Stage::Services, found, desired)),
        Ownership::Free => Some(create_difference(s, Stage::Services, desired)),
        Ownership::OtherSource => Some(pending(
            &key,
            "belongs to a source of another kind with the same name; the operator writes it when the links of that source are \
             gone",
        )),
        Ownership::Foreign => Some(taken(key)),
    }
}

fn environment_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let environments = &s.children.environments;
    let key = (&plan.directory.namespace, &plan.directory.name);
    let own = match plan.environment.get() {
        Some(desired) => shared_difference(s, environments, desired),
        None => match ownership_of(s, environments, key.0, key.1) {
            Ownership::Own(found) if found.terminating => Some(held(s, &key_of(&found.object), found)),
            Ownership::Own(found) => Some(Difference::Write(Stage::Services, delete(found))),
            Ownership::Free | Ownership::OtherSource | Ownership::Foreign => None,
        },
    };
    let others = environments
        .iter()
        .filter(|found| (&found.object.namespace, &found.object.name) != key && !found.terminating)
        .filter(|found| environment::has_entry(s, found))
        .map(|found| Difference::Write(Stage::Prune, environment::remove_entry(s, found)));
    own.into_iter().chain(others).collect()
}

/// The differences of the slices. While the virtual IP has no address, the alias keeps its endpoints, except pods that are
/// gone.
fn alias_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let is_missing = plan
        .virtual_ip
        .as_ref()
        .is_some_and(|desired| desired.body.addresses.is_empty());
    if is_missing {
        let pruned = prune(s).into_iter();
        pruned
            .map(|effect| Difference::Write(Stage::DirectorySlices, effect))
            .collect()
    } else {
        slice_differences(s, plan)
    }
}

fn virtual_ip_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    match &plan.virtual_ip {
        Some(desired) => own_difference(s, Stage::Services, &s.children.virtual_ips, desired)
            .into_iter()
            .collect(),
        None => virtual_ip::own(s)
            .filter(|found| !found.terminating)
            .map(|found| Difference::Write(Stage::Prune, delete(found)))
            .collect(),
    }
}

/// The differences of the policies at both ends. A policy without consent is deleted first; one of an earlier target after the slices
/// have left it.
fn policy_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let differences = plan
        .policies()
        .filter_map(|desired| own_difference(s, Stage::Services, &s.children.policies, desired));
    let is_desired = |found: &Observed<Policy>| plan.policies().any(|desired| key_of(desired) == key_of(&found.object));
    let surplus = policy::own(s)
        .filter(|found| !is_desired(found) && !found.terminating)
        .map(|found| {
            let consented = !policy::unconsented(s).any(|other| other.uid == found.uid);
            let stage = if consented { Stage::Prune } else { Stage::Services };
            Difference::Write(stage, delete(found))
        });
    differences.chain(surplus).collect()
}

fn binding_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    match &plan.binding {
        DesiredBinding::Present(desired) => own_difference(s, Stage::Services, &s.children.bindings, desired)
            .into_iter()
            .collect(),
        DesiredBinding::Pending(refusal) => vec![Difference::Blocked(binding::key_of(&Names::of(s)), refusal.clone())],
        DesiredBinding::Absent => binding::own(s)
            .filter(|found| !found.terminating)
            .map(|found| Difference::Write(Stage::Prune, delete(found)))
            .collect(),
    }
}

fn slice_differences(s: &Snapshot, plan: &Plan<'_>) -> Vec<Difference> {
    let desired = plan.slices.iter().filter_map(|desired| {
        let stage = if is_under_virtual_ip(desired) {
            Stage::VirtualIpSlices
        } else {
            Stage::DirectorySlices
        };
        own_difference(s, stage, &s.children.slices, desired)
    });
    let surplus = own_slices(s)
        .filter(|found| {
            !plan
                .slices
                .iter()
                .any(|desired| key_of(desired) == key_of(&found.object))
        })
        .map(|found| {
            if found.terminating {
                held(s, &key_of(&found.object), found)
            } else {
                Difference::Write(Stage::Prune, delete(found))
            }
        });
    desired.chain(surplus).collect()
}

/// The difference of a child that belongs to one link.
fn own_difference<T: Body>(
    s: &Snapshot,
    stage: Stage,
    all: &[Observed<T>],
    desired: &ChildSpec<T>,
) -> Option<Difference> {
    let key = key_of(desired);
    let Some(found) = all.iter().find(|found| key_of(&found.object) == key) else {
        return Some(create_difference(s, stage, desired));
    };
    if !is_own(s, found) {
        return Some(if is_of_another_link(found) {
            pending(
                &key,
                "is left over from a deleted link of the same name; the operator deletes it soon and then goes on",
            )
        } else {
            taken(key)
        });
    }
    if found.terminating {
        Some(held(s, &key, found))
    } else if found.object.is_as(desired) {
        None
    } else {
        Some(repair_difference(s, stage, found, desired))
    }
}

/// The change of an observed child to the desired one. A child that the API server does not update is deleted and created
/// again, but not a virtual IP that clients use: they would lose its address (contract#repair).
fn repair_difference<T: Body>(s: &Snapshot, stage: Stage, found: &Observed<T>, desired: &ChildSpec<T>) -> Difference {
    let key = key_of(desired);
    match s.disputes.why_unchangeable(&key) {
        Some(answer) if T::KIND == Kind::VirtualIp && own_slices(s).next().is_some() => {
            let refusal = Refusal::unchangeable(&key, answer);
            Difference::Blocked(key, refusal)
        }
        Some(_) => Difference::Write(stage, delete(found)),
        None => Difference::Write(stage, repair(found, desired)),
    }
}

/// The creation of a child. In a namespace that is being deleted, the API server refuses it with 403, like a missing right, so
/// it is not tried.
fn create_difference<T: Body>(s: &Snapshot, stage: Stage, desired: &ChildSpec<T>) -> Difference {
    if s.namespace.terminating {
        let key = key_of(desired);
        let refusal = Refusal::terminating(&key);
        Difference::Blocked(key, refusal)
    } else {
        Difference::Write(stage, create(desired))
    }
}

fn source_exists(s: &Snapshot) -> bool {
    s.source.as_ref().is_some_and(|source| !source.terminating)
}

fn held<T>(s: &Snapshot, key: &Key, found: &Observed<T>) -> Difference {
    let reason = if is_overdue(s, found.held_since) {
        Reason::FinalizersRemain
    } else {
        Reason::Pending
    };
    let message = format!("{}; the operator then creates it again", held_back(key));
    Difference::Blocked(key.clone(), Refusal { reason, message })
}

fn pending(key: &Key, why: &str) -> Difference {
    let (reason, message) = (Reason::Pending, format!("{key} {why}"));
    Difference::Blocked(key.clone(), Refusal { reason, message })
}

fn taken(key: Key) -> Difference {
    let refusal = Refusal::name_taken(&key);
    Difference::Blocked(key, refusal)
}

#[cfg(test)]
mod tests;
