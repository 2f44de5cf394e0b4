//! Workloads and pods with the names, labels and owners of the other tenant's.

use serde_json::{Value, json};

use super::{Tenant, Verb};

const SETS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];

impl Tenant<'_> {
    /// Creates or deletes a workload or a pod. Those of the target that the other tenant's links use stay as they are.
    pub(super) fn workload(&mut self) {
        let name = self.text(&["web", "pg", "pg-2", "hidden", "w1"]);
        match self.dice.roll(6) {
            0 => {
                let kind = self.dice.choose(&SETS);
                self.push(Verb::Delete, kind, &name, Value::Null);
            }
            1 | 2 => self.create_pod(&name),
            3 => {
                let mut patch = json!({"metadata": {}});
                self.odd_metadata(&mut patch);
                self.push(Verb::Patch, "Deployment", &name, patch);
            }
            _ => self.create_set(&name),
        }
    }

    fn create_set(&mut self, name: &str) {
        let kind = self.dice.choose(&SETS);
        let labels = json!({"app": name});
        let mut template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container()]}});
        self.odd_template(&mut template);
        let mut spec = json!({"selector": {"matchLabels": labels}, "template": template});
        if kind == "StatefulSet" {
            spec["serviceName"] = name.into();
        }
        let mut set = json!({"metadata": {"labels": labels}, "spec": spec});
        self.odd_metadata(&mut set);
        self.push(Verb::Create, kind, name, set);
    }

    fn create_pod(&mut self, app: &str) {
        let name = format!("{app}-1-{}", 5 + self.dice.roll(5));
        let mut pod = json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [container()]}});
        if self.once_in(2) {
            pod["spec"]["readinessGates"] = json!([{"conditionType": "instancelink.dev/db"}]);
        }
        let owner = self.their_uid();
        if self.once_in(2) {
            pod["metadata"]["ownerReferences"] = json!([{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{app}-1"), "uid": owner, "controller": true,
            }]);
        } else {
            self.odd_metadata(&mut pod);
        }
        self.push(Verb::Create, "Pod", &name, pod);
    }
}

fn container() -> Value {
    json!({"name": "main", "image": "main", "ports": [{"name": "pg", "containerPort": 5432, "protocol": "TCP"}]})
}
