//! The policy while the target is missing (contract#kept-endpoints): it stays as it is if it selects nothing but pods that
//! stay, and policies of others isolate each of them. What the target selected is not known any more, so none is built.

use std::collections::BTreeSet;

use instancelink_api::spec::NetworkPolicyMode;

use crate::child::{Observed, Policy};
use crate::resolve::budget::{Budget, TooCostly};
use crate::resolve::isolation::is_isolated;
use crate::resolve::kept_pods::pods_without_target;
use crate::resolve::selector::Selector;
use crate::resolve::{TargetVerdict, target_of};
use crate::snapshot::Snapshot;

/// True if a permitted policy of this link may stay while the target is missing. One in another namespace may not: whether a
/// pod was the target's is known only by slices, and who can write these has no say in other namespaces.
pub(super) fn may_stay(s: &Snapshot, found: &Observed<Policy>) -> bool {
    let link = &s.link.object;
    link.spec.network_policy == NetworkPolicyMode::Allow
        && link.metadata.namespace.as_ref() == Some(&found.object.namespace)
        && matches!(target_of(s), TargetVerdict::Missing { .. })
        && reaches_only_kept(s, found).unwrap_or(false)
}

fn reaches_only_kept(s: &Snapshot, found: &Observed<Policy>) -> Result<bool, TooCostly> {
    let kept: BTreeSet<&str> = pods_without_target(s)
        .map(|candidate| candidate.pod.uid.as_str())
        .collect();
    let Some(selector) = found.object.body.spec().pod_selector.map(Selector::from) else {
        return Ok(false);
    };
    let mut budget = Budget::whole();
    let mut reaches_any = false;
    for pod in s
        .selected
        .iter()
        .filter(|pod| !pod.finished && pod.namespace == found.object.namespace)
    {
        if !pod.labels_unknown && !selector.selects_within(&mut budget, &pod.labels)? {
            continue;
        }
        // A pod that terminates has left the slices, and still has connections.
        let kept = pod.terminating || kept.contains(pod.uid.as_str());
        if !kept || pod.labels_unknown || !is_isolated(&mut budget, s, pod)? {
            return Ok(false);
        }
        reaches_any = true;
    }
    Ok(reaches_any)
}
