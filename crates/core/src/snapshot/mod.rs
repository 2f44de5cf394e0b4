//! The snapshot: everything that a decision about one link may read, as plain data that a test can build.

mod kind;
mod pod;
mod service_slice;
mod target;
mod unusable;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use instancelink_api::grant::{GrantTo, Permission};
use instancelink_api::{Infrastructure, InstanceLink};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::child::{Children, Entries, Key};
use crate::disputes::Disputes;
use crate::external_name::ExternalNames;
use crate::refusal::Refusal;
use crate::resolve::selector::Selector;
use crate::rights::Account;
use crate::verify::Lookup;

pub use kind::{ApiKind, Unlisted, WorkloadKind};
pub use pod::{ContainerPort, Gate, GateVerdict, Gates, Pod};
pub use service_slice::{ServiceSlice, SliceAddress};
pub use target::{Candidate, Import, Service, ServicePort, Target, TargetObject, Workload};
pub use unusable::{Unusable, UnusableEnds};

/// Everything that a pass over one link may read. It is observed from the caches without a request, and then updated with the
/// answers to the pass' own writes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The time of this pass.
    pub now: Timestamp,
    /// The cluster's DNS domain, such as `cluster.local`.
    pub cluster_domain: String,
    /// The operator's own account, for messages about rights that it lacks.
    pub account: Account,
    /// Labels and annotations that the operator's options put on each child.
    pub child_defaults: Arc<Infrastructure>,
    /// The link.
    pub link: Link,
    /// Its namespace.
    pub namespace: Namespace,
    /// The source that `instanceRef` names, if it exists.
    pub source: Option<Source>,
    /// The source does not exist, and pods that were its own still run. Only observed while the link is up.
    pub pods_of_former_source: bool,
    /// How long the link stays active for such pods.
    pub source_grace: SignedDuration,
    /// The target that `targetInstanceRef` names, if it exists and its kind is watched, with or without consent.
    pub target: Option<Target>,
    /// The kinds of source and target whose objects are unknown, and why.
    pub unlisted: BTreeMap<ApiKind, Unlisted>,
    /// Why source and target cannot be used, if they exist and cannot.
    pub unusable: UnusableEnds,
    /// The grants of the target's namespace, both for the target in the spec and for the one in the status.
    pub grants: Vec<Arc<Grant>>,
    /// The other links of this namespace with the same `instanceRef.name`, of any kind.
    pub siblings: Vec<Sibling>,
    /// The observed children of this link and of its source.
    pub children: Children,
    /// The UIDs of existing owners of the shared children.
    pub living_owners: BTreeSet<String>,
    /// The existing pods and Services behind the endpoints of this link's slices. They may belong to an earlier target.
    pub answering: Answering,
    /// The pods behind the link's slices while the object that they were written for is missing.
    pub kept_pods: Vec<Candidate>,
    /// The Secrets of the link's namespace, as far as they are known.
    pub secrets: Secrets,
    /// Objects of others that may answer under a name of the alias.
    pub namesakes: BTreeSet<Namesake>,
    /// The NetworkPolicies of others in the target's namespace that isolate pods for ingress.
    pub isolators: Vec<Arc<Isolator>>,
    /// The pods of the target's namespace that the labels of the target select, the target's own and others. Empty if the link
    /// asks for no policy.
    pub selected: Vec<Arc<Pod>>,
    /// What decides whether the link may open the egress of its source.
    pub egress: Egress,
    /// What is known of the external names that the link leads to.
    pub external_names: ExternalNames,
    /// The result of the last DNS lookup of the alias.
    pub lookup: Lookup,
    /// Children whose writes were refused in this pass; the next pass tries them again.
    pub refusals: BTreeMap<Key, Refusal>,
    /// How often a write of the link itself was refused in this pass; the next pass tries it again.
    pub link_refusals: u8,
    /// The operator's own recent writes of the link's children, and what others did to them.
    pub disputes: Disputes,
}

/// An object of others that may answer under a name of the alias (contract#alias-shadowed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namesake {
    /// A slice that Kubernetes mirrors from an `Endpoints` object with the directory's name.
    MirroredEndpoints,
    /// A Service of the link's namespace with the alias' name.
    ServiceBeside,
    /// A Service with the alias' name, in a namespace with the directory's name.
    ServiceElsewhere,
    /// A namespace with the alias' name.
    Namespace,
}

/// The Secrets of the link's namespace. The operator reads them only with a right to them, and only while a link there needs
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// They have not been read yet.
    #[default]
    Unknown,
    /// The operator may not read them. Its own Secrets are as it last saw them.
    Forbidden,
    /// They are known.
    Known {
        /// The Secret that `outputs.binding.secretRef` names, if it exists.
        referenced: Option<Referenced>,
    },
}

/// The Secret that `outputs.binding.secretRef` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Referenced {
    /// A Secret of others, with these entries.
    Entries(Entries),
    /// The binding of a link.
    Binding,
    /// One that cannot be used.
    Unusable(Unusable),
}

impl From<Entries> for Referenced {
    fn from(entries: Entries) -> Self {
        Self::Entries(entries)
    }
}

/// The existing objects behind the endpoints of slices.
#[derive(Clone, Debug, Default)]
pub struct Answering {
    /// Pods.
    pub pods: Vec<Arc<Pod>>,
    /// Services.
    pub services: Vec<Arc<Service>>,
    /// The slices that others write for these Services.
    pub slices: Vec<Arc<ServiceSlice>>,
}

/// A link as in the caches: without `managedFields` and last-applied.
#[derive(Clone, Debug)]
pub struct Link {
    /// The object.
    pub object: InstanceLink,
    /// The field manager that wrote the action annotation; empty if it is unknown.
    pub action_manager: String,
    /// Why it cannot be used as a whole. Then only those of its fields count that can be read.
    pub unusable: Option<Unusable>,
}

impl Link {
    /// Why the spec of the link cannot be used. A status alone can be written again.
    pub(crate) fn why_unusable(&self) -> Option<&Unusable> {
        self.unusable.as_ref().filter(|why| why.status_field().is_none())
    }
}

/// The namespace of the link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its UID, the `accountId` of Rancher 1.x; empty until the namespace was seen.
    pub uid: String,
    /// Being deleted: nothing can be created in it.
    pub terminating: bool,
    /// Its labels, which a grant may select.
    pub labels: BTreeMap<String, String>,
}

/// The consent of a namespace to links from others.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The namespace that consents.
    pub namespace: String,
    /// UID.
    pub uid: String,
    /// Resource version.
    pub resource_version: String,
    /// Being deleted: it no longer counts.
    pub terminating: bool,
    /// The namespaces that links may come from.
    pub from: Vec<Origin>,
    /// The targets that they may have.
    pub to: Vec<GrantTo>,
    /// What is allowed for them.
    pub allow: BTreeSet<Permission>,
    /// Generation of its spec.
    pub generation: Option<i64>,
    /// Which entries of its spec are invalid, and why. The lists above do not have them.
    pub problem: Option<String>,
    /// The condition `Accepted` in its status.
    pub accepted: Option<Condition>,
}

/// The namespaces that links may come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// The one of this name.
    Namespace(String),
    /// Those with labels that this selects.
    Selected(Selector),
}

/// The source of a link: the instance that uses the alias.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// UID.
    pub uid: String,
    /// The selector of its pods.
    pub pods: Selector,
    /// Being deleted: nothing that it owns is created or repaired.
    pub terminating: bool,
}

/// What decides whether the link may open the egress of its source: objects of the link's namespace. Empty if the link asks
/// for no policy.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    /// The NetworkPolicies of others that isolate pods for egress.
    pub isolators: Vec<Arc<Isolator>>,
    /// The pods that the selector of the source selects, the source's own and others.
    pub selected: Vec<Arc<Pod>>,
}

/// A NetworkPolicy of others that isolates the pods that it selects, for ingress or for egress.
#[derive(Clone, Debug, PartialEq)]
pub struct Isolator {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The selector of its pods.
    pub pods: Selector,
}

/// Another link with the same source name.
#[derive(Clone, Debug)]
pub struct Sibling {
    /// The object.
    pub object: Arc<InstanceLink>,
    /// It has slices, a Secret, or an entry in an environment.
    pub has_children: bool,
}
