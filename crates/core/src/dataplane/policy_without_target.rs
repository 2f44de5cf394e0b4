//! The policies while the target is missing (contract#kept-endpoints): each stays as it is if its side of the target has nothing
//! but pods that stay, and policies of others isolate each pod of its own end. What the target selected is not known any more,
//! so none is built.

use std::collections::BTreeSet;

use instancelink_api::spec::NetworkPolicyMode;

use crate::child::{Observed, Policy, names};
use crate::resolve::budget::{Budget, TooCostly};
use crate::resolve::egress::source_isolation_within;
use crate::resolve::isolation::{Isolation, is_isolated};
use crate::resolve::kept_pods::pods_without_target;
use crate::resolve::selector::Selector;
use crate::resolve::{TargetVerdict, target_of};
use crate::snapshot::{Pod, Snapshot};

/// True if a permitted policy of this link may stay while the target is missing. With a target in another namespace it may not:
/// whether a pod was the target's is known only by slices, and who can write these has no say in other namespaces.
pub(super) fn may_stay(s: &Snapshot, found: &Observed<Policy>) -> bool {
    let link = &s.link.object;
    link.spec.network_policy == NetworkPolicyMode::Allow
        && link.metadata.namespace.as_ref() == Some(&found.object.namespace)
        && matches!(target_of(s), TargetVerdict::Missing { .. })
        && joins_only_kept(s, found).unwrap_or(false)
}

fn joins_only_kept(s: &Snapshot, found: &Observed<Policy>) -> Result<bool, TooCostly> {
    let is_egress = names::is_egress(&found.object.name);
    let mut budget = Budget::whole();
    let mut is_closed = !is_egress || is_behind_source(&mut budget, s, found)?;
    let Some(pods) = found.object.targets_beside_it().as_ref().map(Selector::from) else {
        return Ok(false);
    };
    let kept: BTreeSet<&str> = pods_without_target(s)
        .map(|candidate| candidate.pod.uid.as_str())
        .collect();
    let beside = |pod: &&std::sync::Arc<Pod>| !pod.finished && pod.namespace == found.object.namespace;
    let mut has_any = false;
    for pod in s.selected.iter().filter(beside) {
        if !pod.labels_unknown && !pods.selects_within(&mut budget, &pod.labels)? {
            continue;
        }
        // A pod that terminates has left the slices, and still has connections.
        let is_kept = pod.terminating || kept.contains(pod.uid.as_str());
        if !is_kept || pod.labels_unknown {
            return Ok(false);
        }
        is_closed = is_closed && (is_egress || is_isolated(&mut budget, s, pod)?);
        has_any = true;
    }
    Ok(has_any && is_closed)
}

/// True for a policy of exactly the pods of the source, if policies of others isolate all of them for egress.
fn is_behind_source(budget: &mut Budget, s: &Snapshot, found: &Observed<Policy>) -> Result<bool, TooCostly> {
    let Some(source) = s.source.as_ref() else {
        return Ok(false);
    };
    let selected = found.object.body.spec().pod_selector.map(Selector::from);
    let isolation = source_isolation_within(budget, s, source)?;
    Ok(selected.as_ref() == Some(&source.pods) && matches!(isolation, Isolation::Isolated(_)))
}
