//! Lists: the current objects or those of an older version, in one answer or in pages.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::failure::Failure;
use super::object::Meta as _;
use super::resource::Resource;
use super::selector::Selector;
use super::store::Store;

/// Answers a list.
pub fn list(store: &Store, call: &Call) -> Result<(u16, Value), Failure> {
    let selector = selector_of(call)?;
    let asked =
        version(call).map_err(|why| Failure::new(400, "BadRequest", format!("invalid resource version: {why}")))?;
    let matching = call.query("resourceVersionMatch");
    if !matching.is_empty() && asked.is_none() {
        let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
        return Err(Failure::list_options("resourceVersionMatch", why));
    }
    let (at, after) = match call.query("continue") {
        "" => (asked.filter(|_| matching == "Exact").unwrap_or(store.version()), None),
        token => {
            let (at, after) = parse_token(token)?;
            (at, Some(after))
        }
    };
    if at < store.oldest() {
        let why = "The resourceVersion for the provided list is too old.";
        return Err(Failure::new(410, "Expired", why));
    }
    let limit = call
        .query("limit")
        .parse()
        .ok()
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let mut items = objects_at(store, call.resource, &selector, at);
    items.retain(|object| after.as_ref().is_none_or(|after| sort_key(object) > *after));
    let rest = items.len().saturating_sub(limit);
    items.truncate(limit);
    let mut metadata = json!({"resourceVersion": at.to_string()});
    if call.resource.is_custom() {
        metadata["continue"] = json!("");
    }
    if let (1.., Some(last)) = (rest, items.last()) {
        let (namespace, name) = sort_key(last);
        metadata["continue"] = json!(format!("{at}/{namespace}/{name}"));
        if selector.is_everything() {
            metadata["remainingItemCount"] = json!(rest);
        }
    }
    let items: Vec<Value> = items.iter().map(|object| item(call.resource, object)).collect();
    let list = json!({
        "apiVersion": call.resource.api_version(),
        "kind": format!("{}List", call.resource.kind),
        "metadata": metadata,
        "items": items,
    });
    Ok((200, list))
}

/// The items of built-in kinds have no `apiVersion` and `kind`; only the list has them.
fn item(resource: &Resource, object: &Value) -> Value {
    let mut item = object.clone();
    if let Some(members) = item.as_object_mut().filter(|_| !resource.is_custom()) {
        members.remove("apiVersion");
        members.remove("kind");
    }
    item
}

/// The sort key of an object in a list.
fn sort_key(object: &Value) -> (String, String) {
    (object.meta("namespace").to_owned(), object.meta("name").to_owned())
}

fn parse_token(token: &str) -> Result<(u64, (String, String)), Failure> {
    let mut parts = token.splitn(3, '/');
    let at = parts.next().and_then(|at| at.parse().ok());
    match (at, parts.next(), parts.next()) {
        (Some(at), Some(namespace), Some(name)) => Ok((at, (namespace.to_owned(), name.to_owned()))),
        _ => Err(Failure::new(
            400,
            "BadRequest",
            "invalid continue token: continue key is not valid",
        )),
    }
}

/// The objects of a kind at a version.
pub fn objects_at(store: &Store, resource: &'static Resource, selector: &Selector, version: u64) -> Vec<Arc<Value>> {
    let objects = if version >= store.version() {
        store.of(resource).map(Arc::clone).collect()
    } else {
        store.of_at(resource, version)
    };
    objects.into_iter().filter(|o| selector.matches(o)).collect()
}

/// The selector of a list or watch.
pub fn selector_of(call: &Call) -> Result<Selector, Failure> {
    Selector::parse(
        call.resource,
        call.namespace.as_deref(),
        call.query("labelSelector"),
        call.query("fieldSelector"),
    )
}

/// The `resourceVersion` of the query, or the message about a value that is not a number.
pub fn version(call: &Call) -> Result<Option<u64>, String> {
    match call.query("resourceVersion") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax")
        }),
    }
}
