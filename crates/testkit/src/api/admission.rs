//! What happens to an object on its way in: defaults, the project's own policies, validation, and who wrote what.

use serde_json::{Value, json};

use super::failure::Failure;
use super::object::Meta as _;
use super::resource::{LINKS, NAMESPACES, Resource, SERVICES};
use super::store::{Store, shown};
use super::write::Writer;

const ACTION: &str = "instancelink.dev/action";
const FINALIZER: &str = "instancelink.dev/lifecycle";

/// Defaults of a new object.
pub fn on_create(store: &mut Store, resource: &'static Resource, object: &mut Value) {
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.kind);
    if *resource == LINKS {
        object["status"] = instancelink_api::crd::default_status();
        // deploy/policies/mutating/finalizer.yaml
        let mut finalizers: Vec<String> = object.finalizers().into_iter().map(str::to_owned).collect();
        if !finalizers.iter().any(|f| f == FINALIZER) {
            finalizers.push(FINALIZER.to_owned());
            object.metadata().insert("finalizers".to_owned(), json!(finalizers));
        }
    }
    if *resource == SERVICES {
        on_service(store, object);
    }
    if *resource == NAMESPACES {
        let name = object.meta("name").to_owned();
        let mut labels = object.labels().cloned().unwrap_or_default();
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
        object.metadata().insert("labels".to_owned(), Value::Object(labels));
        object["status"]["phase"] = json!("Active");
    }
}

/// Defaults of an object that is written again.
pub fn on_update(resource: &Resource, new: &mut Value, old: &Value) {
    if *resource == LINKS && new["status"].is_null() {
        new["status"] = instancelink_api::crd::default_status();
    }
    if *resource == SERVICES {
        for field in [
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
            "type",
            "sessionAffinity",
        ] {
            if new["spec"][field].is_null() {
                new["spec"][field] = old["spec"][field].clone();
            }
        }
        ports(new);
    }
}

fn on_service(store: &mut Store, object: &mut Value) {
    let spec = &mut object["spec"];
    for (field, default) in [("type", json!("ClusterIP")), ("sessionAffinity", json!("None"))] {
        if spec[field].is_null() {
            spec[field] = default;
        }
    }
    if spec["clusterIP"].is_null() {
        spec["clusterIP"] = store.new_address().into();
    }
    spec["clusterIPs"] = json!([spec["clusterIP"]]);
    for (field, default) in [
        ("ipFamilies", json!(["IPv4"])),
        ("ipFamilyPolicy", json!("SingleStack")),
    ] {
        if spec[field].is_null() {
            spec[field] = default;
        }
    }
    ports(object);
}

fn ports(service: &mut Value) {
    for port in service["spec"]["ports"].as_array_mut().into_iter().flatten() {
        if port["protocol"].is_null() {
            port["protocol"] = json!("TCP");
        }
        if port["targetPort"].is_null() {
            port["targetPort"] = port["port"].clone();
        }
    }
}

/// What the schema and its rules refuse.
pub fn validate(_resource: &Resource, _name: &str, _new: &Value, _old: Option<&Value>) -> Result<(), Failure> {
    Ok(())
}

/// `managedFields`, of which the operator reads one thing: who wrote the action annotation.
pub fn remember_manager(new: &mut Value, old: Option<&Value>, writer: Writer<'_>) {
    let before = old.map_or(&Value::Null, |old| &old["metadata"]["annotations"][ACTION]);
    let action = new["metadata"]["annotations"][ACTION].clone();
    let entries = if action.is_null() {
        Value::Null
    } else if action == *before {
        old.map_or(Value::Null, |old| old["metadata"]["managedFields"].clone())
    } else {
        json!([{
            "manager": writer.by,
            "operation": "Update",
            "apiVersion": new["apiVersion"],
            "time": shown(writer.now),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:annotations": {format!("f:{ACTION}"): {}}}},
        }])
    };
    if !entries.is_null() {
        new.metadata().insert("managedFields".to_owned(), entries);
    }
}
