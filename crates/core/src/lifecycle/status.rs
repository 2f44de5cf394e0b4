//! The status of a link in a state. It is always computed as a whole, so each write makes all of it current.

use instancelink_api::condition::Reason;
use instancelink_api::status::{HistoryEntry, Transitioning};
use instancelink_api::{Desired, InstanceLinkStatus, LastAction, Phase, State, Verb, Verdict};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};

use super::conditions::conditions;
use super::facts::Facts;
use super::wait::Wait;
use super::{cause::cause, message, shadow};
use crate::action::available;
use crate::resolve::fqdn;
use crate::time::{micro, second};
use crate::{dataplane, hash};

/// Length of the history.
const HISTORY: usize = 10;

/// The status of the link in `state`. Where that is the present state, `wait` says why the link stays in it.
pub(crate) fn status(f: &Facts<'_>, state: State, wait: &Wait) -> InstanceLinkStatus {
    let old = &f.status;
    let spec = &f.link.spec;
    let meta = &f.link.metadata;
    let entering = state != f.state;
    let scrubbed = state == State::Purged;
    let at = entry_time(f, state);
    let transitional = state.is_transitional();
    let up = matches!(state, State::Active | State::UpdatingActive | State::Deactivating);
    let message = if entering {
        message::on_entry(f, state)
    } else {
        wait.message.clone()
    };
    let stalled = if entering { None } else { wait.stalled };
    let history = if entering {
        history(f, state, &at)
    } else {
        old.history.clone()
    };
    InstanceLinkStatus {
        id: Some(hash::bits52(f.uid())),
        kind: Some("instanceLink".to_owned()),
        name: spec.name.clone().filter(|_| !scrubbed),
        state,
        // The names of shared children may have the UID of a source that is gone.
        instance_id: match &f.s.source {
            Some(source) => Some(source.uid.clone()),
            None => old.instance_id.clone().filter(|_| up),
        },
        target_instance_id: f.target.uid().map(str::to_owned),
        link_name: Some(spec.link_name.clone()).filter(|alias| !alias.is_empty()),
        account_id: Some(&f.s.namespace.uid)
            .filter(|uid| !uid.is_empty())
            .cloned()
            .or_else(|| old.account_id.clone()),
        created: meta.creation_timestamp.clone(),
        description: spec.description.clone().filter(|_| !scrubbed),
        removed: removed(f, state, &at),
        transitioning: match (transitional, stalled) {
            (false, _) => Transitioning::No,
            (true, None) => Transitioning::Yes,
            (true, Some(_)) => Transitioning::Error,
        },
        transitioning_message: Some(message::bounded(message)).filter(|text| transitional && !text.is_empty()),
        transitioning_progress: transitional.then(|| if entering { 100 } else { progress(old, wait) }),
        uuid: meta.uid.clone(),
        observed_generation: meta.generation,
        fqdn: full_name(f, state),
        target: match state {
            State::Active => spec.target_instance_ref.clone(),
            _ if up => old.target.clone(),
            _ => None,
        },
        programmed_hash: match state {
            State::Active | State::Inactive if entering => Some(f.hash()),
            State::Removed | State::Purging | State::Purged => None,
            _ => old.programmed_hash.clone(),
        },
        available_actions: if f.deleting || f.memory.desired() == Some(Desired::Purged) {
            Vec::new()
        } else {
            available(state, f.managed_by_spec())
        },
        last_action: last_action(f, state, &at),
        history,
        binding: dataplane::in_status(f.s).filter(|_| !scrubbed),
        conditions: conditions(f, state, (!entering || wait.problem.is_some()).then_some(wait)),
    }
}

/// The name of the alias; none before the name of the directory is known, and for a link that has ended.
fn full_name(f: &Facts<'_>, state: State) -> Option<String> {
    let alias = &f.link.spec.link_name;
    if matches!(state, State::Removed | State::Purging | State::Purged) || alias.is_empty() {
        return None;
    }
    let namespace = f.link.metadata.namespace.as_deref().unwrap_or_default();
    Some(fqdn(alias, &f.directory()?, namespace, &f.s.cluster_domain))
}

/// An entry that is rebuilt after a lost status has the time at which `desired` last changed. Each other entry has the
/// time of this pass (lifecycle#rebuild-lost-memory). A link is being rebuilt while each entry of its history has that
/// time, and it did not wait. A link that got its first action before it had a history looks the same: the entries
/// after its wait have the time at which the wait ended.
fn entry_time(f: &Facts<'_>, to: State) -> MicroTime {
    match f.memory.desired_at() {
        Some(desired_at) if !has_stayed(f, to) && f.status.history.iter().all(|entry| entry.at.0 == desired_at) => {
            MicroTime(desired_at)
        }
        _ => micro(f.s.now),
    }
}

/// True where the link rested or waited in its present state, and did not only pass through it.
fn has_stayed(f: &Facts<'_>, to: State) -> bool {
    let desired = f.memory.desired();
    match f.state {
        State::Requested => false,
        // Apart from waiting, a link only leaves it at once to delete children from before its status was lost.
        State::Registering => to != State::Deactivating,
        State::Inactive => !matches!(desired, Some(Desired::Removed | Desired::Purged)),
        State::Removed => desired != Some(Desired::Purged),
        State::Active | State::Purged => true,
        // The status has what it waited for.
        State::Activating
        | State::UpdatingActive
        | State::Deactivating
        | State::UpdatingInactive
        | State::Removing
        | State::Restoring
        | State::Purging => f.status.transitioning_message.as_deref() != Some(message::on_entry(f, f.state).as_str()),
    }
}

fn history(f: &Facts<'_>, state: State, at: &MicroTime) -> Vec<HistoryEntry> {
    let entry = |state, cause| HistoryEntry {
        state,
        at: at.clone(),
        cause,
    };
    if state == State::Purged {
        return vec![entry(state, cause(f, state))];
    }
    let mut history = f.status.history.clone();
    // The one exception to "every state is written": what can be registered at once skips to the next state.
    if f.state == State::Requested && matches!(state, State::Activating | State::Inactive) {
        history.push(entry(State::Registering, cause(f, State::Registering)));
    }
    history.push(entry(state, cause(f, state)));
    let surplus = history.len().saturating_sub(HISTORY);
    history.drain(..surplus);
    history
}

fn removed(f: &Facts<'_>, state: State, at: &MicroTime) -> Option<Time> {
    match state {
        State::Removed if f.state != State::Removed => Some(second(at.0)),
        State::Removed | State::Purging | State::Purged => f.status.removed.clone(),
        _ => None,
    }
}

fn progress(old: &InstanceLinkStatus, wait: &Wait) -> i32 {
    wait.progress.or(old.transitioning_progress).unwrap_or(100)
}

/// The acknowledgement: the request as taken, and its phase (lifecycle#action-phases).
fn last_action(f: &Facts<'_>, state: State, at: &MicroTime) -> Option<LastAction> {
    let intent = f.memory.last.clone()?;
    let known = f
        .status
        .last_action
        .as_ref()
        .filter(|known| known.intent.seq == intent.seq);
    let phase = known.map_or(
        if intent.verdict == Verdict::Accepted {
            Phase::Accepted
        } else {
            Phase::Rejected
        },
        |k| k.phase,
    );
    let reached = intent.desired.is_some_and(|desired| state == resting_state(desired));
    let (phase, completed_at) = match phase {
        Phase::Accepted if reached => (Phase::Completed, Some(at.clone())),
        Phase::Accepted if is_superseded(f, &intent.action, intent.desired) => (Phase::Superseded, None),
        phase => (phase, known.and_then(|k| k.completed_at.clone())),
    };
    let message = known.map_or_else(|| message::of_action(f, &intent), |k| k.message.clone());
    Some(LastAction {
        intent,
        message: message::bounded(message),
        phase,
        completed_at,
    })
}

/// Only a spec edit or a delete supersedes an accepted action: lifecycle#action-phases.
fn is_superseded(f: &Facts<'_>, action: &str, desired: Option<Desired>) -> bool {
    use instancelink_api::spec::DesiredState;
    let managed = [Verb::Activate.as_str(), Verb::Deactivate.as_str()].contains(&action);
    let overruled = match (f.link.spec.desired_state, desired) {
        (Some(DesiredState::Active), Some(Desired::Inactive))
        | (Some(DesiredState::Inactive), Some(Desired::Active)) => managed,
        _ => false,
    };
    f.deleting || overruled
}

const fn resting_state(desired: Desired) -> State {
    match desired {
        Desired::Active => State::Active,
        Desired::Inactive => State::Inactive,
        Desired::Removed => State::Removed,
        Desired::Purged => State::Purged,
    }
}

/// Problems in the new status that the old one did not have: each gets one event, also if two conditions have it.
pub(crate) fn new_problems(f: &Facts<'_>, new: &InstanceLinkStatus) -> Vec<(String, String)> {
    use instancelink_api::condition::types::{ACCEPTED, PROGRAMMED, RESOLVED_REFS, VERIFIED};
    let old = &f.status;
    let is_known = |reason: &str| old.conditions.iter().any(|c| c.status == "False" && c.reason == reason);
    let quiet = [Reason::Pending.as_str(), Reason::NotActive.as_str()];
    let mut problems: Vec<(String, String)> = new
        .conditions
        .iter()
        .filter(|c| [ACCEPTED, RESOLVED_REFS, PROGRAMMED, VERIFIED].contains(&c.type_.as_str()) && c.status == "False")
        .filter(|c| !quiet.contains(&c.reason.as_str()) && !is_known(&c.reason))
        .map(|c| (c.reason.clone(), c.message.clone()))
        .chain(shadow::new(f, new))
        .collect();
    problems.dedup();
    problems
}
