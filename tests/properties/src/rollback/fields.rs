//! Every field of the spec, read from the CRD. A new field without values in `values` fails the campaign.

use instancelink_api::crd;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray};

/// A field, as its path from `spec`; `[]` means an item of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field(pub String);

/// All fields, both those with a value and those that contain other fields.
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
