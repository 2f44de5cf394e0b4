//! The defaults that the double sets on objects of built-in kinds, for the fields that the operator or its tests write.
//! Also removes fields that the API server does not store.

use serde_json::{Map, Value, json};

use super::object::Meta as _;
use super::resource::{CONFIG_MAPS, EVENTS, NAMESPACES, PODS, POLICIES, Resource, SECRETS, SERVICES, SLICES};
use super::store::Store;

/// The fields of `metadata` that the double keeps. The rest is in `MORE_METADATA`.
const METADATA: [&str; 12] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
];
const MORE_METADATA: [&str; 2] = ["finalizers", "managedFields"];
/// Default of `terminationGracePeriodSeconds`.
const GRACE: u64 = 30;

/// Removes unknown and empty fields of `metadata`.
pub fn of_metadata(object: &mut Value) {
    object.metadata().retain(|name, value| {
        (METADATA.contains(&name.as_str()) || MORE_METADATA.contains(&name.as_str())) && !is_empty(value)
    });
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Sets the defaults of a new object.
pub fn on_create(store: &mut Store, resource: &Resource, object: &mut Value) {
    always(resource, object);
    if *resource == SERVICES {
        of_service(store, object);
    } else if *resource == PODS {
        let spec = &mut object["spec"];
        or(spec, "terminationGracePeriodSeconds", json!(GRACE));
        object["status"] = json!({"phase": "Pending"});
    } else if *resource == NAMESPACES {
        object["spec"]["finalizers"] = json!(["kubernetes"]);
        object["status"]["phase"] = json!("Active");
    }
}

/// Sets the defaults of the new version of an object. The new version keeps some fields of the old one.
pub fn on_update(resource: &Resource, new: &mut Value, old: &Value) {
    always(resource, new);
    if *resource == SERVICES {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            or(&mut new["spec"], field, old["spec"][field].clone());
        }
        always_of_service(&mut new["spec"]);
        ports(new);
    }
    if *resource == PODS {
        or(&mut new["spec"], "terminationGracePeriodSeconds", json!(GRACE));
    }
}

/// Sets the defaults that apply to a creation and to an update.
fn always(resource: &Resource, object: &mut Value) {
    let empty_is_absent: &[&str] = if *resource == CONFIG_MAPS || *resource == SECRETS {
        &["data", "binaryData"]
    } else if *resource == SLICES {
        &["endpoints", "ports"]
    } else {
        &[]
    };
    if let Some(members) = object.as_object_mut() {
        members.retain(|name, value| !empty_is_absent.contains(&name.as_str()) || !is_empty(value));
    }
    if *resource == SECRETS {
        or(object, "type", json!("Opaque"));
    } else if *resource == EVENTS {
        or(object, "deprecatedSource", json!({}));
    } else if *resource == SLICES {
        for port in object["ports"].as_array_mut().into_iter().flatten() {
            or(port, "protocol", json!("TCP"));
            or(port, "name", json!(""));
        }
        for endpoint in object["endpoints"].as_array_mut().into_iter().flatten() {
            or(endpoint, "conditions", json!({}));
        }
    } else if *resource == POLICIES {
        of_policy(&mut object["spec"]);
    } else if *resource == NAMESPACES {
        let name = object.meta("name").to_owned();
        let mut labels = object.labels().cloned().unwrap_or_default();
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
        object.metadata().insert("labels".to_owned(), Value::Object(labels));
    }
}

fn of_policy(spec: &mut Value) {
    let mut types = vec!["Ingress"];
    if !spec["egress"].is_null() {
        types.push("Egress");
    }
    or(spec, "policyTypes", json!(types));
    for direction in ["ingress", "egress"] {
        for rule in spec[direction].as_array_mut().into_iter().flatten() {
            for port in rule["ports"].as_array_mut().into_iter().flatten() {
                or(port, "protocol", json!("TCP"));
            }
        }
    }
    if let Some(members) = spec.as_object_mut() {
        // An empty selector selects everything and is kept; an empty list of rules is the same as none.
        members.retain(|name, value| name == "podSelector" || !is_empty(value));
    }
}

/// Sets the defaults of a Service that an update does not take from the old version.
fn always_of_service(spec: &mut Value) {
    or(spec, "type", json!("ClusterIP"));
    or(spec, "sessionAffinity", json!("None"));
    or(spec, "internalTrafficPolicy", json!("Cluster"));
    if spec["sessionAffinity"] == "ClientIP" {
        let config = json!({"clientIP": {"timeoutSeconds": 10800}});
        or(spec, "sessionAffinityConfig", config);
    }
}

/// Sets the defaults of a new Service, as a cluster with only IPv4 does.
fn of_service(store: &mut Store, object: &mut Value) {
    let spec = &mut object["spec"];
    always_of_service(spec);
    let headless = spec["clusterIP"] == "None";
    if is_empty(&spec["clusterIP"]) {
        spec["clusterIP"] = store.new_address().into();
    }
    spec["clusterIPs"] = json!([spec["clusterIP"]]);
    // A headless Service without a selector gets both families in every cluster.
    let (families, policy) = if headless
        && is_empty(&spec["selector"])
        && is_empty(&spec["ipFamilyPolicy"])
        && is_empty(&spec["ipFamilies"])
    {
        (json!(["IPv4", "IPv6"]), "RequireDualStack")
    } else {
        (json!(["IPv4"]), "SingleStack")
    };
    or(spec, "ipFamilies", families);
    or(spec, "ipFamilyPolicy", json!(policy));
    ports(object);
    object["status"] = json!({"loadBalancer": {}});
}

fn ports(service: &mut Value) {
    for port in service["spec"]["ports"].as_array_mut().into_iter().flatten() {
        or(port, "protocol", json!("TCP"));
        let number = port["port"].clone();
        or(port, "targetPort", number);
    }
    if let Some(spec) = service["spec"].as_object_mut() {
        spec.retain(|_, value| !value.is_null());
    }
}

/// Inserts a default if the field is missing or empty.
fn or(object: &mut Value, member: &str, default: Value) {
    if object.is_null() {
        *object = Value::Object(Map::new());
    }
    if let Some(members) = object.as_object_mut()
        && members.get(member).is_none_or(is_empty)
        && !default.is_null()
    {
        members.insert(member.to_owned(), default);
    }
}
