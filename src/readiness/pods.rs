//! From the caches to the conditions that a pod should have.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_cluster::index::workloads::set_kind;
use instancelink_cluster::{Index, ObjectName, Pods, Watched};
use instancelink_core::child::Owner;
use instancelink_core::readiness;
use instancelink_core::snapshot::Pod;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::reconcile::RecentLinkWrites;

/// A status patch that a pod needs.
pub(super) struct GatePatch {
    pub(super) pod: Arc<Pod>,
    pub(super) patch: Value,
    /// The verdicts on all gates of the pod. The patch has only those that the pod does not show.
    pub(super) content: i64,
}

/// The patch that is due for a pod, if any. Links that others change back again and again count as the operator wrote them.
pub(super) fn patch_for(
    index: &Index,
    name: &ObjectName,
    written: &RecentLinkWrites,
    now: Timestamp,
) -> Option<GatePatch> {
    let pod = index.pods.table.get(name)?;
    let instances = instances_of(index, pod)?;
    let links = links_of(index, name, &instances, written);
    let links: Vec<&InstanceLink> = links.iter().map(AsRef::as_ref).collect();
    let conditions = readiness::due(pod, &instances, &links, now);
    // The UID is a precondition: a new pod of the same name must not get the conditions of the old one.
    (!conditions.is_empty()).then(|| GatePatch {
        content: readiness::fingerprint(pod, &instances, &links),
        pod: Arc::clone(pod),
        patch: json!({ "metadata": { "uid": pod.uid }, "status": { "conditions": conditions } }),
    })
}

/// The pod and its owners, nearest first; none if an owner is not in the cache yet.
fn instances_of(index: &Index, pod: &Pod) -> Option<Vec<Owner>> {
    let itself = Owner {
        api_version: "v1".to_owned(),
        kind: Pods::KIND.to_owned(),
        name: pod.name.clone(),
        uid: pod.uid.clone(),
    };
    let mut instances = vec![itself];
    instances.extend(pod.controller.clone());
    if let Some(owner) = &pod.controller
        && set_kind(owner).is_some()
    {
        let set = index.workloads.set(&pod.namespace, owner);
        instances.extend(set?.controller.clone());
    }
    Some(instances)
}

/// The links whose source has the name of one of these instances.
fn links_of(
    index: &Index,
    pod: &ObjectName,
    instances: &[Owner],
    written: &RecentLinkWrites,
) -> Vec<Arc<InstanceLink>> {
    let names: BTreeSet<&str> = instances.iter().map(|instance| instance.name.as_str()).collect();
    let links = names
        .into_iter()
        .flat_map(|name| index.links.of_source(&pod.namespace, name));
    links
        .filter_map(|key| {
            let observed = index.links.table.get(key)?.object(&index.recent);
            Some(written.as_written(key, &observed).unwrap_or(observed))
        })
        .collect()
}
