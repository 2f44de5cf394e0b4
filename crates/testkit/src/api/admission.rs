//! The steps of the double before it stores an object, in the order of the API server: apply the schema and the
//! defaults, apply the project's mutating policy, and validate.

use serde_json::{Value, json};

use super::built_in;
use super::custom;
use super::defaults;
use super::failure::Failure;
use super::names;
use super::object::Meta as _;
use super::resource::{LINKS, Resource};
use super::store::Store;

const FINALIZER: &str = "instancelink.dev/lifecycle";

/// Prepares a new object: schema, defaults, policy.
pub fn on_create(store: &mut Store, resource: &'static Resource, object: &mut Value) {
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.kind);
    defaults::of_metadata(object);
    custom::shape(resource, object);
    defaults::on_create(store, resource, object);
    if *resource == LINKS {
        add_finalizer(object);
    }
}

/// Prepares the new version of an object: schema and defaults.
pub fn on_update(resource: &Resource, new: &mut Value, old: &Value) {
    defaults::of_metadata(new);
    custom::shape(resource, new);
    defaults::on_update(resource, new, old);
}

/// Refuses an object that is not valid.
pub fn validate(
    resource: &Resource,
    new: &Value,
    old: Option<&Value>,
    subresource: Option<&str>,
) -> Result<(), Failure> {
    let mut errors = names::errors(resource, new, old);
    if resource.is_custom() && old.is_some() {
        // The API server validates the metadata of custom objects twice, and reports each error twice.
        errors.extend(errors.clone());
    }
    errors.extend(built_in::owners(new));
    errors.extend(built_in::errors(resource, new, old));
    errors.extend(custom::errors(resource, new, old, subresource.is_some()));
    if errors.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(resource, new.meta("name"), &errors))
}

/// Adds the finalizer, as `deploy/policies/mutating/finalizer.yaml` does.
fn add_finalizer(link: &mut Value) {
    let mut finalizers: Vec<String> = link.finalizers().into_iter().map(str::to_owned).collect();
    if !finalizers.iter().any(|f| f == FINALIZER) {
        finalizers.push(FINALIZER.to_owned());
        link.metadata().insert("finalizers".to_owned(), json!(finalizers));
    }
}
