//! Removes endpoints that no longer answer, while no plan can be built (lifecycle#unservable-spec-waits). Without a plan
//! nothing else is written, but the address of a pod that is gone may be given to another pod.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_api::grant::Permission;

use super::dispute::refusal;
use super::naming::Names;
use super::ownership::{Ownership, delete_own_slices, own_slices, ownership_of};
use super::policy;
use super::slices::is_under_virtual_ip;
use super::virtual_ip;
use super::writes::{delete, key_of, replace};
use crate::child::{Endpoint, EndpointTarget};
use crate::effect::Effect;
use crate::resolve::consent::is_permitted;
use crate::resolve::endpoints::service_answers;
use crate::resolve::kept_pods::{is_programmed, running_without_target};
use crate::resolve::pods::known_running;
use crate::resolve::{TargetVerdict, service_slices, target_of};
use crate::snapshot::{Pod, Service, ServiceSlice, Snapshot, TargetObject};

/// Removes from the slices each endpoint whose pod (by UID) is gone, finished, terminating where the endpoint is not, or not ready
/// where that counts, whose pod left the target as far as that is known, whose Service is gone, or whose namespace no longer consents. Marks a
/// Service without pods as not serving. Withdraws a policy that reaches more than the target's pods
/// (contract#policy-is-withdrawn). Adds and changes nothing else.
///
/// An endpoint need not belong to the target in the spec: the edit that cannot be served may have changed the target.
pub fn prune(s: &Snapshot) -> Vec<Effect> {
    let names = Names::of(s);
    match ownership_of(s, &s.children.directories, names.namespace, &names.directory) {
        Ownership::OtherSource | Ownership::Foreign => {
            return delete_own_slices(s)
                .filter(|effect| refusal(s, effect).is_none())
                .collect();
        }
        Ownership::Free | Ownership::Own(_) => {}
    }
    let overreaching = policy::overreaching(s).filter(|found| !found.terminating).map(delete);
    let members = members_of_programmed(s);
    let pruned = own_slices(s)
        .filter(|found| !found.terminating && s.disputes.why_unchangeable(&key_of(&found.object)).is_none())
        .filter_map(|found| {
            let mut object = found.object.clone();
            object
                .body
                .endpoints
                .retain(|endpoint| may_stay(s, members.as_ref(), endpoint));
            for endpoint in &mut object.body.endpoints {
                endpoint.serving &= !has_no_pods(s, members.as_ref(), endpoint);
            }
            (object.body.endpoints != found.object.body.endpoints).then(|| replace(found, object))
        });
    let due = overreaching.chain(pruned);
    due.filter(|effect| refusal(s, effect).is_none()).collect()
}

/// The UIDs of the pods of the target for which the slices were written, or which stay without it. None if they are not known:
/// the spec may name another target meanwhile.
fn members_of_programmed(s: &Snapshot) -> Option<BTreeSet<&str>> {
    if !is_programmed(&s.link.object) {
        return None;
    }
    if matches!(target_of(s), TargetVerdict::Missing { .. }) {
        return Some(
            running_without_target(s)
                .map(|candidate| candidate.pod.uid.as_str())
                .collect(),
        );
    }
    known_running(s.target.as_ref()?)
}

fn may_stay(s: &Snapshot, members: Option<&BTreeSet<&str>>, endpoint: &Endpoint) -> bool {
    let Some(target) = endpoint.target.as_ref() else {
        return false;
    };
    if !is_consented(s, target) {
        return false;
    }
    match target.kind.as_str() {
        "Pod" => {
            members.is_none_or(|members| members.contains(target.uid.as_str())) && pod_answers(s, target, endpoint)
        }
        "Service" | "ServiceImport" => service_exists(s, target, endpoint),
        _ => false,
    }
}

/// True if the endpoint is in the link's namespace, or if its namespace consents to the target that the slices were written
/// for: the one in the status, or else the one in the spec.
fn is_consented(s: &Snapshot, target: &EndpointTarget) -> bool {
    let link = &s.link.object;
    let namespace = Some(&target.namespace);
    let programmed = link.status.as_ref().and_then(|status| status.target.as_ref());
    let reference = programmed.or(link.spec.target_instance_ref.as_ref());
    namespace == link.metadata.namespace.as_ref()
        || reference.is_some_and(|t| t.namespace.as_ref() == namespace && is_permitted(s, t, Permission::Endpoints))
}

fn pod_answers(s: &Snapshot, target: &EndpointTarget, endpoint: &Endpoint) -> bool {
    let object = s.target.as_ref().map(|target| &target.object);
    let publish = s.link.object.spec.publish_not_ready_addresses
        || matches!(object, Some(TargetObject::Service(service)) if service.publish_not_ready_addresses);
    let counts = |pod: &Pod| !pod.finished && (!pod.terminating || endpoint.terminating) && (pod.ready || publish);
    let mut pods = s.answering.pods.iter();
    pods.any(|pod| pod.uid == target.uid && counts(pod) && pod.addresses.contains(&endpoint.address))
}

/// True if the Service exists and has this address: the target Service, or one before, or the virtual IP.
fn service_exists(s: &Snapshot, target: &EndpointTarget, endpoint: &Endpoint) -> bool {
    let is_virtual_ip = is_virtual_ip(s, target, |addresses| addresses.contains(&endpoint.address));
    is_virtual_ip
        || s.answering
            .services
            .iter()
            .any(|service| service.uid == target.uid && has_address(s, service, endpoint.address))
}

/// True for the link's virtual IP with such addresses. One that this pass created is only among the children.
fn is_virtual_ip(s: &Snapshot, target: &EndpointTarget, has: impl Fn(&[IpAddr]) -> bool) -> bool {
    virtual_ip::own(s).any(|found| found.uid == target.uid && has(&found.object.body.addresses))
}

/// True for the address of a Service that has no pod. That is known only of the virtual IP and of the current target.
fn has_no_pods(s: &Snapshot, members: Option<&BTreeSet<&str>>, endpoint: &Endpoint) -> bool {
    let Some(target) = endpoint.target.as_ref().filter(|target| target.kind == "Service") else {
        return false;
    };
    if is_virtual_ip(s, target, |_| true) {
        let behind = own_slices(s).filter(|found| is_under_virtual_ip(&found.object));
        let mut behind = behind.flat_map(|found| &found.object.body.endpoints);
        return !behind.any(|endpoint| endpoint.ready && may_stay(s, members, endpoint));
    }
    let publish = s.link.object.spec.publish_not_ready_addresses;
    s.target.as_ref().is_some_and(|current| match &current.object {
        TargetObject::Service(service) if service.uid == target.uid => {
            known_running(current).is_some() && !service_answers(current, service, publish)
        }
        TargetObject::Service(_) | TargetObject::Workload(_) | TargetObject::Pod(_) => false,
    })
}

/// True if this is a cluster IP of the Service, or a ready address in its slices.
fn has_address(s: &Snapshot, service: &Service, address: IpAddr) -> bool {
    let publish = s.link.object.spec.publish_not_ready_addresses || service.publish_not_ready_addresses;
    let of_service = |slice: &&Arc<ServiceSlice>| slice.namespace == service.namespace && slice.service == service.name;
    let mut slices = s.answering.slices.iter().filter(of_service);
    let in_slice = |slice: &Arc<ServiceSlice>| {
        let mut found = service_slices::addresses(std::slice::from_ref(slice));
        found.any(|found| found.address == address && (found.ready || publish))
    };
    service.cluster_ips.contains(&address) || (service.selector.is_empty() && slices.any(in_slice))
}

#[cfg(test)]
mod tests;
