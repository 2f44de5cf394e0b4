//! T14: what the operator's pod may do on its node and in its network.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use security::{Manifest, manifests};
use serde_json::{Value, json};

fn one(kind: &str) -> Manifest {
    let mut found: Vec<Manifest> = manifests("deploy/base")
        .into_iter()
        .filter(|m| m.kind() == kind)
        .collect();
    assert_eq!(found.len(), 1, "one {kind}");
    found.remove(0)
}

fn pod() -> Value {
    one("Deployment").object["spec"]["template"]["spec"].clone()
}

fn containers(pod: &Value) -> Vec<Value> {
    ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .flat_map(|list| pod[*list].as_array().cloned().unwrap_or_default())
        .collect()
}

/// The restricted profile of the Pod Security Standards, rule by rule. A label of the namespace makes the API server
/// enforce it too.
#[test]
fn the_operators_pod_keeps_the_restricted_profile() {
    let pod = pod();
    for forbidden in ["hostNetwork", "hostPID", "hostIPC", "hostUsers"] {
        assert!(pod[forbidden].is_null(), "{forbidden}");
    }
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        let allowed = ["configMap", "downwardAPI", "emptyDir", "projected", "secret"];
        let kinds = volume.as_object().unwrap().keys().filter(|key| *key != "name");
        for kind in kinds {
            assert!(allowed.contains(&kind.as_str()), "volume {kind}");
        }
    }
    let security = &pod["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert!(security["runAsUser"].as_u64().unwrap() > 0);
    assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
    assert!(security["sysctls"].is_null());
    let containers = containers(&pod);
    assert!(!containers.is_empty());
    for container in containers {
        let security = &container["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], false);
        assert_eq!(security["capabilities"], json!({ "drop": ["ALL"] }));
        for unset in ["privileged", "procMount", "runAsUser", "runAsNonRoot", "seccompProfile"] {
            assert!(security[unset].is_null(), "{unset} would change what the pod says");
        }
        for port in container["ports"].as_array().into_iter().flatten() {
            assert!(port["hostPort"].is_null());
        }
    }
    let namespace = one("Namespace");
    for mode in ["enforce", "audit", "warn"] {
        let label = format!("pod-security.kubernetes.io/{mode}");
        assert_eq!(namespace.object["metadata"]["labels"][&label], "restricted", "{label}");
    }
}

/// More than the profile: a read-only file system, and limits on resources.
#[test]
fn the_operators_pod_writes_no_file_and_has_limits() {
    for container in containers(&pod()) {
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        for resource in ["cpu", "memory"] {
            for bound in ["requests", "limits"] {
                let value = &container["resources"][bound][resource];
                assert!(value.is_string(), "{bound}.{resource}");
            }
        }
        for probe in ["livenessProbe", "readinessProbe"] {
            assert!(container[probe]["httpGet"].is_object(), "{probe}");
        }
    }
}

/// Another pod with this account gets no token by accident.
#[test]
fn only_the_operators_own_pods_ask_for_its_token() {
    assert_eq!(one("ServiceAccount").object["automountServiceAccountToken"], false);
    assert_eq!(pod()["automountServiceAccountToken"], true);
    assert_eq!(pod()["serviceAccountName"], one("ServiceAccount").name());
}

#[test]
fn the_operator_is_reached_by_scrapers_alone_and_reaches_the_api_server_and_dns_alone() {
    let policy = one("NetworkPolicy");
    let spec = &policy.object["spec"];
    let labels = &one("Deployment").object["spec"]["template"]["metadata"]["labels"];
    for (key, value) in spec["podSelector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(&labels[key], value, "the policy selects the operator's pods");
    }
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
    for rule in spec["ingress"].as_array().unwrap() {
        let from = rule["from"].as_array().unwrap();
        assert!(!from.is_empty(), "an empty list is everybody");
        for peer in from {
            let labels = peer["namespaceSelector"]["matchLabels"].as_object().unwrap();
            assert!(!labels.is_empty(), "an empty selector is every namespace");
        }
        assert_eq!(rule["ports"], json!([{ "protocol": "TCP", "port": 8080 }]));
    }
    let mut ports: Vec<i64> = Vec::new();
    for rule in spec["egress"].as_array().unwrap() {
        let listed = rule["ports"].as_array().unwrap();
        assert!(!listed.is_empty(), "no ports are all ports");
        ports.extend(listed.iter().map(|port| port["port"].as_i64().unwrap()));
    }
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports, [53, 443, 6443]);
}
