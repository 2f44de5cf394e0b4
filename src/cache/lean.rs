//! Objects as they come over the watch, with only the fields that links need: the rest is skipped while parsing, and
//! never allocated. A pod is thirty kilobytes on the wire and a few hundred bytes here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use instancelink_api::spec::Protocol;
use instancelink_core::child::Owner;
use instancelink_core::readiness::{Gate, Gates, Verdict, alias_of};
use instancelink_core::snapshot::ContainerPort;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference, Time};
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::{Deserialize, Deserializer};

/// An object of any kind, reduced to some metadata, a spec and a status of our own. Its kind is said beside it, so that
/// all kinds of one shape are watched by the same code.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "S: Deserialize<'de> + Default, T: Deserialize<'de> + Default"))]
pub(crate) struct Lean<S, T> {
    #[serde(deserialize_with = "lean_metadata")]
    pub(crate) metadata: ObjectMeta,
    #[serde(default)]
    pub(crate) spec: S,
    #[serde(default)]
    pub(crate) status: T,
}

/// An object of which only metadata is looked at.
pub(crate) type LeanMetadata = Lean<Ignored, Ignored>;

/// A status or spec that nobody looks at.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Ignored {}

impl<S, T> Resource for Lean<S, T> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeanMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
    deletion_timestamp: Option<Time>,
}

fn lean_metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let meta = LeanMeta::deserialize(deserializer)?;
    Ok(ObjectMeta {
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        resource_version: meta.resource_version,
        labels: meta.labels,
        owner_references: meta.owner_references,
        deletion_timestamp: meta.deletion_timestamp,
        ..ObjectMeta::default()
    })
}

/// The spec of a workload.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct WorkloadSpec {
    pub(crate) selector: Option<LabelSelector>,
    #[serde(default)]
    pub(crate) template: Template,
}

/// A pod template.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Template {
    #[serde(default)]
    pub(crate) spec: PodSpec,
}

/// The spec of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodSpec {
    pub(crate) node_name: Option<String>,
    containers: Option<Vec<Container>>,
    init_containers: Option<Vec<Container>>,
    readiness_gates: Option<Vec<ReadinessGate>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadinessGate {
    condition_type: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    ports: Option<Vec<Port>>,
    restart_policy: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    name: Option<String>,
    #[serde(rename = "containerPort")]
    number: u16,
    protocol: Option<String>,
}

impl PodSpec {
    /// The ports of all containers that run as long as the pod does: sidecars are init containers that restart.
    pub(crate) fn container_ports(&self) -> Vec<ContainerPort> {
        let sidecars = self
            .init_containers
            .iter()
            .flatten()
            .filter(|c| c.restart_policy.as_deref() == Some("Always"));
        self.containers
            .iter()
            .flatten()
            .chain(sidecars)
            .flat_map(|c| c.ports.iter().flatten())
            .map(|p| ContainerPort {
                name: p.name.clone().unwrap_or_default(),
                port: p.number,
                protocol: Protocol::of(p.protocol.as_deref()),
            })
            .collect()
    }
}

impl PodSpec {
    /// The readiness gates that are aliases, with what the status says to each.
    pub(crate) fn gates(&self, status: &PodStatus) -> Option<Box<Gates>> {
        let mut gates: Vec<Gate> = Vec::new();
        for gate in self.readiness_gates.iter().flatten() {
            let Some(alias) = alias_of(&gate.condition_type) else {
                continue;
            };
            if gates.iter().any(|known| known.alias == alias) {
                continue;
            }
            let conditions = status.conditions.iter().flatten();
            let standing = conditions.into_iter().find(|c| c.type_ == gate.condition_type);
            gates.push(Gate {
                alias: alias.to_owned(),
                standing: standing.map(|c| Verdict {
                    open: c.status == "True",
                    reason: c.reason.clone().unwrap_or_default(),
                    message: c.message.clone().unwrap_or_default(),
                }),
            });
        }
        (!gates.is_empty()).then(|| Box::new(Gates(gates)))
    }
}

/// The status of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodStatus {
    pub(crate) phase: Option<String>,
    #[serde(rename = "podIP")]
    pub(crate) pod_ip: Option<String>,
    #[serde(rename = "podIPs")]
    pub(crate) pod_ips: Option<Vec<PodIp>>,
    pub(crate) conditions: Option<Vec<PodCondition>>,
}

/// An address of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PodIp {
    #[serde(default)]
    pub(crate) ip: String,
}

/// A condition of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PodCondition {
    #[serde(rename = "type")]
    pub(crate) type_: String,
    pub(crate) status: String,
    reason: Option<String>,
    message: Option<String>,
}

/// The owner that controls an object.
pub(crate) fn controller_of(meta: &ObjectMeta) -> Option<Owner> {
    meta.owner_references
        .iter()
        .flatten()
        .find(|r| r.controller == Some(true))
        .map(|r| Owner {
            api_version: r.api_version.clone(),
            kind: r.kind.clone(),
            name: r.name.clone(),
            uid: r.uid.clone(),
        })
}
