//! The children in a namespace, in a form in which two runs can be compared.

use harness::Namespace;
use instancelink_api::keys;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use serde_json::Value;

const KINDS: [(&str, &str, &str); 5] = [
    ("", "Service", "services"),
    ("", "ConfigMap", "configmaps"),
    ("", "Secret", "secrets"),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices"),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies"),
];
/// Fields that other clients write, or that differ from run to run.
const NOT_COMPARED: [&str; 5] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "generation",
];

/// Every child, one line each, sorted. `known` has texts that differ from run to run, with their replacements.
pub async fn children_of(namespace: &Namespace, known: &[(String, &str)]) -> Vec<String> {
    let ours = ListParams::default().labels(&format!("{}={}", keys::MANAGED_BY, keys::MANAGER));
    let mut lines = Vec::new();
    for (group, kind, plural) in KINDS {
        let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural);
        let api: Api<DynamicObject> = Api::namespaced_with(namespace.client.clone(), &namespace.name, &resource);
        let list = api
            .list(&ours)
            .await
            .unwrap_or_else(|e| panic!("cannot list {kind}: {e}"));
        for object in list {
            let mut value = serde_json::to_value(&object).expect("JSON");
            value["kind"] = kind.into();
            strip(&mut value["metadata"]);
            let mut line = value.to_string();
            for (text, name) in known {
                line = line.replace(text, name);
            }
            lines.push(line);
        }
    }
    lines.sort();
    lines
}

fn strip(metadata: &mut Value) {
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.retain(|key, _| !NOT_COMPARED.contains(&key.as_str()));
    }
}
