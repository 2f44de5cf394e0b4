//! Readiness gates (contract#readiness-gates): a pod with the gate `instancelink.dev/<alias>` is ready only while the link of
//! that alias and of the pod's instance is active and available. Decides the conditions of the pod; the operator writes them.

use std::fmt::Write as _;

use instancelink_api::condition::{Reason, types};
use instancelink_api::{InstanceLink, State, keys};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodCondition;

use crate::child::Owner;
use crate::effect::Event;
use crate::hash;
use crate::rights::{self, Account};
use crate::snapshot::{GateVerdict, Pod};
use crate::time::second;

/// The alias in the condition type of a gate, if it names one.
pub fn alias_of(condition_type: &str) -> Option<&str> {
    condition_type.strip_prefix(keys::GATE_PREFIX)
}

/// The conditions to write to the pod: those that differ from the observed ones. `instances` are the pod and its owners,
/// nearest first; `links` are those that may have one of them as their source.
pub fn due(pod: &Pod, instances: &[Owner], links: &[&InstanceLink], now: Timestamp) -> Vec<PodCondition> {
    // The readiness of such a pod does not matter any more.
    if pod.terminating || pod.finished {
        return Vec::new();
    }
    let gates = pod.gates.iter().flat_map(|gates| &gates.0);
    gates
        .filter_map(|gate| {
            let verdict = verdict(pod, &gate.alias, instances, links);
            let observed = gate.observed.as_ref();
            if observed == Some(&verdict) {
                return None;
            }
            // If the status does not change, the time is left out, and the API server keeps the old one.
            let has_changed = observed.is_none_or(|observed| observed.open != verdict.open);
            Some(PodCondition {
                type_: format!("{}{}", keys::GATE_PREFIX, gate.alias),
                status: if verdict.open { "True" } else { "False" }.to_owned(),
                reason: Some(verdict.reason),
                message: Some(verdict.message),
                last_transition_time: has_changed.then(|| second(now)),
                ..PodCondition::default()
            })
        })
        .collect()
}

/// A hash of the verdicts on all gates of a pod, as they are asked for. It does not depend on what the pod shows: others could
/// make it different each time (lifecycle#disputed-conditions).
pub fn fingerprint(pod: &Pod, instances: &[Owner], links: &[&InstanceLink]) -> i64 {
    let mut text = pod.uid.clone();
    for gate in pod.gates.iter().flat_map(|gates| &gates.0) {
        let verdict = verdict(pod, &gate.alias, instances, links);
        let _ = write!(text, "\n{} {verdict:?}", gate.alias);
    }
    hash::bits52(&text)
}

/// The verdict on a gate. Its texts change only with the verdict, because each change is a write for every pod of the source.
fn verdict(pod: &Pod, alias: &str, instances: &[Owner], links: &[&InstanceLink]) -> GateVerdict {
    let no = |reason: &str, message: String| GateVerdict {
        open: false,
        reason: reason.to_owned(),
        message,
    };
    let namespace = &pod.namespace;
    let Some(link) = link_of(alias, instances, links) else {
        let instance = instances
            .last()
            .map(|owner| format!("{} {}", owner.kind, owner.name))
            .unwrap_or_default();
        return no(
            "LinkNotFound",
            format!(
                "no InstanceLink in namespace {namespace} has the instanceRef {instance} and the linkName {alias}; create \
                 one, or remove the readiness gate from the pod template"
            ),
        );
    };
    let name = link.metadata.name.as_deref().unwrap_or_default();
    if !is_active(link) {
        let message = format!("link {name} is not active; to see why, run kubectl -n {namespace} describe il {name}");
        return no(Reason::NotActive.as_str(), message);
    }
    let conditions = link.status.iter().flat_map(|status| &status.conditions);
    match conditions.into_iter().find(|c| c.type_ == types::AVAILABLE) {
        Some(available) if available.status == "True" => GateVerdict {
            open: true,
            reason: Reason::EndpointsReady.as_str().to_owned(),
            message: format!("link {name} is active and has ready endpoints"),
        },
        Some(available) => no(&available.reason, format!("link {name}: {}", available.message)),
        None => no(
            Reason::NoReadyEndpoints.as_str(),
            format!("the operator has not yet checked whether link {name} has ready endpoints"),
        ),
    }
}

/// The link of an alias. If several links want it, the active one counts; without an active one, the oldest.
fn link_of<'a>(alias: &str, instances: &[Owner], links: &[&'a InstanceLink]) -> Option<&'a InstanceLink> {
    let candidates = links
        .iter()
        .filter(|link| link.spec.link_name == alias && instances.iter().any(|instance| is_source(link, instance)));
    candidates.copied().min_by_key(|link| {
        let created = link.metadata.creation_timestamp.as_ref().map(|t| t.0);
        (!is_active(link), created, link.metadata.uid.as_deref())
    })
}

/// True if the instance is the link's source. An instance with another UID than in the link's status is a different one.
fn is_source(link: &InstanceLink, instance: &Owner) -> bool {
    let reference = &link.spec.instance_ref;
    let found = link.status.as_ref().and_then(|status| status.instance_id.as_ref());
    reference.kind == instance.kind
        && reference.name == instance.name
        && reference.api_version() == instance.api_version
        && found.is_none_or(|uid| *uid == instance.uid)
}

/// True if the alias resolves. It does so during an update too.
fn is_active(link: &InstanceLink) -> bool {
    matches!(link.state(), State::Active | State::UpdatingActive)
}

/// The event where the operator may not write a pod's status.
pub fn forbidden(pod: &Pod, account: &Account) -> Event {
    let why = format!(
        "This pod has a readiness gate {}<alias>, but the operator may not patch pods/status. Apply this manifest; the operator \
         tries again within five minutes:",
        keys::GATE_PREFIX
    );
    Event {
        warning: true,
        reason: Reason::Forbidden.as_str().to_owned(),
        action: "SetReadinessGate".to_owned(),
        note: rights::to_pod_status(&why, &pod.namespace, account),
    }
}

#[cfg(test)]
mod tests;
