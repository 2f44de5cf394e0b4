//! Pods that send requests to several URLs at the same moments, as long as they run, and print the answers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::workload::{deployment_of, pod_template};

/// Label of these pods.
pub(crate) const LABEL: &str = "e2e/traffic";

/// A Deployment whose pods send requests to these URLs. It starts without pods.
pub(crate) fn sending_deployment(name: &str, urls: &[String], every: Duration) -> Value {
    deployment_of(name, 0, &sender(name, urls, every))
}

/// A pod that does the same.
pub(crate) fn sending_pod(name: &str, urls: &[String], every: Duration) -> Value {
    let mut pod = sender(name, urls, every);
    pod["metadata"]["name"] = name.into();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod
}

fn sender(name: &str, urls: &[String], every: Duration) -> Value {
    let every = every.as_millis().to_string();
    let mut arguments = vec!["compare", "--every-ms", &every];
    arguments.extend(urls.iter().flat_map(|url| ["--url", url.as_str()]));
    pod_template(&json!({ "app": name, LABEL: "sends" }), &arguments)
}
