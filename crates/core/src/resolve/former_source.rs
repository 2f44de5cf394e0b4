//! The pods of a source that is gone (contract#delayed-hold). Its selector is gone with it, so its name decides: that of the
//! owner, and for a pod without an owner that of the pod, which its former owner gave it.

use instancelink_api::reference::group_in;
use instancelink_api::{InstanceRef, State};

use crate::child::Owner;
use crate::snapshot::Pod;

/// True for the states in which a link stays active for such pods: it is up.
pub const fn may_wait_in(state: State) -> bool {
    matches!(state, State::Active | State::UpdatingActive)
}

/// True if the pod runs and was one of the source's. `grand_owner` is the controller of its ReplicaSet, StatefulSet or Job, if it
/// is known. A pod of another workload with a longer name may count; then the hold begins later, within its limit.
pub fn runs(source: &InstanceRef, pod: &Pod, grand_owner: Option<&Owner>) -> bool {
    if pod.finished || source.kind == "Pod" {
        return false;
    }
    let is_source = |owner: &Owner| {
        owner.kind == source.kind
            && owner.name == source.name
            && group_in(&owner.api_version) == group_in(source.api_version())
    };
    match (&pod.controller, grand_owner) {
        (Some(owner), _) if is_source(owner) => true,
        (Some(_), Some(owner)) => is_source(owner),
        // The set is gone too, or it was orphaned. The garbage collector deletes it before its pods.
        (Some(set), None) => is_set_of(&set.kind, &source.kind) && is_named_after(&set.name, &source.name),
        (None, _) => is_named_after(&pod.name, &source.name),
    }
}

/// The names that a source of this pod may have: those for which [`runs`] may be true.
pub fn names(pod: &Pod, grand_owner: Option<&Owner>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let owners = pod.controller.iter().chain(grand_owner);
    names.extend(owners.map(|owner| owner.name.clone()));
    if grand_owner.is_none() {
        let own = pod.controller.as_ref().map_or(pod.name.as_str(), |set| &set.name);
        let ends = own.match_indices('-').map(|(end, _)| end);
        names.extend(ends.filter_map(|end| own.get(..end)).map(str::to_owned));
    }
    names.dedup();
    names
}

/// True if a source of the second kind has its pods through objects of the first kind.
fn is_set_of(kind: &str, source: &str) -> bool {
    match kind {
        "Job" => source == "CronJob",
        "ReplicaSet" | "StatefulSet" => source != "CronJob",
        _ => false,
    }
}

/// True for a name that a workload gives what it creates.
fn is_named_after(name: &str, source: &str) -> bool {
    name.strip_prefix(source).is_some_and(|rest| rest.starts_with('-'))
}

#[cfg(test)]
mod tests;
