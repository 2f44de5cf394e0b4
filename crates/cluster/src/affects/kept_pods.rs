//! Pods that no owner leads from to the links that have them as endpoints: their owner is gone, or its owner, or the Service
//! that selected them. The slices of the links lead to them (contract#kept-endpoints).

use std::sync::Arc;

use instancelink_core::snapshot::{Pod, Workload};

use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::slices::bit_of;
use crate::name::LinkKey;

/// Adds the links that may have a changed pod as an endpoint, if the pod is in the ownership of no known object. A pod that
/// nobody has seen is no endpoint.
pub(super) fn extend_with_unowned(
    index: &Index,
    namespace: &Arc<str>,
    old: Option<&Pod>,
    new: Option<&Pod>,
    affected: &mut Affected,
) {
    let Some(old) = old else { return };
    let mut both = [Some(old), new].into_iter().flatten();
    if both.any(|pod| is_unowned(index, namespace, pod)) {
        extend(index, namespace, bit_of(&old.uid), affected);
    }
}

/// Adds the links that may have pods of a set as endpoints, if the set comes to another owner.
pub(super) fn extend_with_adopted(
    index: &Index,
    namespace: &Arc<str>,
    old: Option<&Workload>,
    new: Option<&Workload>,
    affected: &mut Affected,
) {
    let owner = |set: &Workload| set.controller.as_ref().map(|owner| owner.uid.clone());
    let Some((old, new)) = old.zip(new).filter(|(old, new)| owner(old) != owner(new)) else {
        return;
    };
    let pods = index.pods.by_owner.within(namespace, new.uid.as_str());
    let pods = pods.filter_map(|name| index.pods.table.get(name));
    let bits = pods.fold(0, |bits, pod| bits | bit_of(&pod.uid));
    if old.uid == new.uid && bits != 0 {
        extend(index, namespace, bits, affected);
    }
}

/// True for a link with a slice that may have one of these pods.
pub(super) fn may_have(index: &Index, link: &LinkKey, pods: u64) -> bool {
    if pods == 0 {
        return false;
    }
    let Some(uid) = index.links.table.get(link).map(|link| link.uid.to_string()) else {
        return false;
    };
    let slices = index.slices.by_link.get(&(Arc::clone(&link.namespace), uid));
    let mut slices = slices.filter_map(|name| index.slices.table.get(name));
    slices.any(|slice| slice.may_have(pods))
}

/// Adds the links of the namespace, and those that lead into it, that may have one of these pods.
fn extend(index: &Index, namespace: &Arc<str>, pods: u64, affected: &mut Affected) {
    let beside = index.links.by_source.from((Arc::clone(namespace), String::new()));
    let beside = beside
        .take_while(|((of, _), _)| of == namespace)
        .flat_map(|(_, links)| links);
    let links = beside.chain(index.links.that_lead_into(namespace));
    affected.extend(links.filter(|link| may_have(index, link, pods)), Cause::Endpoints);
}

fn is_unowned(index: &Index, namespace: &str, pod: &Pod) -> bool {
    let Some(owner) = &pod.controller else { return true };
    let is_set = matches!(owner.kind.as_str(), "ReplicaSet" | "StatefulSet");
    is_set
        && index
            .workloads
            .set(namespace, owner)
            .is_none_or(|set| owner.kind == "ReplicaSet" && set.controller.is_none())
}
