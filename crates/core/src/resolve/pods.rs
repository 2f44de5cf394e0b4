//! The pods of a target, and the addresses that may be endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::budget::{Budget, TooCostly};
use super::embedded::embedded;
use super::free::is_free;
use super::selector::contains;
use crate::snapshot::{Candidate, Pod, Service, Target, TargetObject, Workload};

/// The pods of the target that are not terminating or finished, ready or not. A workload's pods are those that its selector
/// selects *and* it owns, so that a label on a foreign pod has no effect, or that stay without an owner.
pub fn pods_behind(target: &Target) -> impl Iterator<Item = &Candidate> {
    target
        .candidates
        .iter()
        .filter(|candidate| is_alive(&candidate.pod) && belongs_to(candidate, &target.object))
}

/// The pods of the target that have connections: terminating ones too, and no finished ones.
pub fn running_pods(target: &Target) -> impl Iterator<Item = &Candidate> {
    target
        .candidates
        .iter()
        .filter(|candidate| !candidate.pod.finished && belongs_to(candidate, &target.object))
}

/// Takes from a budget what it costs to tell which pods are the target's.
///
/// # Errors
/// If the budget does not suffice.
pub(super) fn spend(budget: &mut Budget, target: &Target) -> Result<(), TooCostly> {
    let mut pods = target.candidates.iter();
    pods.try_for_each(|candidate| budget.spend(cost(&target.object, &candidate.pod.labels)))
}

/// The UIDs of the pods of the target that have connections. None if they are too costly to tell.
pub fn known_running(target: &Target) -> Option<BTreeSet<&str>> {
    spend(&mut Budget::whole(), target).ok()?;
    Some(
        running_pods(target)
            .map(|candidate| candidate.pod.uid.as_str())
            .collect(),
    )
}

/// The lookups that it takes at most to tell whether the target's labels select a pod with these labels.
pub(super) fn cost(object: &TargetObject, labels: &BTreeMap<String, String>) -> usize {
    match object {
        TargetObject::Workload(workload) => workload.selector.cost(labels),
        TargetObject::Pod(pod) => 1 + pod.labels.len().min(labels.len()),
        TargetObject::Service(service) => 1 + service.selector.len().min(labels.len()),
    }
}

/// True for a pod that can answer. The address of a finished pod may already belong to another pod.
pub fn is_alive(pod: &Pod) -> bool {
    !pod.terminating && !pod.finished
}

fn belongs_to(candidate: &Candidate, object: &TargetObject) -> bool {
    match object {
        TargetObject::Workload(workload) => is_member(candidate, workload),
        TargetObject::Pod(pod) => candidate.pod.uid == pod.uid,
        TargetObject::Service(service) => is_selected(&candidate.pod, service),
    }
}

fn is_member(candidate: &Candidate, workload: &Workload) -> bool {
    let Candidate { pod, grand_owner, .. } = candidate;
    let owned = [pod.controller.as_ref(), grand_owner.as_ref()]
        .into_iter()
        .flatten()
        .any(|owner| owner.uid == workload.uid);
    let kept = || candidate.is_kept && is_free(candidate, &workload.kind, &workload.name);
    (owned || kept()) && pod.namespace == workload.namespace && workload.selector.selects(&pod.labels)
}

/// A Service without a selector selects nothing.
fn is_selected(pod: &Pod, service: &Service) -> bool {
    !service.selector.is_empty() && pod.namespace == service.namespace && contains(&pod.labels, &service.selector)
}

/// True for an address that the API server accepts in a slice and that means the same host for every client: not loopback,
/// link-local, multicast, broadcast or unspecified, and not an IPv4-mapped IPv6 address (contract#excluded-addresses).
pub fn is_usable(address: &IpAddr) -> bool {
    let is_excluded = address.is_loopback() || address.is_unspecified() || address.is_multicast();
    let is_excluded_in_family = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some(),
    };
    let leads_to_excluded = match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(v6) => embedded(*v6).is_some_and(|v4| !is_usable(&IpAddr::V4(v4))),
    };
    !is_excluded && !is_excluded_in_family && !leads_to_excluded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, pod};
    use crate::snapshot::Pod;

    fn names(s: &crate::snapshot::Snapshot) -> Vec<&str> {
        pods_behind(s.target.as_ref().unwrap())
            .map(|c| c.pod.name.as_str())
            .collect()
    }

    /// contract#endpoints-of-workloads
    #[test]
    fn a_workload_has_the_pods_that_it_selects_and_owns() {
        let unlabelled = Pod {
            labels: [].into(),
            ..pod("pg-2", "10.0.0.12")
        };
        let mut s = fixture::snapshot().with_target_deployment(vec![pod("pg-0", "10.0.0.10"), unlabelled]);
        let mut foreign = fixture::candidate(pod("foreign-with-the-label", "10.0.0.66"));
        foreign.grand_owner = None;
        s.target.as_mut().unwrap().candidates.push(foreign);
        assert_eq!(names(&s), ["pg-0"]);
    }

    /// contract#endpoints-of-workloads
    #[test]
    fn a_stateful_set_owns_its_pods_directly() {
        let mut s = fixture::snapshot().with_target_deployment(vec![]);
        let owner = fixture::owner("apps/v1", "StatefulSet", "pg", fixture::TARGET_UID);
        let mut candidate = fixture::candidate(Pod {
            controller: Some(owner),
            ..pod("pg-0", "10.0.0.10")
        });
        candidate.grand_owner = None;
        s.target.as_mut().unwrap().candidates.push(candidate);
        assert_eq!(names(&s), ["pg-0"]);
    }

    /// contract#excluded-addresses
    #[test]
    fn terminating_and_finished_pods_never_count() {
        let finished = Pod {
            finished: true,
            ..pod("pg-2", "10.0.0.12")
        };
        let s = fixture::snapshot().with_target_deployment(vec![pod("pg-0", "10.0.0.10").terminating(), finished]);
        assert!(names(&s).is_empty());
    }

    /// contract#endpoints-of-services
    #[test]
    fn a_service_has_the_pods_of_its_namespace_that_its_selector_matches() {
        let elsewhere = Pod {
            namespace: "data".to_owned(),
            ..pod("pg-1", "10.0.0.11")
        };
        let pods = vec![pod("pg-0", "10.0.0.10"), elsewhere];
        let s = fixture::snapshot().with_target_service(fixture::service(), pods.clone());
        assert_eq!(names(&s), ["pg-0"]);
        let unselective = Service {
            selector: [].into(),
            ..fixture::service()
        };
        assert!(names(&fixture::snapshot().with_target_service(unselective, pods)).is_empty());
    }

    /// contract#excluded-addresses
    #[test]
    fn loopback_and_other_special_addresses_are_not_usable() {
        for bad in ["127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"] {
            assert!(!is_usable(&bad.parse().unwrap()), "{bad}");
        }
        for bad in ["::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1"] {
            assert!(!is_usable(&bad.parse().unwrap()), "{bad}");
        }
        for good in ["10.0.0.1", "fd00::1", "2001:db8::1"] {
            assert!(is_usable(&good.parse().unwrap()), "{good}");
        }
    }
}
