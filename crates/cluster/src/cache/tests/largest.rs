//! The largest objects of each kind, each with another long field.

use serde_json::{Map, Value, json};

use super::strange::{Random, valid};
use crate::world::with;

/// Far more than is kept of any object. The campaign with a whole operator has objects of 1.5 MB.
pub(super) const LARGEST: usize = 150_000;

/// A map with as many entries as fit into this many bytes of JSON.
pub(super) fn map(bytes: usize) -> Value {
    let entries = (0..bytes / 13).map(|n| (format!("k{n:05}"), json!("")));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// The same, whose values are lists.
fn entries(bytes: usize) -> String {
    let entries = (0..bytes / 44).map(|n| (format!("{n:036}"), json!([])));
    Value::Object(entries.collect::<Map<_, _>>()).to_string()
}

/// A text that no compression makes shorter.
pub(super) fn noise(bytes: usize) -> String {
    let mut random = Random(7);
    let alphabet = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    (0..bytes).map(|_| char::from(alphabet[random.below(64)])).collect()
}

pub(super) fn list(bytes: usize, item: &Value) -> Value {
    json!(vec![item.clone(); bytes / (item.to_string().len() + 1)])
}

/// Objects of a kind that are as large as the API server takes, each in another field.
pub(super) fn largest(kind: &str) -> Vec<Value> {
    let base = || valid(kind, "pg", 2);
    let values = list(LARGEST, &json!("v"));
    let selector = json!({"matchExpressions": [{"key": "app", "operator": "In",
        "values": (0..LARGEST / 8).map(|n| format!("{n:05}")).collect::<Vec<_>>()}]});
    let owner = json!({"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"});
    let port = json!({"containerPort": 1});
    let of_kind: Vec<(&str, Value)> = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => vec![
            ("/spec/selector/matchLabels", map(LARGEST)),
            ("/spec/selector", selector),
            ("/spec/template/spec/containers/0/ports", list(LARGEST, &port)),
        ],
        "CronJob" => vec![("/spec/jobTemplate/spec/template/metadata/labels", map(LARGEST))],
        "Pod" => vec![
            ("/spec/containers/0/ports", list(LARGEST, &port)),
            (
                "/status/conditions",
                list(
                    LARGEST,
                    &json!({"type": "instancelink.dev/db", "status": "True", "message": "m"}),
                ),
            ),
            ("/status/podIPs", list(LARGEST, &json!({"ip": "10.0.0.1"}))),
        ],
        "Service" => vec![
            ("/spec/selector", map(LARGEST)),
            (
                "/spec/ports",
                list(LARGEST, &json!({"name": "p", "port": 1, "protocol": "TCP"})),
            ),
            ("/spec/clusterIPs", list(LARGEST, &json!("10.1.0.1"))),
        ],
        "EndpointSlice" | "ForeignEndpointSlice" => vec![
            (
                "/endpoints",
                list(LARGEST, &json!({"addresses": [noise(60)], "hostname": noise(60)})),
            ),
            (
                "/endpoints",
                json!(
                    (0..5_000)
                        .map(|n| json!({"addresses": [format!("10.{}.{}.1", n / 256, n % 256)],
                "hostname": noise(40)}))
                        .collect::<Vec<_>>()
                ),
            ),
        ],
        "NetworkPolicy" => vec![
            ("/spec/podSelector/matchLabels", map(LARGEST)),
            ("/spec/podSelector", selector),
            ("/spec/ingress/0/from/0/podSelector/matchLabels", map(LARGEST)),
            (
                "/spec/egress",
                json!([{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": values}}]}]),
            ),
        ],
        "ConfigMap" => vec![
            ("/data", map(LARGEST)),
            ("/data", json!({"x": noise(400_000)})),
            (
                "/metadata/annotations",
                json!({"instancelink.dev/entries": entries(262_000)}),
            ),
        ],
        "Secret" => vec![
            ("/data", map(LARGEST)),
            ("/data", json!({"x": "QUFB".repeat(LARGEST / 4)})),
        ],
        "InstanceLinkGrant" => vec![
            ("/spec/from/0/namespaceSelector", selector),
            ("/spec/to", list(LARGEST, &json!({"kind": "Pod"}))),
        ],
        "ReferenceGrant" => vec![(
            "/spec/from",
            list(
                LARGEST,
                &json!({"group": "instancelink.dev",
            "kind": "InstanceLink", "namespace": "a"}),
            ),
        )],
        "InstanceLink" => vec![
            (
                "/status/conditions",
                list(
                    LARGEST,
                    &json!({"type": "T", "status": "True", "reason": "R", "message": "m",
                "lastTransitionTime": "2026-01-01T00:00:00Z"}),
                ),
            ),
            (
                "/metadata/annotations",
                json!({"instancelink.dev/intent": noise(262_000)}),
            ),
        ],
        _ => Vec::new(),
    };
    let of_all = [
        ("/metadata/labels", map(LARGEST)),
        ("/metadata/annotations", map(262_000)),
        ("/metadata/ownerReferences", list(LARGEST, &owner)),
        ("/metadata/finalizers", list(LARGEST, &json!("example.com/f"))),
        ("/metadata/managedFields", list(LARGEST, &json!({"manager": "m"}))),
    ];
    let fields = of_kind.into_iter().chain(of_all);
    fields.map(|(pointer, value)| with(base(), pointer, value)).collect()
}
