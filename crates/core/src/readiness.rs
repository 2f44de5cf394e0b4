//! Readiness gates: a pod that lists `instancelink.dev/<alias>` among its gates is ready only while the link of that
//! alias, of the instance the pod belongs to, is active and available. Decides which conditions the pod is to be given.

use instancelink_api::condition::{Reason, types};
use instancelink_api::{InstanceLink, State, keys};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodCondition;

use crate::child::Owner;
use crate::effect::Event;
use crate::rights::{self, Account};
use crate::snapshot::Pod;
use crate::time::second;

/// The gates of a pod that are aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates(pub Vec<Gate>);

/// One gate, and what the pod's status says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The alias: the condition's type without its prefix.
    pub alias: String,
    /// The condition that stands; none where it was never written.
    pub standing: Option<Verdict>,
}

/// Whether a gate is open, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The condition's status: True, or False.
    pub open: bool,
    /// `EndpointsReady`, `LinkNotFound`, `NotActive`, or why the link is not available.
    pub reason: String,
    /// For people.
    pub message: String,
}

/// The alias in a gate's condition type, if it is one of ours.
pub fn alias_of(condition_type: &str) -> Option<&str> {
    condition_type.strip_prefix(keys::GATE_PREFIX)
}

/// The conditions that the pod is to be given, where they differ from those it has. `instances` are the pod itself and
/// what owns it, nearest first; `links` are those that may have one of them as their source.
pub fn due(pod: &Pod, instances: &[Owner], links: &[&InstanceLink], now: Timestamp) -> Vec<PodCondition> {
    // Nobody asks any more whether it is ready.
    if pod.terminating || pod.finished {
        return Vec::new();
    }
    let gates = pod.gates.iter().flat_map(|gates| &gates.0);
    gates
        .filter_map(|gate| {
            let verdict = verdict(pod, &gate.alias, instances, links);
            let standing = gate.standing.as_ref();
            if standing == Some(&verdict) {
                return None;
            }
            // Left out where it stays what it is: the API server merges.
            let turned = standing.is_none_or(|standing| standing.open != verdict.open);
            Some(PodCondition {
                type_: format!("{}{}", keys::GATE_PREFIX, gate.alias),
                status: if verdict.open { "True" } else { "False" }.to_owned(),
                reason: Some(verdict.reason),
                message: Some(verdict.message),
                last_transition_time: turned.then(|| second(now)),
                ..PodCondition::default()
            })
        })
        .collect()
}

/// Texts are the same as long as the verdict is: each of them is a write for every pod of the source.
fn verdict(pod: &Pod, alias: &str, instances: &[Owner], links: &[&InstanceLink]) -> Verdict {
    let no = |reason: &str, message: String| Verdict {
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
        Some(available) if available.status == "True" => Verdict {
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

/// Several links may want one alias; the one that is active has it. Where none is, the oldest stands for them all.
fn link_of<'a>(alias: &str, instances: &[Owner], links: &[&'a InstanceLink]) -> Option<&'a InstanceLink> {
    let wanting = links
        .iter()
        .filter(|link| link.spec.link_name == alias && instances.iter().any(|instance| is_source(link, instance)));
    wanting.copied().min_by_key(|link| {
        let created = link.metadata.creation_timestamp.as_ref().map(|t| t.0);
        (!is_active(link), created, link.metadata.uid.as_deref())
    })
}

/// A namesake of the link's source that is not the one it found is another instance.
fn is_source(link: &InstanceLink, instance: &Owner) -> bool {
    let reference = &link.spec.instance_ref;
    let found = link.status.as_ref().and_then(|status| status.instance_id.as_ref());
    reference.kind == instance.kind
        && reference.name == instance.name
        && reference.api_version() == instance.api_version
        && found.is_none_or(|uid| *uid == instance.uid)
}

/// An update leaves the alias answering.
fn is_active(link: &InstanceLink) -> bool {
    matches!(link.state(), State::Active | State::UpdatingActive)
}

/// The event where the operator may not write a pod's status.
pub fn forbidden(pod: &Pod, account: &Account) -> Event {
    let why = format!(
        "Pod {} has a readiness gate {}<alias>, but the operator may not patch pods/status. Apply this manifest; the operator \
         tries again within five minutes:",
        pod.name,
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
