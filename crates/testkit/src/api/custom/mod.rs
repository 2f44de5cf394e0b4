//! The schemas of the project's CRDs: what they drop and default ([`shape()`]), and what they refuse ([`check`]).
//!
//! They are compiled from the CRDs once a process. Only the schema features that these CRDs use are implemented; any other
//! feature is a panic.

pub mod check;
pub mod rules;
pub mod schema;
pub mod shape;
pub mod value_type;

use std::sync::OnceLock;

use instancelink_api::crd;
use serde_json::Value;

use super::failure::FieldError;
use super::resource::{GRANTS, LINKS, Resource};
use schema::Schema;

/// The schema of a kind that is served from a CRD.
pub fn schema(resource: &Resource) -> Option<&'static Schema> {
    static SCHEMAS: OnceLock<[Schema; 2]> = OnceLock::new();
    let [links, grants] = SCHEMAS.get_or_init(|| crd::all().map(|crd| Schema::of(&crd)));
    if *resource == LINKS {
        Some(links)
    } else if *resource == GRANTS {
        Some(grants)
    } else {
        None
    }
}

/// Drops the fields that the schema does not have, and sets its defaults.
pub fn shape(resource: &Resource, object: &mut Value) {
    if let Some(schema) = schema(resource) {
        shape::shape(schema, object);
    }
}

/// The errors of an object. `old` is the stored version.
pub fn errors(resource: &Resource, new: &Value, old: Option<&Value>, subresource: bool) -> Vec<FieldError> {
    schema(resource).map_or_else(Vec::new, |schema| check::errors(schema, new, old, subresource))
}
