//! The two ends of a link: its source and its target, with the pods behind the target.

use std::collections::BTreeMap;
use std::sync::Arc;

use instancelink_api::{InstanceLink, TargetRef, keys};
use instancelink_core::child::{Observed, Policy};
use instancelink_core::resolve::budget::{Budget, TooCostly};
use instancelink_core::resolve::egress::may_be_of;
use instancelink_core::resolve::former_source::{may_wait_in, runs};
use instancelink_core::resolve::isolation::may_be_selected;
use instancelink_core::resolve::scaled_kinds::scalable;
use instancelink_core::resolve::selector::Selector;
use instancelink_core::resolve::service_slices::MOST_SLICES;
use instancelink_core::snapshot::{
    ApiKind, Candidate, Pod, Source, Target, TargetObject, Unlisted, Unusable, UnusableEnds,
};

use crate::index::Index;
use crate::index::link_keys::policy_target;
use crate::index::pods::selects;
use crate::index::source_kind::workload_kind;
use crate::name::{LinkKey, ObjectName};

/// What `instanceRef` names, if it exists.
pub(super) fn source_of(index: &Index, link: &InstanceLink) -> Option<Source> {
    let reference = &link.spec.instance_ref;
    let name = ObjectName::new(link.metadata.namespace.as_deref().unwrap_or_default(), &reference.name);
    index.source(reference.api_version(), &reference.kind, &name)
}

/// True if pods run that were those of a source that does not exist. Only of interest while the link is up.
pub(super) fn pods_of_former_source(index: &Index, key: &LinkKey, link: &InstanceLink) -> bool {
    may_wait_in(link.state())
        && pods_in(index, &key.namespace).any(|pod| {
            let set = pod
                .controller
                .as_ref()
                .and_then(|owner| index.workloads.set(&pod.namespace, owner));
            runs(
                &link.spec.instance_ref,
                pod,
                set.and_then(|set| set.controller.as_ref()),
            )
        })
}

/// What `targetInstanceRef` names, if it exists. `behind` are the pods behind the slices that were written for it.
pub(super) fn target_of(index: &Index, key: &LinkKey, reference: &TargetRef, behind: &[&Arc<Pod>]) -> Option<Target> {
    let namespace = reference.namespace.as_deref().unwrap_or(&key.namespace);
    let name = ObjectName::new(namespace, &reference.name);
    let object = index.target(reference.api_version(), &reference.kind, &name)?;
    let candidates = match &object {
        TargetObject::Workload(workload) => {
            let mut owners = vec![workload.uid.as_str()];
            let sets = index.workloads.sets_of(&name.namespace, &workload.uid);
            owners.extend(sets.map(|set| set.uid.as_str()));
            let pods = owners
                .iter()
                .flat_map(|uid| index.pods.by_owner.within(&name.namespace, *uid));
            let mut all = candidates(index, pods.filter_map(|name| index.pods.table.get(name)));
            let is_owned = |pod: &Pod| {
                pod.controller
                    .as_ref()
                    .is_some_and(|owner| owners.contains(&owner.uid.as_str()))
            };
            let others = behind.iter().copied().filter(|pod| !is_owned(pod));
            all.extend(candidates(index, others).into_iter().map(|candidate| Candidate {
                is_kept: true,
                ..candidate
            }));
            all
        }
        TargetObject::Pod(pod) => candidates(index, std::iter::once(pod)),
        TargetObject::Service(service) => {
            let pods = chosen(index, &name.namespace, |budget, pod| {
                selects(budget, &service.selector, &pod.labels)
            });
            candidates(index, pods.into_iter())
        }
    };
    let slices = match &object {
        TargetObject::Service(service)
            if service.selector.is_empty()
                && service.import.is_none()
                && service.external_name.is_none()
                && !is_own(index, &name) =>
        {
            let slices = index.foreign_slices.of_service(&name);
            // One more than a link follows, so that the decision sees that there are too many.
            Some(slices.take(MOST_SLICES + 1).cloned().collect())
        }
        TargetObject::Service(_) | TargetObject::Workload(_) | TargetObject::Pod(_) => None,
    };
    Some(Target {
        object,
        candidates,
        slices,
    })
}

/// True for a Service of the operator: a directory or a virtual IP.
fn is_own(index: &Index, service: &ObjectName) -> bool {
    let child = index.services.child(service);
    child.is_some_and(|child| {
        // A policy may rewrite the first one.
        let is_managed = child.label(keys::MANAGED_BY) == Some(keys::MANAGER);
        is_managed
            || [keys::LINK_UID, keys::SOURCE_UID]
                .iter()
                .any(|key| child.label(key).is_some())
    })
}

/// The pods that a policy of the link would select, whose ever they are; none if it asks for no policy. Without the target,
/// those that its policy selects.
pub(super) fn selected_by(
    index: &Index,
    link: &InstanceLink,
    target: Option<&Target>,
    policies: &[Observed<Policy>],
) -> Vec<Arc<Pod>> {
    let Some(asked) = policy_target(link) else {
        return Vec::new();
    };
    let pods = match target {
        Some(target) => chosen(index, &asked.namespace, |budget, pod| {
            may_be_selected(budget, &target.object, pod)
        }),
        None => selected_by_written(index, &asked.namespace, policies),
    };
    pods.into_iter().cloned().collect()
}

/// The pods of a namespace that the link's policies there take for the target's.
fn selected_by_written<'a>(index: &'a Index, namespace: &Arc<str>, policies: &[Observed<Policy>]) -> Vec<&'a Arc<Pod>> {
    let beside = policies.iter().filter(|found| *found.object.namespace == **namespace);
    let targets = beside.filter_map(|found| found.object.targets_beside_it());
    let selectors: Vec<Selector> = targets.map(Selector::from).collect();
    if selectors.is_empty() {
        return Vec::new();
    }
    chosen(index, namespace, |budget, pod| {
        for selector in &selectors {
            if pod.labels_unknown || selector.selects_within(budget, &pod.labels)? {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// The pods that a policy for the egress of this source would select, whose ever they are.
pub(super) fn selected_of(index: &Index, namespace: &Arc<str>, source: &Source) -> Vec<Arc<Pod>> {
    let pods = chosen(index, namespace, |budget, pod| may_be_of(budget, source, pod));
    pods.into_iter().cloned().collect()
}

/// The pods of a namespace for which the answer is yes. If these are too costly to tell, all pods that were compared: a decision
/// about them takes as many lookups from the same budget, so it finds them too costly too.
fn chosen<'a>(
    index: &'a Index,
    namespace: &Arc<str>,
    mut is_chosen: impl FnMut(&mut Budget, &Pod) -> Result<bool, TooCostly>,
) -> Vec<&'a Arc<Pod>> {
    let (mut budget, mut chosen, mut compared) = (Budget::whole(), Vec::new(), 0);
    for pod in pods_in(index, namespace) {
        compared += 1;
        match is_chosen(&mut budget, pod) {
            Ok(true) => chosen.push(pod),
            Ok(false) => {}
            Err(TooCostly) => return pods_in(index, namespace).take(compared).collect(),
        }
    }
    chosen
}

fn pods_in<'a>(index: &'a Index, namespace: &Arc<str>) -> impl Iterator<Item = &'a Arc<Pod>> + use<'a> {
    let names = index.pods.by_namespace.get(namespace);
    names.filter_map(|name| index.pods.table.get(name))
}

/// Pods with their owners and zones.
pub(super) fn candidates<'a>(index: &Index, pods: impl Iterator<Item = &'a Arc<Pod>>) -> Vec<Candidate> {
    pods.map(|pod| {
        let set = pod
            .controller
            .as_ref()
            .and_then(|owner| index.workloads.set(&pod.namespace, owner));
        let node = pod
            .node
            .as_deref()
            .and_then(|node| index.nodes.get(&ObjectName::new("", node)));
        Candidate {
            pod: Arc::clone(pod),
            grand_owner: set.and_then(|set| set.controller.clone()),
            zone: node.and_then(|node| node.zone.clone()),
            is_kept: false,
        }
    })
    .collect()
}

/// Why the two ends cannot be used, if they exist and cannot.
pub(super) fn unusable_ends(index: &Index, key: &LinkKey, link: &InstanceLink) -> UnusableEnds {
    let source = &link.spec.instance_ref;
    let target = link.spec.target_instance_ref.as_ref();
    UnusableEnds {
        source: why_unusable(index, source.api_version(), &source.kind, &key.namespace, &source.name),
        target: target.and_then(|target| {
            let namespace = target.namespace.as_deref().unwrap_or(&key.namespace);
            why_unusable(index, target.api_version(), &target.kind, namespace, &target.name)
        }),
    }
}

fn why_unusable(index: &Index, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Unusable> {
    let name = ObjectName::new(namespace, name);
    let why = if let Some(kind) = scalable(api_version, kind) {
        index.scaled.why_unusable(&kind, &name)
    } else if let Some(kind) = workload_kind(kind) {
        index.workloads.of(kind).why_unusable(&name)
    } else {
        match kind {
            "Pod" => index.pods.table.why_unusable(&name),
            "Service" => index.services.table.why_unusable(&name),
            _ => None,
        }
    };
    why.cloned()
}

/// The kinds of the two ends of which no objects can be known, and why.
pub(super) fn unlisted(index: &Index, key: &LinkKey, link: &InstanceLink) -> BTreeMap<ApiKind, Unlisted> {
    let source = &link.spec.instance_ref;
    let own = scalable(source.api_version(), &source.kind).map(|kind| (kind, &*key.namespace, &source.name));
    let target = link.spec.target_instance_ref.as_ref().and_then(|target| {
        let namespace = target.namespace.as_deref().unwrap_or(&key.namespace);
        Some((scalable(target.api_version(), &target.kind)?, namespace, &target.name))
    });
    own.into_iter()
        .chain(target)
        .filter_map(|(kind, namespace, name)| {
            let why = index.scaled.why_not(&kind, &ObjectName::new(namespace, name))?;
            Some((kind, why))
        })
        .collect()
}
