//! Whether the owner of a pod is the target, as it was before it was replaced, or no object.

use instancelink_api::reference::group_in;

use crate::child::Owner;
use crate::snapshot::{ApiKind, Candidate, Pod};

/// The labels of a ReplicaSet's pods that have the last part of its name.
const HASHES: [&str; 2] = ["pod-template-hash", "rollouts-pod-template-hash"];

/// True if no other workload owns the pod. The owner may be the target before it was replaced, and what is between them.
///
/// A Service owns no pods, so it does not matter who owns those that it selected.
pub(super) fn is_free(candidate: &Candidate, kind: &ApiKind, name: &str) -> bool {
    let Some(owner) = candidate.pod.controller.as_ref().filter(|_| kind.kind != "Service") else {
        return true;
    };
    let group = group_in(&kind.api_version);
    let is_target =
        |owner: &Owner| owner.kind == kind.kind && owner.name == name && group_in(&owner.api_version) == group;
    match &candidate.grand_owner {
        _ if is_target(owner) => true,
        Some(owner) => is_target(owner),
        None => is_replica_set_of(owner, &candidate.pod, name),
    }
}

/// True for a ReplicaSet with the name that Deployments and Rollouts of this name give theirs. It has no owner any more.
fn is_replica_set_of(set: &Owner, pod: &Pod, name: &str) -> bool {
    let hash = set.name.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
    let has_hash = |label: &&str| pod.labels.get(*label).map(String::as_str) == hash;
    set.kind == "ReplicaSet" && hash.is_some() && HASHES.iter().any(has_hash)
}
