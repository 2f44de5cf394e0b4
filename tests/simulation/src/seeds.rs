//! The objects before a script starts: namespaces, and workloads with ready pods.

use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::{DEPLOYMENTS, NAMESPACES, NODES, PODS, REPLICA_SETS, Resource};
use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::write::{self, Writer};
use serde_json::{Value, json};

/// The author.
const BY: &str = "seed";

/// Namespaces `shop`, `data` and `system`; Deployments `web`, `pg` and `pg-2` in `shop` and `pg` in `data`.
pub fn plant(api: &Api) {
    for name in ["shop", "data", "system"] {
        put(api, &NAMESPACES, json!({"metadata": {"name": name}}));
    }
    put(api, &NODES, json!({"metadata": {"name": "node"}}));
    workload(api, "shop", "web", &["10.0.0.1"]);
    workload(api, "shop", "pg", &["10.0.0.11", "10.0.0.12"]);
    workload(api, "shop", "pg-2", &["10.0.0.21"]);
    workload(api, "data", "pg", &["10.0.1.11"]);
}

/// A Deployment with pods of these addresses.
pub fn workload(api: &Api, namespace: &str, name: &str, addresses: &[&str]) {
    let selector = json!({"matchLabels": {"app": name}});
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [container()]}});
    let meta = json!({"name": name, "namespace": namespace, "labels": {"app": name}});
    let object = json!({"metadata": meta, "spec": {"selector": selector, "template": template}});
    let deployment = put(api, &DEPLOYMENTS, object);
    // The ReplicaSet of an earlier Deployment with this name may still exist, or a pod that it left.
    let exists = |resource: &'static Resource, name: String| {
        let key = Key {
            resource,
            namespace: namespace.to_owned(),
            name,
        };
        api.store().get(&key).is_some()
    };
    let is_free = |set: &String| !exists(&REPLICA_SETS, set.clone()) && !exists(&PODS, format!("{set}-0"));
    let set_name = (1..100).map(|n| format!("{name}-{n}")).find(is_free).unwrap();
    let set = json!({
        "metadata": {
            "name": set_name, "namespace": namespace, "labels": {"app": name},
            "ownerReferences": [owner("Deployment", name, &deployment)],
        },
        "spec": {"selector": selector, "template": template},
    });
    let set = put(api, &REPLICA_SETS, set);
    for (i, address) in addresses.iter().enumerate() {
        pod(api, namespace, name, &format!("{set_name}-{i}"), address, &set);
    }
}

/// A ready pod of this ReplicaSet.
pub fn pod(api: &Api, namespace: &str, app: &str, name: &str, address: &str, set: &Value) {
    let object = json!({
        "metadata": {
            "name": name, "namespace": namespace, "labels": {"app": app},
            "ownerReferences": [owner("ReplicaSet", set["metadata"]["name"].as_str().unwrap(), set)],
        },
        "spec": {"nodeName": "node", "containers": [container()]},
    });
    put(api, &PODS, object);
    pod_status(api, namespace, name, address, true);
}

/// The status of a pod as a kubelet writes it.
pub fn pod_status(api: &Api, namespace: &str, name: &str, address: &str, ready: bool) {
    let key = Key {
        resource: &PODS,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    api.change(|store, now| {
        let Some(pod) = store.get(&key) else { return };
        let mut pod = Value::clone(pod);
        let ready = if ready { "True" } else { "False" };
        pod["status"] = json!({
            "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": ready}],
        });
        let written = write::update(store, &key, Some("status"), pod, true, Writer { by: "kubelet", now });
        written.unwrap();
    });
}

fn container() -> Value {
    json!({"name": "main", "image": "main", "ports": [{"name": "pg", "containerPort": 5432, "protocol": "TCP"}]})
}

fn owner(kind: &str, name: &str, object: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": object["metadata"]["uid"], "controller": true})
}

/// Creates an object before the script starts.
pub fn put(api: &Api, resource: &'static Resource, object: Value) -> Value {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    api.change(|store, now| {
        let created = write::create(store, resource, &namespace, object, Writer { by: BY, now });
        Value::clone(&created.unwrap())
    })
}
