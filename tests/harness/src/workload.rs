//! Workloads of the tests: one static binary that serves, or does nothing. Its pods need few resources and end quickly.

use serde_json::{Value, json};

/// The image of the tests. `cargo xtask up` loads it into each node.
const IMAGE: &str = "localhost/workload:dev";

/// A Deployment of one pod that answers HTTP on port 8080 with `<text> from <pod>`.
pub fn serving_deployment(name: &str, text: &str) -> Value {
    deployment(name, 1, &["serve", "--port", "8080", "--text", text])
}

/// A Deployment without pods. That is sufficient for a source.
pub fn idle_deployment(name: &str) -> Value {
    deployment(name, 0, &["sleep"])
}

/// A StatefulSet, DaemonSet or ReplicaSet that answers like [`serving_deployment`].
pub fn serving_set(kind: &str, name: &str, text: &str) -> Value {
    let mut set = serving_deployment(name, text);
    set["kind"] = kind.into();
    match kind {
        "DaemonSet" => set["spec"]["replicas"] = Value::Null,
        "StatefulSet" => set["spec"]["serviceName"] = name.into(),
        _ => {}
    }
    set
}

/// A single pod that answers in the same way.
pub fn serving_pod(name: &str, labels: &[(&str, &str)], text: &str) -> Value {
    let mut pod = pod_template(&json!({}), &["serve", "--port", "8080", "--text", text]);
    for (key, value) in labels {
        pod["metadata"]["labels"][*key] = (*value).into();
    }
    pod["metadata"]["name"] = name.into();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod
}

/// A workload whose pods do not end, and serve, for these seconds after they were asked to end.
pub fn slow_to_end(mut workload: Value, seconds: u32) -> Value {
    let pod = &mut workload["spec"]["template"]["spec"];
    pod["terminationGracePeriodSeconds"] = (seconds + 10).into();
    pod["containers"][0]["lifecycle"] = json!({ "preStop": { "sleep": { "seconds": seconds } } });
    workload
}

/// A Job of one pod that runs the workload with these arguments until it succeeds.
pub fn job(name: &str, arguments: &[&str]) -> Value {
    let mut template = pod_template(&json!({ "app": name }), arguments);
    template["spec"]["restartPolicy"] = "OnFailure".into();
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name }, "spec": { "template": template },
    })
}

/// A Service with a cluster IP and no selector. [`Namespace::fixed_service`](crate::Namespace::fixed_service) creates it with an
/// address, as a target that is always ready and needs no pods.
pub fn fixed_service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name },
        "spec": { "ports": [{ "name": "pg", "port": 5432 }] },
    })
}

/// A slice that gives a Service without a selector this address and port. `port` is the name of the Service's port.
pub fn service_slice(service: &str, address: &str, port: (&str, u16)) -> Value {
    let family = if address.contains(':') { "IPv6" } else { "IPv4" };
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": { "name": format!("{service}-{}", family.to_lowercase()), "labels": { "kubernetes.io/service-name": service } },
        "addressType": family,
        "endpoints": [{ "addresses": [address] }],
        "ports": [{ "name": port.0, "port": port.1 }],
    })
}

fn deployment(name: &str, replicas: u32, arguments: &[&str]) -> Value {
    deployment_of(name, replicas, &pod_template(&json!({ "app": name }), arguments))
}

/// A Deployment of pods that are labelled `app: <name>`.
pub(crate) fn deployment_of(name: &str, replicas: u32, template: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": template,
        },
    })
}

/// A pod that runs the workload with these arguments. A serving pod has a readiness probe.
pub(crate) fn pod_template(labels: &Value, arguments: &[&str]) -> Value {
    let mut container = json!({
        "name": "main", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "args": arguments,
        "resources": { "requests": { "cpu": "1m", "memory": "4Mi" } },
    });
    if arguments.first() == Some(&"serve") {
        container["ports"] = json!([{ "name": "http", "containerPort": 8080 }]);
        container["readinessProbe"] = json!({ "httpGet": { "path": "/readyz", "port": 8080 }, "periodSeconds": 1 });
    }
    json!({
        "metadata": { "labels": labels },
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "containers": [container],
        },
    })
}
