//! Every field of the spec, as the CRD declares it: a new field without values fails the test that asks for them.

use instancelink_api::crd;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray};

/// A field: the path from `spec` to it, an item of a list being `[]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field(pub String);

/// All fields that hold a value themselves, and all that hold others (which may be left out, or empty).
pub fn fields() -> Vec<Field> {
    let crd = crd::instance_link();
    let schema = crd.spec.versions[0].schema.as_ref().unwrap();
    let spec = &schema.open_api_v3_schema.as_ref().unwrap().properties.as_ref().unwrap()["spec"];
    let mut found = Vec::new();
    walk("", spec, &mut found);
    found.sort();
    found
}

fn walk(path: &str, schema: &JSONSchemaProps, found: &mut Vec<Field>) {
    if !path.is_empty() {
        found.push(Field(path.to_owned()));
    }
    for (name, property) in schema.properties.iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        walk(&path, property, found);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        walk(&format!("{path}[]"), items, found);
    }
}
