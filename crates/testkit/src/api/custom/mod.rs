//! The schemas of our CRDs: what they drop and fill in ([`shape()`]), and what they refuse ([`check`]).
//!
//! They are read from the CRDs as they are applied, once a process. Only what our CRDs use of schemas is known, and a
//! schema that uses more is a panic, not a guess.

pub mod check;
pub mod kinds;
pub mod rules;
pub mod schema;
pub mod shape;

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

/// Drops what the schema does not know, and fills in its defaults.
pub fn shape(resource: &Resource, object: &mut Value) {
    if let Some(schema) = schema(resource) {
        shape::shape(schema, object);
    }
}

/// What is wrong with an object; `old` is what stands.
pub fn errors(resource: &Resource, new: &Value, old: Option<&Value>, subresource: bool) -> Vec<FieldError> {
    schema(resource).map_or_else(Vec::new, |schema| check::errors(schema, new, old, subresource))
}
