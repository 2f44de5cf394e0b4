//! The manifests in `crds/` equal what the types make.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};

fn schema(crd: &CustomResourceDefinition) -> &JSONSchemaProps {
    crd.spec.versions[0]
        .schema
        .as_ref()
        .unwrap()
        .open_api_v3_schema
        .as_ref()
        .unwrap()
}

fn property<'a>(schema: &'a JSONSchemaProps, path: &str) -> &'a JSONSchemaProps {
    path.split('.')
        .fold(schema, |schema, name| &schema.properties.as_ref().unwrap()[name])
}

#[test]
fn the_committed_manifests_are_those_that_the_types_make() {
    for made in instancelink_api::crd::all() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crds");
        let file = format!("{folder}/{}.yaml", made.spec.names.plural);
        let committed: CustomResourceDefinition =
            serde_yaml_ng::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(committed, made, "run `cargo xtask crds` and commit the result");
    }
}

#[test]
fn a_grant_without_allow_allows_endpoints() {
    let crd = instancelink_api::crd::instance_link_grant();
    let allow = property(schema(&crd), "spec.allow");
    assert_eq!(allow.default.as_ref().unwrap().0, serde_json::json!(["Endpoints"]));
    assert_eq!(allow.x_kubernetes_list_type.as_deref(), Some("set"));
}

#[test]
fn a_new_link_is_requested_and_no_tool_takes_it_for_finished() {
    let crd = instancelink_api::crd::instance_link();
    let default = &property(schema(&crd), "status").default.as_ref().unwrap().0;
    assert_eq!(default["state"], "requested");
    assert_eq!(default["transitioning"], "no");
    assert_eq!(default["observedGeneration"], 0);
    assert_eq!(default["conditions"][0]["type"], "Ready");
    assert_eq!(default["conditions"][0]["status"], "Unknown");
}

#[test]
fn fields_that_are_written_as_a_whole_are_atomic_and_conditions_are_a_map() {
    let crd = instancelink_api::crd::instance_link();
    let status = property(schema(&crd), "status");
    for name in ["lastAction", "target", "binding"] {
        assert_eq!(
            property(status, name).x_kubernetes_map_type.as_deref(),
            Some("atomic"),
            "{name}"
        );
    }
    for name in ["history", "availableActions"] {
        assert_eq!(
            property(status, name).x_kubernetes_list_type.as_deref(),
            Some("atomic"),
            "{name}"
        );
    }
    let conditions = property(status, "conditions");
    assert_eq!(conditions.x_kubernetes_list_type.as_deref(), Some("map"));
    assert_eq!(
        conditions.x_kubernetes_list_map_keys.as_deref(),
        Some(["type".to_owned()].as_slice())
    );
}

/// contract#atomic-references
#[test]
fn each_reference_in_a_spec_is_atomic() {
    let [link, grant] = instancelink_api::crd::all();
    let is_atomic = |schema: &JSONSchemaProps| schema.x_kubernetes_map_type.as_deref() == Some("atomic");
    for path in ["instanceRef", "targetInstanceRef", "outputs.binding.secretRef"] {
        assert!(is_atomic(property(schema(&link), &format!("spec.{path}"))), "{path}");
    }
    for path in ["from", "to"] {
        let list = property(schema(&grant), &format!("spec.{path}"));
        assert_eq!(list.x_kubernetes_list_type.as_deref(), Some("atomic"), "{path}");
        let Some(JSONSchemaPropsOrArray::Schema(item)) = &list.items else {
            panic!("{path} has no items")
        };
        assert!(is_atomic(item), "{path}");
    }
}

/// A field that ends with `Ref` and has a name is a reference, also one that is added later.
#[test]
fn no_reference_is_forgotten() {
    fn check(schema: &JSONSchemaProps, path: &str) {
        for (name, property) in schema.properties.iter().flatten() {
            let path = format!("{path}.{name}");
            let is_reference = name.ends_with("Ref");
            assert!(
                !is_reference || property.x_kubernetes_map_type.as_deref() == Some("atomic"),
                "{path}"
            );
            check(property, &path);
        }
        if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
            check(item, &format!("{path}[]"));
        }
    }
    for crd in instancelink_api::crd::all() {
        check(property(schema(&crd), "spec"), "spec");
    }
}

#[test]
fn no_list_item_has_a_default() {
    fn check(schema: &JSONSchemaProps, path: &str, in_item: bool) {
        assert!(
            !in_item || schema.default.is_none(),
            "{path}: kubectl would report `configured` for ever"
        );
        for (name, property) in schema.properties.iter().flatten() {
            check(property, &format!("{path}.{name}"), in_item);
        }
        if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
            check(item, &format!("{path}[]"), true);
        }
    }
    for crd in instancelink_api::crd::all() {
        check(property(schema(&crd), "spec"), "spec", false);
    }
}
