//! The deliberate differences between the double and a real API server, each with its reason.

use instancelink_testkit::api::failure::Failure;
use serde_json::{Map, Value};

const ACTION: &str = "f:instancelink.dev/action";

/// The objects that the control plane creates in namespaces, and the double does not.
pub fn is_control_planes(item: &Value) -> bool {
    let meta = &item["object"]["metadata"];
    let managed_by = meta["labels"]["endpointslice.kubernetes.io/managed-by"].as_str();
    meta["name"] == "kube-root-ca.crt" || managed_by.is_some_and(|by| by.ends_with(".k8s.io"))
}

/// Removes from answers what may differ.
pub fn apply(value: &mut Value) {
    words(value);
    keep_what_the_double_has(value);
}

/// Details of the real server that no client reads: keys of etcd, types of Go, and the order of map fields.
fn words(value: &mut Value) {
    const CUT_AFTER: [&str; 2] = [
        "the object provided is unrecognized (must be of type ",
        " cannot be handled as a ",
    ];
    const PATH: &str = "404 page not found\n";
    match value {
        Value::Array(list) => list.iter_mut().for_each(words),
        Value::Object(members) => {
            managers(members);
            if members.get("body").is_some_and(|body| body == PATH) {
                // For a group that is not served. The double does not distinguish groups and kinds here.
                members.insert("body".to_owned(), Failure::not_served().body());
            }
            if members.get("type").is_some_and(|of| of == "BOOKMARK")
                && let Some(Value::Object(object)) = members.get_mut("object")
            {
                // Zero values of Go, for example in a Lease without a spec.
                object.retain(|field, _| ["apiVersion", "kind", "metadata"].contains(&field.as_str()));
            }
            if let Some(Value::String(token)) = members.get_mut("continue").filter(|token| *token != "") {
                "<token>".clone_into(token);
            }
            if let Some(Value::Array(causes)) = members.get_mut("causes")
                && causes.len() > 1
            {
                causes.sort_by_key(Value::to_string);
            }
            let told = members
                .get("details")
                .and_then(|d| d["causes"].as_array())
                .map_or(0, Vec::len);
            if let Some(Value::String(message)) = members.get_mut("message") {
                if told > 1 {
                    "<the causes>".clone_into(message);
                }
                if let Some((before, after)) = message.split_once("StorageError: ")
                    && let Some((_, after)) = after.split_once("AdditionalErrorMsg: ")
                {
                    *message = format!("{before}{after}");
                }
                if message.starts_with("too old resource version: ")
                    && let Some(oldest) = message.find(" (")
                {
                    message.truncate(oldest);
                }
                for cut in CUT_AFTER {
                    if let Some(at) = message.find(cut).map(|at| at + cut.len()) {
                        let end = message[at..].find([':', ')']).map_or(message.len(), |end| at + end);
                        message.truncate(end);
                    }
                }
            }
            members.values_mut().for_each(words);
        }
        _ => {}
    }
}

/// The double sets no defaults in the specs of pods, because others write pods, and the operator reads only fields of a
/// pod's spec that are set there.
fn keep_what_the_double_has(value: &mut Value) {
    const POD: [&str; 5] = [
        "nodeName",
        "readinessGates",
        "terminationGracePeriodSeconds",
        "hostNetwork",
        "containers",
    ];
    const CONTAINER: [&str; 3] = ["name", "image", "ports"];
    match value {
        Value::Array(list) => list.iter_mut().for_each(keep_what_the_double_has),
        Value::Object(members) => {
            if let Some(Value::Object(spec)) = members.get_mut("spec").filter(|s| s["containers"].is_array()) {
                spec.retain(|field, _| POD.contains(&field.as_str()));
                for container in spec["containers"].as_array_mut().into_iter().flatten() {
                    if let Some(container) = container.as_object_mut() {
                        container.retain(|field, _| CONTAINER.contains(&field.as_str()));
                    }
                }
                if let Some(Value::Object(status)) = members.get_mut("status") {
                    status.remove("qosClass");
                }
            } else {
                members.values_mut().for_each(keep_what_the_double_has);
            }
        }
        _ => {}
    }
}

/// The operator reads only the author of the action annotation from `managedFields`.
fn managers(metadata: &mut Map<String, Value>) {
    let Some(Value::Array(entries)) = metadata.remove("managedFields") else {
        return;
    };
    let of_action = entries
        .iter()
        .filter(|entry| !entry["fieldsV1"]["f:metadata"]["f:annotations"][ACTION].is_null());
    let managers: Vec<Value> = of_action.map(|entry| entry["manager"].clone()).collect();
    if !managers.is_empty() {
        metadata.insert("managers of the action".to_owned(), managers.into());
    }
}
