//! `spec`: the fields that a user sets, with their defaults and the rules that the API server checks.

#![allow(unreachable_pub)] // the derive repeats each struct in a private scope, where the lint cannot see its use

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Infrastructure, InstanceLinkStatus, InstanceRef, State, TargetRef};

/// A dependency of one workload on another, under a name.
///
/// While the link is active, `<linkName>.<instance>-links.<namespace>.svc` resolves to the target's ready endpoints.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "instancelink.dev",
    version = "v1alpha1",
    kind = "InstanceLink",
    plural = "instancelinks",
    shortname = "il",
    category = "links",
    namespaced,
    status = "InstanceLinkStatus",
    derive = "PartialEq",
    selectable = ".status.state",
    selectable = ".status.id",
    selectable = ".spec.linkName",
    selectable = ".spec.instanceRef.name",
    selectable = ".spec.targetInstanceRef.name",
    printcolumn = r#"{"name":"State","type":"string","jsonPath":".status.state"}"#,
    printcolumn = r#"{"name":"Alias","type":"string","jsonPath":".spec.linkName"}"#,
    printcolumn = r#"{"name":"Instance","type":"string","jsonPath":".spec.instanceRef.name"}"#,
    printcolumn = r#"{"name":"Target","type":"string","jsonPath":".spec.targetInstanceRef.name"}"#,
    printcolumn = r#"{"name":"Available","type":"string","jsonPath":".status.conditions[?(@.type==\"Available\")].status"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"FQDN","type":"string","jsonPath":".status.fqdn","priority":1}"#,
    printcolumn = r#"{"name":"Desired","type":"string","jsonPath":".spec.desiredState","priority":1}"#,
    printcolumn = r#"{"name":"Last action","type":"string","jsonPath":".status.lastAction.action","priority":1}"#,
    printcolumn = r#"{"name":"Message","type":"string","jsonPath":".status.transitioningMessage","priority":1}"#,
    printcolumn = r#"{"name":"UUID","type":"string","jsonPath":".status.uuid","priority":1}"#,
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$')").message("metadata.name must be a DNS-1035 label of at most 52 characters: a lower-case letter, then letters, digits and '-'; write e.g. web-db"),
    validation = Rule::new("!has(self.spec.outputs) || !has(self.spec.outputs.binding) || !has(self.spec.outputs.binding.secretRef) || self.spec.outputs.binding.secretRef.name != self.metadata.name + '-binding'").message("outputs.binding.secretRef must not name the Secret that this link itself writes; name the one that holds the credentials"),
)]
#[x_kube(
    validation = ("!has(self.addressing) || self.addressing != 'ServiceIP' || !has(self.targetInstanceRef) || self.targetInstanceRef.kind == 'Service'", "addressing ServiceIP needs a target of kind Service; write addressing: PodIP, or remove addressing"),
    validation = ("!has(self.addressing) || self.addressing != 'VirtualIP' || (has(self.ports) && self.ports.size() > 0)", "addressing VirtualIP needs ports; list the ports of the alias in spec.ports"),
    validation = ("!has(self.ports) || self.ports.size() < 2 || self.linkName.size() <= 46", "linkName must have at most 46 characters when there is more than one port; write a shorter one"),
    validation = ("!has(self.ports) || (has(self.addressing) && self.addressing == 'VirtualIP') || self.ports.all(p, !has(p.targetPort))", "targetPort works only with addressing: VirtualIP; write the pod's port as port, or set addressing: VirtualIP"),
)]
#[serde(rename_all = "camelCase")]
pub struct InstanceLinkSpec {
    /// Display name. An edit does not change the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub name: Option<String>,

    /// What the link is for. An edit does not change the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,

    /// The alias under which the source knows the target: a DNS-1035 label without `--`. Immutable.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(
        validation = ("self == oldSelf", "linkName is immutable; create a new link for another alias"),
        validation = ("self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && !self.contains('--')", "linkName must be a DNS-1035 label without '--': a lower-case letter, then letters, digits and single '-'; write e.g. db or cache-1"),
        validation = ("!(self in ['localhost', 'kubernetes', 'wpad', 'isatap'])", "linkName must not be localhost, kubernetes, wpad or isatap, which resolvers treat in a special way; write another alias"),
    )]
    pub link_name: String,

    /// The instance that uses the alias, in this namespace. Immutable.
    // Immutable. If the kind determines apiVersion, a user can still add apiVersion later: that is no change.
    #[x_kube(
        validation = ("self.kind == oldSelf.kind && self.name == oldSelf.name && (has(self.apiVersion) ? self.apiVersion : self.kind == 'Pod' ? 'v1' : self.kind in ['Job', 'CronJob'] ? 'batch/v1' : 'apps/v1') == (has(oldSelf.apiVersion) ? oldSelf.apiVersion : oldSelf.kind == 'Pod' ? 'v1' : oldSelf.kind in ['Job', 'CronJob'] ? 'batch/v1' : 'apps/v1')", "instanceRef is immutable; create a new link for another source"),
        validation = ("has(self.apiVersion) || self.kind in ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob', 'Pod']", "instanceRef.kind must be Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob or Pod; for another kind with a scale subresource also write its apiVersion, e.g. argoproj.io/v1alpha1 for a Rollout"),
        validation = ("!has(self.apiVersion) || (self.apiVersion == 'v1' ? self.kind in ['Pod'] : self.apiVersion.startsWith('apps/') ? self.apiVersion == 'apps/v1' && self.kind in ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'] : self.apiVersion.startsWith('batch/') ? self.apiVersion == 'batch/v1' && self.kind in ['Job', 'CronJob'] : self.apiVersion.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))", "instanceRef.apiVersion must be v1 for a Pod, apps/v1 for Deployment, StatefulSet, DaemonSet and ReplicaSet, batch/v1 for Job and CronJob, or the group/version of another kind with a scale subresource, e.g. argoproj.io/v1alpha1"),
        validation = ("self.kind.matches('^[A-Za-z][A-Za-z0-9]*$')", "instanceRef.kind must be the name of a kind: letters and digits; write e.g. Deployment"),
        validation = ("self.name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')", "instanceRef.name must be the name of an object: lower-case letters, digits, '-' and '.'"),
    )]
    pub instance_ref: InstanceRef,

    /// The instance that the alias resolves to. If unset, nothing answers under the alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = ("has(self.apiVersion) ? !self.apiVersion.startsWith('batch/') : !(self.kind in ['Job', 'CronJob'])", "targetInstanceRef cannot be a Job or CronJob, because their pods end; write a Service that selects the pods, or a workload whose pods keep running"),
        validation = ("has(self.apiVersion) || self.kind in ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob', 'Pod', 'Service']", "targetInstanceRef.kind must be Deployment, StatefulSet, DaemonSet, ReplicaSet, Pod or Service; for another kind with a scale subresource also write its apiVersion, e.g. argoproj.io/v1alpha1 for a Rollout"),
        validation = ("!has(self.apiVersion) || (self.apiVersion == 'v1' ? self.kind in ['Pod', 'Service'] : self.apiVersion.startsWith('apps/') ? self.apiVersion == 'apps/v1' && self.kind in ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'] : self.apiVersion.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))", "targetInstanceRef.apiVersion must be v1 for Pod and Service, apps/v1 for Deployment, StatefulSet, DaemonSet and ReplicaSet, or the group/version of another kind with a scale subresource, e.g. argoproj.io/v1alpha1"),
        validation = ("self.kind.matches('^[A-Za-z][A-Za-z0-9]*$')", "targetInstanceRef.kind must be the name of a kind: letters and digits; write e.g. Deployment"),
        validation = ("self.name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')", "targetInstanceRef.name must be the name of an object: lower-case letters, digits, '-' and '.'"),
        validation = ("!has(self.__namespace__) || self.__namespace__.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')", "targetInstanceRef.namespace must be the name of a namespace: lower-case letters, digits and '-'"),
    )]
    pub target_instance_ref: Option<TargetRef>,

    /// The state that the link is to have. If unset, the last accepted action decides; before the first action it is Active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_state: Option<DesiredState>,

    /// The ports of the alias. If unset, the ports that the target declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    #[x_kube(
        validation = ("self.all(p, self.exists_one(q, q.port == p.port && (has(q.protocol) ? q.protocol : 'TCP') == (has(p.protocol) ? p.protocol : 'TCP')))", "each pair of port and protocol can be in ports only once (without protocol it is TCP); remove the repeated one"),
    )]
    pub ports: Option<Vec<LinkPort>>,

    /// The addresses that the alias resolves to. Auto is the cluster IP of a Service that has one, else the pods' addresses.
    #[serde(default)]
    pub addressing: Addressing,

    /// Whether the alias also resolves to pods that are not ready.
    #[serde(default)]
    pub publish_not_ready_addresses: bool,

    /// How the link becomes active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,

    /// How the link becomes inactive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivation: Option<Deactivation>,

    /// Whether NetworkPolicies let the source's pods connect to the target's pods while the link is active.
    #[serde(default)]
    pub network_policy: NetworkPolicyMode,

    /// What the link writes in addition while it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,

    /// Labels and annotations for the objects that the operator creates for the link. An edit does not change the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infrastructure: Option<Infrastructure>,

    /// Seconds after which a removed link is purged. If unset, it is kept until it is purged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ttl_seconds_after_removed: Option<i64>,

    /// Seconds after which the object of a purged link is deleted.
    #[serde(default = "default_ttl_after_purged")]
    #[schemars(range(min = 0))]
    pub ttl_seconds_after_purged: i64,
}

fn default_ttl_after_purged() -> i64 {
    3600
}

/// The state that the link is to have. If unset, the last accepted action decides; before the first action it is Active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DesiredState {
    /// The alias resolves to the target.
    Active,
    /// The alias does not resolve; the link and its alias are kept.
    Inactive,
}

/// The addresses that the alias resolves to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Addressing {
    /// ServiceIP for a Service with a cluster IP, else PodIP.
    #[default]
    Auto,
    /// The addresses of the target's pods.
    PodIP,
    /// The cluster IPs of the target Service.
    ServiceIP,
    /// A cluster IP that belongs to the link.
    VirtualIP,
}

/// Whether the link writes a NetworkPolicy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum NetworkPolicyMode {
    /// The link writes no NetworkPolicy.
    #[default]
    None,
    /// Ingress and egress from the source's pods to the target's pods on the link's ports, at each end that policies of others
    /// isolate.
    Allow,
}

/// One port of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkPort {
    /// Name of the port, unique within the link.
    #[schemars(length(min = 1, max = 15))]
    #[x_kube(validation = ("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.matches('[a-z]') && !self.contains('--')", "a port's name has at most 15 lower-case letters, digits and single '-', with at least one letter; write e.g. http or pg-1"))]
    pub name: String,
    /// Port number, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// Port of the pods, only with VirtualIP: a number or the name of a container port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    // By schema and not by CEL: the cost of a rule over int-or-string is estimated for a string of 3 MB in each port.
    #[schemars(extend("minimum" = 1, "maximum" = 65535, "maxLength" = 15, "pattern" = "^([0-9]+-)*[0-9]*[a-z](-?[a-z0-9])*$"))]
    pub target_port: Option<k8s_openapi::apimachinery::pkg::util::intstr::IntOrString>,
    /// Protocol of the port. If unset, TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
}

/// Transport protocol of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// The protocol of this name. Without one it is TCP, as everywhere in Kubernetes.
    pub fn of(name: Option<&str>) -> Self {
        match name {
            Some("UDP") => Self::Udp,
            Some("SCTP") => Self::Sctp,
            _ => Self::Tcp,
        }
    }

    /// `TCP`, `UDP` or `SCTP`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

/// How a link becomes active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Activation {
    /// Seconds to wait for a ready endpoint of the target; after that the link becomes active without one.
    #[serde(default = "default_target_wait")]
    #[schemars(range(min = 0, max = 3600))]
    pub target_wait_seconds: i64,
}

/// The waiting time in seconds where the spec has none; `linkWaitTime` of Rancher 1.x.
pub const DEFAULT_TARGET_WAIT_SECONDS: i64 = 15;

fn default_target_wait() -> i64 {
    DEFAULT_TARGET_WAIT_SECONDS
}

/// How a link becomes inactive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deactivation {
    /// Seconds between the time when the alias no longer resolves and the deletion of the link's objects.
    #[serde(default)]
    #[schemars(range(min = 0, max = 3600))]
    pub drain_seconds: i64,
}

/// What a link writes in addition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The environment variables of Docker links, in the ConfigMap of the source.
    #[serde(default)]
    pub environment: EnvironmentMode,
    /// A Secret that follows the servicebinding.io specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// Which environment variables are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EnvironmentMode {
    /// The variables of Docker links.
    #[default]
    Docker,
    /// None.
    None,
}

/// The binding Secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// Type of the service, such as `postgresql`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 63))]
    pub type_: String,
    /// Provider of the service, such as `bitnami`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub provider: Option<String>,
    /// A Secret in the link's namespace whose keys are added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// A Secret in the link's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

impl InstanceLink {
    /// The state in its status; `requested` without one.
    pub fn state(&self) -> State {
        self.status.as_ref().map(|status| status.state).unwrap_or_default()
    }
}

impl InstanceLinkSpec {
    /// Seconds to wait for the target's first ready endpoint.
    pub fn target_wait_seconds(&self) -> i64 {
        self.activation
            .as_ref()
            .map_or(DEFAULT_TARGET_WAIT_SECONDS, |a| a.target_wait_seconds)
    }

    /// Seconds that open connections have after the alias no longer resolves.
    pub fn drain_seconds(&self) -> i64 {
        self.deactivation.as_ref().map_or(0, |d| d.drain_seconds)
    }

    /// Which environment variables are written.
    pub fn environment(&self) -> EnvironmentMode {
        self.outputs.as_ref().map(|o| o.environment).unwrap_or_default()
    }
}
