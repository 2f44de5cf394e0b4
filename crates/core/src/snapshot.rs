//! What one decision may look at: plain data that anyone can build in a test.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_api::grant::{GrantFrom, GrantTo, Permission};
use instancelink_api::spec::Protocol;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::child::{Children, Entries, Key, Owner};
use crate::readiness::Gates;
use crate::refusal::Refusal;
use crate::rights::Account;
use crate::verify::Lookup;

/// Everything a pass over one link may look at. Observed from the caches without a request, then kept up to date with
/// the answers to its own writes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The time of this pass.
    pub now: Timestamp,
    /// The cluster's DNS domain, such as `cluster.local`.
    pub cluster_domain: String,
    /// The operator's own account, for messages about rights that it lacks.
    pub account: Account,
    /// The link.
    pub link: Link,
    /// Its namespace.
    pub namespace: Namespace,
    /// What `instanceRef` names, if it exists.
    pub source: Option<Source>,
    /// What `targetInstanceRef` names, if it exists and its kind is one we watch, whether consented to or not.
    pub target: Option<Target>,
    /// The kinds of its source and target of which no objects can be known, and why.
    pub unlisted: BTreeMap<ApiKind, Unlisted>,
    /// What the other namespaces consent to that the spec leads to, or that the status says the link leads to still.
    pub grants: Vec<Arc<Grant>>,
    /// The other links of this namespace whose `instanceRef.name` is the same, of whatever kind.
    pub siblings: Vec<Sibling>,
    /// What stands in the cluster of this link and of its source.
    pub children: Children,
    /// UIDs, among those that own the shared children, of objects that exist.
    pub living_owners: BTreeSet<String>,
    /// What the endpoints of this link's standing slices stand for, as far as it exists: not always the target of today.
    pub answering: Answering,
    /// What is known of the Secrets of the link's namespace.
    pub secrets: Secrets,
    /// What others have under names that a resolver tries for the alias, or that lead into its directory.
    pub namesakes: BTreeSet<Namesake>,
    /// The NetworkPolicies of others in the target's namespace that isolate pods.
    pub isolators: Vec<Arc<Isolator>>,
    /// What the cluster's DNS said of the alias when it was looked up last.
    pub lookup: Lookup,
    /// Children whose writes were refused in this pass; the next pass tries them again.
    pub refusals: BTreeMap<Key, Refusal>,
}

/// Something of others that has a name of the alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namesake {
    /// A slice that Kubernetes mirrors from an `Endpoints` object called like the directory.
    MirroredEndpoints,
    /// A Service of the link's namespace, called like the alias.
    ServiceBeside,
    /// A Service called like the alias, in a namespace called like the directory.
    ServiceElsewhere,
    /// A namespace called like the alias.
    Namespace,
}

/// What is known of the Secrets of the link's namespace: the operator sees them where it was given the right to, and only
/// while a link there needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// Nothing yet.
    #[default]
    Unknown,
    /// The operator may not see them. What is known of its own is what it last saw.
    Forbidden,
    /// All that counts.
    Known {
        /// The entries of the Secret that `outputs.binding.secretRef` names, if it exists.
        referenced: Option<Entries>,
    },
}

/// Objects that endpoints stand for.
#[derive(Clone, Debug, Default)]
pub struct Answering {
    /// Pods.
    pub pods: Vec<Arc<Pod>>,
    /// Services.
    pub services: Vec<Arc<Service>>,
}

/// A link as cached: without `managedFields` and last-applied.
#[derive(Clone, Debug)]
pub struct Link {
    /// The object.
    pub object: InstanceLink,
    /// Field manager that wrote the action annotation; empty if unknown.
    pub action_manager: String,
}

/// The namespace of the link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// UID: the ancestor's account; empty until the namespace was seen.
    pub uid: String,
    /// Being deleted: nothing can be created in it any more.
    pub terminating: bool,
    /// Labels, by which a grant may select it.
    pub labels: BTreeMap<String, String>,
}

/// Consent of a namespace to links from others.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The namespace that consents.
    pub namespace: String,
    /// UID.
    pub uid: String,
    /// Resource version.
    pub resource_version: String,
    /// Being deleted: it consents to nothing any more.
    pub terminating: bool,
    /// Where links may come from.
    pub from: Vec<GrantFrom>,
    /// Where they may lead.
    pub to: Vec<GrantTo>,
    /// What they may have done there.
    pub allow: BTreeSet<Permission>,
}

/// The instance that uses the alias.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// UID.
    pub uid: String,
    /// Which pods are its own.
    pub pods: LabelSelector,
    /// Being deleted: nothing it owns is created or repaired.
    pub terminating: bool,
}

/// A NetworkPolicy, not ours, that shuts out from the pods it selects whom no policy lets in.
#[derive(Clone, Debug, PartialEq)]
pub struct Isolator {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Which pods it selects.
    pub pods: LabelSelector,
}

/// The object the alias leads to, with the pods that may stand behind it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The object itself.
    pub object: TargetObject,
    /// Pods of its namespace that may be its endpoints; `resolve` decides which are.
    pub candidates: Vec<Candidate>,
}

/// The kinds of target.
#[derive(Clone, Debug)]
pub enum TargetObject {
    /// Deployment, StatefulSet, DaemonSet, ReplicaSet, or any other kind with a scale subresource.
    Workload(Arc<Workload>),
    /// A single pod; it is its own only candidate.
    Pod(Arc<Pod>),
    /// A Service.
    Service(Arc<Service>),
}

/// A pod that may be an endpoint.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The pod.
    pub pod: Arc<Pod>,
    /// The controller of the pod's ReplicaSet or StatefulSet, where one that is known controls it.
    pub grand_owner: Option<Owner>,
    /// Zone of the pod's node.
    pub zone: Option<String>,
}

/// A workload, reduced to what links need.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Deployment, StatefulSet, DaemonSet, ReplicaSet, or any other kind with a scale subresource.
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
    /// Which pods it selects. Empty where its scale tells no selector: then those that it owns.
    pub selector: LabelSelector,
    /// The ports its pod template declares.
    pub container_ports: Vec<ContainerPort>,
    /// Its controller (of a ReplicaSet: the Deployment).
    pub controller: Option<Owner>,
}

/// A kind, by the API that serves it. Those of Kubernetes itself are not allocated for each object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKind {
    /// `group/version`, or `version` of the core group.
    pub api_version: Cow<'static, str>,
    /// The kind.
    pub kind: Cow<'static, str>,
}

impl ApiKind {
    /// The kind of this name in this API.
    pub fn new(api_version: &str, kind: &str) -> Self {
        Self {
            api_version: Cow::Owned(api_version.to_owned()),
            kind: Cow::Owned(kind.to_owned()),
        }
    }

    /// Group and version; the group is empty for the core group.
    pub fn group_version(&self) -> (&str, &str) {
        self.api_version.split_once('/').unwrap_or(("", &self.api_version))
    }
}

impl std::fmt::Display for ApiKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.kind, self.api_version)
    }
}

impl From<WorkloadKind> for ApiKind {
    fn from(kind: WorkloadKind) -> Self {
        Self {
            api_version: Cow::Borrowed("apps/v1"),
            kind: Cow::Borrowed(kind.as_str()),
        }
    }
}

/// Why no objects of a kind can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// They are being listed; whether one exists is known soon.
    Pending,
    /// The API server serves no such kind.
    NotServed,
    /// It serves the kind, but no scale subresource that would tell the pods.
    NotScalable,
    /// The operator has no right to read them.
    Forbidden {
        /// The kind's name in rules of RBAC.
        plural: String,
    },
}

/// The kinds of workload that every cluster has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// Deployment.
    Deployment,
    /// StatefulSet.
    StatefulSet,
    /// DaemonSet.
    DaemonSet,
    /// ReplicaSet.
    ReplicaSet,
}

impl WorkloadKind {
    /// The API's name of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
        }
    }
}

/// A pod, reduced to what links need.
#[derive(Clone, Debug, PartialEq)]
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
    /// Its controller.
    pub controller: Option<Owner>,
    /// Its addresses; at most one of each family.
    pub addresses: Vec<IpAddr>,
    /// The node it runs on.
    pub node: Option<String>,
    /// Its Ready condition.
    pub ready: bool,
    /// Being deleted.
    pub terminating: bool,
    /// Succeeded or Failed: it will never answer again, and its address may belong to another pod.
    pub finished: bool,
    /// The ports its containers declare.
    pub container_ports: Vec<ContainerPort>,
    /// Its readiness gates that are aliases. Almost no pod has any: the others carry a pointer.
    pub gates: Option<Box<Gates>>,
}

/// A port that a container declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// Its name; empty if it has none.
    pub name: String,
    /// Its number.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

/// A Service as target, reduced to what links need.
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
    /// Of type ExternalName: it has no addresses.
    pub external_name: bool,
    /// Its cluster IPs; empty for a headless Service.
    pub cluster_ips: Vec<IpAddr>,
    /// Which pods it selects; none for a Service whose endpoints somebody else writes.
    pub selector: BTreeMap<String, String>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// It publishes pods that are not ready, too.
    pub publish_not_ready_addresses: bool,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePort {
    /// Its name; empty if it has none.
    pub name: String,
    /// The port of the cluster IP.
    pub port: u16,
    /// The port of the pods; the same where it is absent.
    pub target_port: Option<IntOrString>,
    /// Its protocol.
    pub protocol: Protocol,
}

/// Another link of the same source name.
#[derive(Clone, Debug)]
pub struct Sibling {
    /// The object.
    pub object: Arc<InstanceLink>,
    /// Slices or a Secret of it stand, or entries in an environment.
    pub has_children: bool,
}
