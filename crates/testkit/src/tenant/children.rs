//! Objects that look like children of links: of the other tenant's, of its own, and of links that do not exist.

use serde_json::{Value, json};

use super::{Tenant, UNKNOWN_UID, Verb};

const KINDS: [&str; 5] = [
    "NetworkPolicy",
    "NetworkPolicy",
    "Service",
    "ConfigMap",
    "EndpointSlice",
];

impl Tenant<'_> {
    /// Creates, marks or deletes such an object.
    pub(super) fn child(&mut self) {
        let kind = self.dice.choose(&KINDS);
        let name = self.child_name();
        match self.dice.roll(8) {
            0 => self.push(Verb::Delete, kind, &name, Value::Null),
            1 => self.push(Verb::Patch, kind, &name, json!({"metadata": {"finalizers": null}})),
            2 => {
                let mut patch = json!({"metadata": {}});
                self.marks_of_a_child(&mut patch);
                self.push(Verb::Patch, kind, &name, patch);
            }
            _ => {
                let mut object = self.content(kind);
                self.marks_of_a_child(&mut object);
                self.odd_metadata(&mut object);
                self.push(Verb::Create, kind, &name, object);
            }
        }
    }

    /// Names of children, of the other tenant's links or of its own.
    fn child_name(&mut self) -> String {
        let link = self.link_name();
        let form = self.dice.roll(5);
        match form {
            0 => "web-links".to_owned(),
            1 => format!("{link}-v4"),
            2 => format!("{link}-vip"),
            3 => format!("{link}-0000000000"),
            _ => link,
        }
    }

    /// The labels, annotations and owners of a child.
    fn marks_of_a_child(&mut self, object: &mut Value) {
        let link = self.link_name();
        let uid = match self.dice.roll(4) {
            0 | 1 => self.their_uid(),
            2 => format!("{{my-uid InstanceLink {link}}}"),
            _ => UNKNOWN_UID.to_owned(),
        };
        let metadata = &mut object["metadata"];
        metadata["labels"]["app.kubernetes.io/managed-by"] = "instancelink".into();
        let label = self
            .dice
            .choose(&["instancelink.dev/link-uid", "instancelink.dev/source-uid"]);
        metadata["labels"][label] = uid.clone().into();
        let theirs = &self.scene.theirs;
        let names = [
            format!("{theirs}/{link}"),
            format!("{}/{link}", self.scene.mine),
            format!("{theirs}/no-such-link"),
            format!("{theirs}/{link}/status"),
            [
                "..",
                "..",
                "..",
                "..",
                "api/v1/namespaces/kube-system/configmaps/coredns",
            ]
            .join("/"),
            "x".repeat(300),
            String::new(),
        ];
        let name = &names[self.dice.roll(7) as usize];
        metadata["annotations"]["instancelink.dev/link"] = name.clone().into();
        if self.once_in(3) {
            metadata["annotations"]["instancelink.dev/entries"] =
                json!({uid: ["DB_PORT", "LD_PRELOAD"]}).to_string().into();
        }
        if self.once_in(3) {
            metadata["annotations"]["instancelink.dev/drain-from"] = "9999-12-31T23:59:59Z".into();
        }
        if self.once_in(2) {
            metadata["finalizers"] = json!(["example.com/hold"]);
        }
    }

    /// The smallest content of a kind, and what changes what others see of it.
    fn content(&mut self, kind: &str) -> Value {
        match kind {
            "NetworkPolicy" => {
                let selector = self.selector();
                let ingress = if self.once_in(2) { json!([]) } else { json!([{}]) };
                json!({"metadata": {}, "spec": {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": ingress}})
            }
            "Service" => {
                let mut spec = json!({"ports": [{"name": "pg", "port": 5432}]});
                if self.once_in(2) {
                    spec["clusterIP"] = "None".into();
                }
                if self.once_in(2) {
                    spec["selector"] = json!({"app": "pg"});
                }
                json!({"metadata": {}, "spec": spec})
            }
            "EndpointSlice" => {
                let labels = json!({
                    "kubernetes.io/service-name": "web-links",
                    "endpointslice.kubernetes.io/managed-by": "instancelink.dev",
                });
                let endpoints = json!([{"addresses": ["10.0.0.11"], "hostname": "db"}]);
                json!({"metadata": {"labels": labels}, "addressType": "IPv4", "endpoints": endpoints, "ports": []})
            }
            _ => json!({"metadata": {}, "data": {"DB_PORT": "tcp://evil:1", "LD_PRELOAD": "/x"}}),
        }
    }

    /// A selector of pods: of everything, of the consented target, or with many values.
    pub(super) fn selector(&mut self) -> Value {
        let values: Vec<String> = (0..self.dice.choose(&[1, 3, 300])).map(|n| format!("v{n}")).collect();
        match self.dice.roll(4) {
            0 => json!({}),
            1 => json!({"matchLabels": {"app": "api"}}),
            2 => json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": values}]}),
            _ => json!({"matchExpressions": [{"key": "app", "operator": "In", "values": values}]}),
        }
    }
}
