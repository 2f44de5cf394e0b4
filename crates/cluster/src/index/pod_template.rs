//! The fields of pods and of pod templates that are read.

use std::collections::BTreeMap;

use instancelink_api::spec::Protocol;
use instancelink_core::child::Owner;
use instancelink_core::readiness::alias_of;
use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::{ContainerPort, Gate, GateVerdict, Gates};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

/// Gates of a pod that are read. The API server has no limit, and a pod can have thirty thousand; each of them is compared
/// with the others and with each link of the source. The pod with more of them is not ready.
const MOST_GATES: usize = 64;

/// The spec of a workload.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WorkloadSpec {
    /// The selector of its pods.
    pub selector: Option<Selector>,
    /// Its pod template.
    #[serde(default)]
    pub template: Template,
}

/// The spec of a CronJob. It has no selector; the labels of its pods are in the template of its Jobs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CronJobSpec {
    #[serde(default)]
    job_template: JobTemplate,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct JobTemplate {
    #[serde(default)]
    spec: JobSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct JobSpec {
    #[serde(default)]
    template: TemplateLabels,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct TemplateLabels {
    #[serde(default)]
    metadata: Labels,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Labels {
    labels: Option<BTreeMap<String, String>>,
}

impl From<CronJobSpec> for WorkloadSpec {
    fn from(spec: CronJobSpec) -> Self {
        let labels = spec.job_template.spec.template.metadata.labels;
        Self {
            selector: labels.map(|labels| Selector::of_labels(&labels)),
            template: Template::default(),
        }
    }
}

/// A pod template.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Template {
    /// The spec of its pods.
    #[serde(default)]
    pub spec: PodSpec,
}

/// The spec of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec {
    /// The node it runs on.
    pub node_name: Option<String>,
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
    pub fn container_ports(&self) -> Vec<ContainerPort> {
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

    /// The readiness gates that name aliases, with the condition of each.
    pub fn gates(&self, status: &PodStatus) -> Option<Box<Gates>> {
        let mut gates: Vec<Gate> = Vec::new();
        for gate in self.readiness_gates.iter().flatten() {
            let Some(alias) = alias_of(&gate.condition_type) else {
                continue;
            };
            if gates.iter().any(|known| known.alias == alias) {
                continue;
            }
            if gates.len() == MOST_GATES {
                break;
            }
            let conditions = status.conditions.iter().flatten();
            let observed = conditions.into_iter().find(|c| c.type_ == gate.condition_type);
            gates.push(Gate {
                alias: alias.to_owned(),
                observed: observed.map(|c| GateVerdict {
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
pub struct PodStatus {
    /// Its phase.
    pub phase: Option<String>,
    /// Its first address.
    #[serde(rename = "podIP")]
    pub pod_ip: Option<String>,
    /// Its addresses, one a family.
    #[serde(rename = "podIPs")]
    pub pod_ips: Option<Vec<PodIp>>,
    /// Its conditions.
    pub conditions: Option<Vec<PodCondition>>,
}

/// An address of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PodIp {
    /// The address.
    #[serde(default)]
    pub ip: String,
}

/// A condition of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PodCondition {
    /// Its type.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    reason: Option<String>,
    message: Option<String>,
}

/// The owner that controls an object.
pub fn controller_of(meta: &ObjectMeta) -> Option<Owner> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// contract#readiness-gates
    #[test]
    fn of_very_many_readiness_gates_the_first_are_read() {
        let gate = |number: usize| json!({"conditionType": format!("instancelink.dev/a{number}")});
        let gates: Vec<_> = (0..30_000)
            .flat_map(|number| [gate(number / 2), json!({"conditionType": "x/y"})])
            .collect();
        let condition = |number: usize| json!({"type": format!("instancelink.dev/a{number}"), "status": "True"});
        let conditions: Vec<_> = (0..30_000).map(condition).collect();
        let spec: PodSpec = serde_json::from_value(json!({"readinessGates": gates})).unwrap();
        let status: PodStatus = serde_json::from_value(json!({"conditions": conditions})).unwrap();
        let read = spec.gates(&status).unwrap();
        assert_eq!(read.0.len(), MOST_GATES);
        assert!(read.0.iter().all(|gate| gate.observed.is_some()));
    }
}
