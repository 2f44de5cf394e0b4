//! Endpoints that stay without the object that owned their pods (contract#kept-endpoints).
//!
//! A pod serves whether its owner exists or not. While an owner is replaced, as for a change of an immutable field, its pods
//! belong to an object that is gone, to none, or to a ReplicaSet that belongs to none. The link's own slices show that such a
//! pod was the target's.

use instancelink_api::{InstanceLink, TargetRef, keys};

use super::free::is_free;
use super::pods::is_alive;
use super::ports::Port;
use crate::child::{Slice, SlicePort};
use crate::snapshot::{ApiKind, Candidate, Pod, Snapshot};

/// True if the link's slices were written for the target that the spec names.
pub fn is_programmed(link: &InstanceLink) -> bool {
    let programmed = link.status.as_ref().and_then(|status| status.target.as_ref());
    let Some((programmed, asked)) = programmed.zip(link.spec.target_instance_ref.as_ref()) else {
        return false;
    };
    let own = link.metadata.namespace.as_deref().unwrap_or_default();
    let namespace = |target: &TargetRef| target.namespace.clone().unwrap_or_else(|| own.to_owned());
    programmed.kind == asked.kind
        && programmed.name == asked.name
        && programmed.api_version() == asked.api_version()
        && namespace(programmed) == namespace(asked)
}

/// The pods of the slices that stay while the target is missing: those in its namespace that no other workload owns.
pub(crate) fn pods_without_target(s: &Snapshot) -> impl Iterator<Item = &Candidate> {
    running_without_target(s).filter(|candidate| is_alive(&candidate.pod))
}

/// The same, with those that terminate.
pub(crate) fn running_without_target(s: &Snapshot) -> impl Iterator<Item = &Candidate> {
    let link = &s.link.object;
    let target = link.spec.target_instance_ref.as_ref().filter(|_| is_programmed(link));
    let own = link.metadata.namespace.as_deref();
    let target = target.map(|target| {
        let kind = ApiKind::new(target.api_version(), &target.kind);
        (kind, target.name.as_str(), target.namespace.as_deref().or(own))
    });
    s.kept_pods.iter().filter(move |candidate| {
        let pod = &candidate.pod;
        target.as_ref().is_some_and(|(kind, name, namespace)| {
            Some(pod.namespace.as_str()) == *namespace && !pod.finished && is_free(candidate, kind, name)
        })
    })
}

/// The ports in the slice under the directory that has the pod: what the target declared is not known any more.
pub(super) fn written_ports(s: &Snapshot, pod: &Pod) -> Vec<Port> {
    let alias = s.link.object.spec.link_name.as_str();
    let has_pod = |slice: &Slice| {
        let mut targets = slice.endpoints.iter().filter_map(|endpoint| endpoint.target.as_ref());
        targets.any(|target| target.uid == pod.uid)
    };
    let mut slices = s.children.slices.iter().map(|found| &found.object);
    let slice = slices.find(|slice| slice.labels.contains_key(keys::HEADLESS) && has_pod(&slice.body));
    let written = slice.into_iter().flat_map(|slice| &slice.body.ports);
    let port = |written: &SlicePort| {
        let name = written.name.strip_prefix(alias)?;
        let (additional, name) = match name.strip_prefix("--") {
            Some(name) => (true, name),
            None => (false, name),
        };
        Some(Port {
            additional,
            name: name.to_owned(),
            port: written.port,
            protocol: written.protocol,
        })
    };
    written.filter_map(port).collect()
}

#[cfg(test)]
mod tests;
