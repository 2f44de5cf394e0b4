//! Objects in which single values are replaced by what nobody expects.

use serde_json::{Value, json};

/// A small generator of random numbers: the same seed gives the same objects.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Texts that no `Value` can hold.
const RAW: [(&str, &str); 2] = [
    ("\"@number\"", "1e999"),
    ("\"@integer\"", "123456789012345678901234567890"),
];

/// The text of the object with up to three strange values. With `is_known`, its identity stays.
pub(super) fn strange(object: &Value, is_known: bool, random: &mut Random) -> String {
    let mut object = object.clone();
    for _ in 0..=random.below(3) {
        let mut pointers = Vec::new();
        collect(&object, "", &mut pointers);
        let identity = [
            "",
            "/metadata",
            "/metadata/name",
            "/metadata/namespace",
            "/metadata/uid",
            "/metadata/resourceVersion",
        ];
        pointers.retain(|pointer| !is_known || !identity.contains(&pointer.as_str()));
        let Some(pointer) = pointers.get(random.below(pointers.len().max(1))) else {
            continue;
        };
        let value = value(random);
        match pointer.rsplit_once('/') {
            Some((parent, key)) if random.below(4) == 0 => {
                if let Some(Value::Object(fields)) = object.pointer_mut(parent) {
                    fields.remove(key);
                }
            }
            _ => *object.pointer_mut(pointer).unwrap() = value,
        }
    }
    let mut text = object.to_string();
    for (marker, raw) in RAW {
        text = text.replace(marker, raw);
    }
    text = text.replace("\"@deep\"", &deep(random));
    text
}

fn value(random: &mut Random) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(0.5),
        json!("@number"),
        json!("@integer"),
        json!("@deep"),
        json!("9999-12-31T23:59:59Z"),
        json!("-262143-01-01T00:00:00Z"),
        json!(""),
        json!("\u{0}\u{7f}\u{202e}\u{fffd}\u{1f600}"),
        json!("../../x/y?z#"),
        json!("x".repeat(100_000)),
        json!([]),
        json!({}),
        json!([null, {}, "x", 3]),
        json!({"": {"": null}, "matchExpressions": [{"key": 3}]}),
        json!([[[["x"]]]]),
    ];
    values[random.below(values.len())].clone()
}

/// Ten thousand objects or lists inside each other.
fn deep(random: &mut Random) -> String {
    const DEPTH: usize = 10_000;
    let (open, close) = [("{\"a\":", "}"), ("[", "]")][random.below(2)];
    format!("{}1{}", open.repeat(DEPTH), close.repeat(DEPTH))
}

fn collect(value: &Value, pointer: &str, pointers: &mut Vec<String>) {
    pointers.push(pointer.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, field)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            collect(field, &format!("{pointer}/{key}"), pointers);
        }),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(at, item)| collect(item, &format!("{pointer}/{at}"), pointers));
        }
        _ => {}
    }
}

/// A valid object of a kind, with all that the operator reads of it.
pub(super) fn valid(kind: &str, name: &str, version: u64) -> Value {
    let managed = json!([{"manager": "kubectl", "operation": "Update", "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:annotations": {"f:instancelink.dev/action": {}}}}}]);
    let metadata = json!({
        "namespace": if matches!(kind, "Namespace" | "Node") { "" } else { "shop" },
        "name": name, "uid": format!("{kind}-{name}-uid"), "resourceVersion": version.to_string(), "generation": 2,
        "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": managed,
        "labels": {"app": "web", "app.kubernetes.io/managed-by": "instancelink", "kubernetes.io/service-name": "web-links",
            "instancelink.dev/link-uid": "InstanceLink-web-uid", "topology.kubernetes.io/zone": "z"},
        "annotations": {"instancelink.dev/action": "deactivate", "instancelink.dev/link": "shop/web"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "Deployment-web-uid",
            "controller": true}],
        "finalizers": [instancelink_api::keys::FINALIZER],
    });
    let template = json!({"spec": {"containers": [{"name": "c", "ports": [{"name": "pg", "containerPort": 5432}]}]}});
    let rest = match kind {
        "InstanceLink" => json!({
            "spec": {"linkName": name, "instanceRef": {"kind": "Deployment", "name": "web"},
                "targetInstanceRef": {"kind": "Deployment", "name": "pg"}, "ports": [{"name": "pg", "port": 5432}],
                "networkPolicy": "Allow", "outputs": {"binding": {"type": "pg", "secretRef": {"name": "creds"}}},
                "ttlSecondsAfterRemoved": 5},
            "status": {"state": "active", "created": "2026-01-01T00:00:00Z", "history": [{"state": "active", "at": "2026-01-01T00:00:00.000000Z", "cause": "done"}],
                "conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
        }),
        "InstanceLinkGrant" => {
            json!({"spec": {"from": [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}}],
            "to": [{"kind": "Deployment"}], "allow": ["Endpoints"]}})
        }
        "ReferenceGrant" => {
            json!({"spec": {"from": [{"group": "instancelink.dev", "kind": "InstanceLink", "namespace": "a"}],
            "to": [{"group": "apps", "kind": "Deployment"}]}})
        }
        "Pod" => json!({"spec": {"nodeName": "n", "containers": template["spec"]["containers"],
                "readinessGates": [{"conditionType": "instancelink.dev/db"}]},
            "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
                "conditions": [{"type": "Ready", "status": "True"}]}}),
        "Service" => json!({"spec": {"type": "ClusterIP", "clusterIP": "10.1.0.1", "clusterIPs": ["10.1.0.1"],
            "selector": {"app": "web"}, "ports": [{"name": "pg", "port": 5432, "targetPort": "pg", "protocol": "TCP"}]}}),
        "EndpointSlice" | "ForeignEndpointSlice" => {
            json!({"addressType": "IPv4", "ports": [{"name": "pg", "port": 5432}],
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "p"}}]})
        }
        "NetworkPolicy" => json!({"spec": {"podSelector": {"matchLabels": {"app": "pg"}}, "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": 5432}], "from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]}}),
        "ConfigMap" => json!({"data": {"DB_PORT": "tcp://db:5432"}}),
        "Secret" => json!({"type": "Opaque", "data": {"password": "aHVudGVyMg=="}}),
        "Namespace" | "Node" => json!({}),
        "CronJob" => {
            json!({"spec": {"jobTemplate": {"spec": {"template": {"metadata": {"labels": {"app": "web"}}}}}}})
        }
        _ => json!({"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}}),
    };
    let mut object = json!({"metadata": metadata});
    object
        .as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    object
}
