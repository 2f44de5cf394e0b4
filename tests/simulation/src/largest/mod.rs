//! The largest objects that a tenant can write: of each kind, one object for each field that may be long.

pub mod beside;

use serde_json::{Map, Value, json};

/// A little less than the API server takes of one object.
const LARGEST: usize = 1_400_000;
/// The same for all annotations of an object.
const ANNOTATIONS: usize = 260_000;

/// How long the texts in long maps and lists are. Short ones take most memory for their JSON, and long ones least.
#[derive(Clone, Copy, Debug)]
pub enum Texts {
    /// As short as they can be.
    Short,
    /// As long as a label may be.
    Long,
}

impl Texts {
    fn of(self, number: usize) -> String {
        match self {
            Self::Short => format!("{number:x}"),
            Self::Long => format!("{number:07}-{}-x", "y".repeat(53)),
        }
    }

    /// A map with as many entries as fit into this many bytes.
    fn map(self, bytes: usize) -> Value {
        let count = bytes / (self.of(bytes / 16).len() + 6);
        let entries = (0..count).map(|n| (self.of(n), json!("")));
        Value::Object(entries.collect::<Map<_, _>>())
    }

    /// A list of as many texts.
    fn list(self, bytes: usize) -> Vec<String> {
        let count = bytes / (self.of(bytes / 16).len() + 3);
        (0..count).map(|n| self.of(n)).collect()
    }

    fn selector(self) -> Value {
        json!({"matchExpressions": [{"key": "app", "operator": "In", "values": self.list(LARGEST)}]})
    }
}

/// As many of these as fit.
fn many(item: &Value) -> Value {
    json!(vec![item; LARGEST / (item.to_string().len() + 1)])
}

/// A text that no compression makes shorter.
fn noise(bytes: usize) -> String {
    let mut state: u64 = 7;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[(state >> 58) as usize])
    });
    letters.take(bytes).collect()
}

/// An environment's annotation with as many entries as fit.
fn entries() -> String {
    let entries = (0..ANNOTATIONS / 44).map(|n| (format!("{n:036}"), json!([])));
    Value::Object(entries.collect::<Map<_, _>>()).to_string()
}

/// The largest objects of a kind, without names.
pub fn objects(kind: &str, texts: Texts) -> Vec<Value> {
    let port = json!({"name": "p", "containerPort": 1});
    let of_kind: Vec<(&str, Value)> = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => vec![
            ("/spec/selector/matchLabels", texts.map(LARGEST)),
            ("/spec/selector", texts.selector()),
            ("/spec/template/spec/containers/0/ports", many(&port)),
        ],
        "CronJob" => vec![("/spec/jobTemplate/spec/template/metadata/labels", texts.map(LARGEST))],
        "Pod" => vec![
            ("/spec/containers/0/ports", many(&port)),
            (
                "/spec/readinessGates",
                many(&json!({"conditionType": "instancelink.dev/db"})),
            ),
        ],
        "Service" => vec![
            ("/spec/selector", texts.map(LARGEST)),
            ("/spec/ports", many(&json!({"name": "p", "port": 1, "protocol": "TCP"}))),
        ],
        "EndpointSlice" | "ForeignEndpointSlice" => vec![(
            "/endpoints",
            many(&json!({"addresses": ["10.0.0.1"], "hostname": noise(60), "nodeName": noise(60)})),
        )],
        "NetworkPolicy" => vec![
            ("/spec/podSelector/matchLabels", texts.map(LARGEST)),
            ("/spec/podSelector", texts.selector()),
            ("/spec/ingress/0/from/0/podSelector/matchLabels", texts.map(LARGEST)),
        ],
        "ConfigMap" => vec![
            ("/data", texts.map(LARGEST)),
            ("/data", json!({"x": noise(1_000_000)})),
            ("/metadata/annotations", json!({"instancelink.dev/entries": entries()})),
        ],
        _ => Vec::new(),
    };
    let of_all = [
        ("/metadata/labels", texts.map(LARGEST)),
        ("/metadata/annotations", texts.map(ANNOTATIONS)),
        ("/metadata/finalizers", many(&json!("example.com/f"))),
    ];
    let fields = of_kind.into_iter().chain(of_all);
    fields
        .map(|(pointer, value)| {
            let mut object = ordinary(kind);
            set(&mut object, pointer, value);
            object
        })
        .collect()
}

/// Sets a field. Labels and annotations that are there stay: they make the object one that the operator looks at.
fn set(object: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let place = &mut object.pointer_mut(parent).unwrap()[key];
    match (place.as_object_mut(), value) {
        (Some(old), Value::Object(new)) if pointer.starts_with("/metadata") => old.extend(new),
        (_, value) => *place = value,
    }
}

/// An object of a kind, without a name.
fn ordinary(kind: &str) -> Value {
    let managed = json!({"app.kubernetes.io/managed-by": "instancelink"});
    let (labels, rest) = match kind {
        "InstanceLink" => (
            json!({}),
            json!({"spec": {"linkName": "db", "instanceRef": {"kind": "Deployment", "name": "none"}}}),
        ),
        "InstanceLinkGrant" => (
            json!({}),
            json!({"spec": {"from": [{"namespaceSelector": {}}], "to": [{"kind": "Pod"}], "allow": ["Endpoints"]}}),
        ),
        "Pod" => (
            json!({}),
            json!({"spec": {"nodeName": "node", "containers": [{"name": "c", "image": "i"}]}}),
        ),
        "Service" => (
            json!({}),
            json!({"spec": {"selector": {"app": "none"}, "ports": [{"port": 1}]}}),
        ),
        "EndpointSlice" | "ForeignEndpointSlice" => {
            (managed, json!({"addressType": "IPv4", "endpoints": [], "ports": []}))
        }
        "NetworkPolicy" => (
            json!({}),
            json!({"spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}}),
        ),
        "ConfigMap" => (managed, json!({"data": {}})),
        "CronJob" => (
            json!({}),
            json!({"spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"metadata": {"labels": {}},
                "spec": {"containers": [{"name": "c", "image": "i"}]}}}}}}),
        ),
        "Namespace" | "Node" => (json!({}), json!({})),
        _ => (
            json!({}),
            json!({"spec": {"selector": {"matchLabels": {"app": "none"}},
                "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}}),
        ),
    };
    let link = json!({"instancelink.dev/link": "evil/link"});
    let mut object = json!({"metadata": {"labels": labels, "annotations": link}});
    object
        .as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    object
}
