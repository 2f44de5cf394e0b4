//! What happens to an object on its way in, in the API server's order: it is brought into shape, the project's own
//! policies look at it, and it is validated.

use serde_json::{Value, json};

use super::custom;
use super::defaults;
use super::failure::Failure;
use super::kinds;
use super::names;
use super::object::Meta as _;
use super::resource::{LINKS, Resource};
use super::store::Store;

const FINALIZER: &str = "instancelink.dev/lifecycle";

/// A new object: shape, defaults, policies.
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

/// An object that is written again.
pub fn on_update(resource: &Resource, new: &mut Value, old: &Value) {
    defaults::of_metadata(new);
    custom::shape(resource, new);
    defaults::on_update(resource, new, old);
}

/// What is refused.
pub fn validate(
    resource: &Resource,
    new: &Value,
    old: Option<&Value>,
    subresource: Option<&str>,
) -> Result<(), Failure> {
    let mut errors = names::errors(resource, new, old);
    if resource.is_custom() && old.is_some() {
        // Metadata of custom objects is looked at twice.
        errors.extend(errors.clone());
    }
    errors.extend(kinds::owners(new));
    errors.extend(kinds::errors(resource, new, old));
    errors.extend(custom::errors(resource, new, old, subresource.is_some()));
    if errors.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(resource, new.meta("name"), &errors))
}

/// deploy/policies/mutating/finalizer.yaml
fn add_finalizer(link: &mut Value) {
    let mut finalizers: Vec<String> = link.finalizers().into_iter().map(str::to_owned).collect();
    if !finalizers.iter().any(|f| f == FINALIZER) {
        finalizers.push(FINALIZER.to_owned());
        link.metadata().insert("finalizers".to_owned(), json!(finalizers));
    }
}
