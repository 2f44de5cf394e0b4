//! A pod: its addresses, health and readiness gates.

use std::collections::BTreeMap;
use std::net::IpAddr;

use instancelink_api::spec::Protocol;

use crate::child::Owner;

/// A pod, reduced to the fields that links need.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Pod {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Resource version.
    pub resource_version: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// It has too many labels to keep them: it may have any.
    pub labels_unknown: bool,
    /// Its controller.
    pub controller: Option<Owner>,
    /// Its addresses, at most one of each family.
    pub addresses: Vec<IpAddr>,
    /// The node it runs on.
    pub node: Option<String>,
    /// Its Ready condition.
    pub ready: bool,
    /// Being deleted.
    pub terminating: bool,
    /// Succeeded or Failed: it no longer answers, and its address may belong to another pod.
    pub finished: bool,
    /// The ports its containers declare.
    pub container_ports: Vec<ContainerPort>,
    /// Its readiness gates that name aliases. Boxed, because almost no pod has any.
    pub gates: Option<Box<Gates>>,
}

/// A port that a container declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// Its name; may be empty.
    pub name: String,
    /// Its number.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

/// The readiness gates of a pod that name aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates(pub Vec<Gate>);

/// A readiness gate, with its condition in the pod's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The alias: the condition's type without its prefix.
    pub alias: String,
    /// The observed condition; none if it was never written.
    pub observed: Option<GateVerdict>,
}

/// Whether a gate is open, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateVerdict {
    /// The condition's status.
    pub open: bool,
    /// `EndpointsReady`, `LinkNotFound`, `NotActive`, or why the link is not available.
    pub reason: String,
    /// The message.
    pub message: String,
}
