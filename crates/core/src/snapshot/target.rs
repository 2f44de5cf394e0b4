//! The target of a link, and the pods that may be its endpoints.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_api::spec::Protocol;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::kind::ApiKind;
use super::pod::{ContainerPort, Pod};
use super::service_slice::ServiceSlice;
use crate::child::Owner;
use crate::resolve::selector::Selector;

/// The target of a link, with the pods that may be its endpoints.
#[derive(Clone, Debug)]
pub struct Target {
    /// The object.
    pub object: TargetObject,
    /// Pods of its namespace that may be its endpoints; `resolve` decides which of them are.
    pub candidates: Vec<Candidate>,
    /// The slices that others write for a Service without a selector. None for other targets, and for a Service of the operator,
    /// whose slices it writes itself.
    pub slices: Option<Vec<Arc<ServiceSlice>>>,
}

/// The object that a link can have as its target.
#[derive(Clone, Debug)]
pub enum TargetObject {
    /// A built-in kind of workload, or any other kind with a scale subresource.
    Workload(Arc<Workload>),
    /// A pod, which is its own only candidate.
    Pod(Arc<Pod>),
    /// A Service, or a `ServiceImport`.
    Service(Arc<Service>),
}

/// A pod that may be an endpoint.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The pod.
    pub pod: Arc<Pod>,
    /// The controller of the pod's ReplicaSet, StatefulSet or Job, if it is known.
    pub grand_owner: Option<Owner>,
    /// Zone of the pod's node.
    pub zone: Option<String>,
    /// It is an endpoint of the link already, and the target does not own it: it may stay while no other workload does.
    pub is_kept: bool,
}

/// A workload, reduced to the fields that links need.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// A built-in kind of workload, or any other kind with a scale subresource.
    pub kind: ApiKind,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Resource version.
    pub resource_version: String,
    /// Being deleted.
    pub terminating: bool,
    /// Its selector. It is empty if the scale subresource has none: then the pods that it owns count.
    pub selector: Selector,
    /// The ports that its pod template declares.
    pub container_ports: Vec<ContainerPort>,
    /// Its controller (of a ReplicaSet: the Deployment; of a Job: the CronJob).
    pub controller: Option<Owner>,
}

/// A Service, reduced to the fields that links need.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Resource version.
    pub resource_version: String,
    /// Being deleted.
    pub terminating: bool,
    /// The name that it stands for, in lower case, if it is of type `ExternalName`. It has no addresses of its own.
    pub external_name: Option<String>,
    /// Its cluster IPs; empty for a headless Service.
    pub cluster_ips: Vec<IpAddr>,
    /// Its selector; empty for a Service whose endpoints others write.
    pub selector: BTreeMap<String, String>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// It publishes pods that are not ready too.
    pub publish_not_ready_addresses: bool,
    /// It is a Service of other clusters. Boxed, because almost no Service is.
    pub import: Option<Box<Import>>,
}

/// What a `ServiceImport` has beside the fields of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its kind.
    pub kind: ApiKind,
    /// It has no clusterset IP.
    pub headless: bool,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePort {
    /// Its name; may be empty.
    pub name: String,
    /// The port of the cluster IP.
    pub port: u16,
    /// The port of the pods; if it is absent, the same port.
    pub target_port: Option<IntOrString>,
    /// Its protocol.
    pub protocol: Protocol,
}
