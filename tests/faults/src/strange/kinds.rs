//! Every kind that the operator reads, and a small valid object of each.

use serde_json::{Value, json};

use crate::raw::{path_of, plural_of};

/// Who writes the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A user with the role `edit` in the namespace.
    Editor,
    /// Its administrator or a controller: `edit` has no right to the kind.
    Administrator,
}

/// A kind that the operator reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// `apiVersion`.
    pub api_version: &'static str,
    /// `kind`.
    pub kind: &'static str,
    /// Who writes its objects.
    pub writer: Writer,
}

const fn kind(api_version: &'static str, kind: &'static str) -> Kind {
    Kind {
        api_version,
        kind,
        writer: Writer::Editor,
    }
}

const fn administered(api_version: &'static str, name: &'static str) -> Kind {
    Kind {
        writer: Writer::Administrator,
        ..kind(api_version, name)
    }
}

/// All of them. A cluster has one Namespace for each object of that kind, so they are few (`count`).
pub static KINDS: [Kind; 17] = [
    kind("instancelink.dev/v1alpha1", "InstanceLink"),
    administered("instancelink.dev/v1alpha1", "InstanceLinkGrant"),
    administered("gateway.networking.k8s.io/v1", "ReferenceGrant"),
    kind("apps/v1", "Deployment"),
    kind("apps/v1", "StatefulSet"),
    kind("apps/v1", "DaemonSet"),
    kind("apps/v1", "ReplicaSet"),
    kind("batch/v1", "Job"),
    kind("batch/v1", "CronJob"),
    kind("v1", "Pod"),
    kind("v1", "Service"),
    administered("discovery.k8s.io/v1", "EndpointSlice"),
    kind("networking.k8s.io/v1", "NetworkPolicy"),
    kind("v1", "ConfigMap"),
    kind("v1", "Secret"),
    administered("v1", "Namespace"),
    administered("example.com/v1", "Widget"),
];

impl Kind {
    /// The path of its collection in this namespace, or of an object.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        let namespace = if self.kind == "Namespace" { "" } else { namespace };
        path_of(self.api_version, namespace, &plural_of(self.kind), name)
    }

    /// How many of a number of objects it gets.
    pub fn count(&self, number: u32) -> u32 {
        if self.kind == "Namespace" { number / 4 } else { number }
    }

    /// Whether a link can have it as its target.
    pub fn is_target(&self) -> bool {
        matches!(
            self.kind,
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod" | "Service" | "Widget"
        )
    }

    /// A small valid object.
    pub(super) fn base(&self, name: &str) -> Value {
        let name = if self.kind == "Namespace" {
            format!("strange-{name}")
        } else {
            name.to_owned()
        };
        let mut object = self.content(&name);
        object["apiVersion"] = self.api_version.into();
        object["kind"] = self.kind.into();
        object["metadata"]["name"] = name.into();
        object
    }

    fn content(&self, name: &str) -> Value {
        let labels = json!({"app": name});
        let pod =
            json!({"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "localhost/none"}]});
        let selector = json!({"matchLabels": labels});
        let template = json!({"metadata": {"labels": labels}, "spec": pod});
        match self.kind {
            "InstanceLink" => json!({"spec": {
                "linkName": name, "instanceRef": {"kind": "Deployment", "name": "web"},
                "targetInstanceRef": {"kind": "Service", "name": "pg"}, "activation": {"targetWaitSeconds": 0},
            }}),
            "InstanceLinkGrant" => json!({"spec": {
                "from": [{"namespace": "nobody"}], "to": [{"kind": "Deployment", "name": "nothing"}],
            }}),
            "ReferenceGrant" => json!({"spec": {
                "from": [{"group": "instancelink.dev", "kind": "InstanceLink", "namespace": "nobody"}],
                "to": [{"group": "", "kind": "Service"}],
            }}),
            "StatefulSet" => {
                json!({"spec": {"replicas": 0, "serviceName": name, "selector": selector, "template": template}})
            }
            "DaemonSet" => json!({"spec": {"selector": selector, "template": template}}),
            "Deployment" | "ReplicaSet" => json!({"spec": {"replicas": 0, "selector": selector, "template": template}}),
            "Job" => json!({"spec": {"suspend": true, "template": ends(template)}}),
            "CronJob" => json!({"spec": {
                "schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": {"spec": {"template": ends(template)}},
            }}),
            "Pod" => json!({"metadata": {"labels": labels}, "spec": pod}),
            "Service" => json!({"spec": {"ports": [{"name": "pg", "port": 5432}]}}),
            "EndpointSlice" => json!({
                "metadata": {"labels": {
                    "app.kubernetes.io/managed-by": "instancelink",
                    "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
                    "kubernetes.io/service-name": "pg",
                }},
                "addressType": "IPv4", "endpoints": [], "ports": [],
            }),
            "NetworkPolicy" => json!({"spec": {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": []}}),
            "ConfigMap" => {
                json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "instancelink"}}, "data": {"a": "b"}})
            }
            "Secret" => {
                json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "instancelink"}}, "data": {"a": "Yg=="}})
            }
            "Widget" => json!({"spec": {"replicas": 1}}),
            _ => json!({"metadata": {"labels": {"team": "strange"}}}),
        }
    }
}

/// The template of pods that are not started again.
fn ends(mut template: Value) -> Value {
    template["spec"]["restartPolicy"] = "Never".into();
    template
}
