//! PATCH: the three kinds of patches.

use serde_json::{Value, json};

use super::call::Call;
use super::failure::Failure;

/// The object after a patch.
pub fn patched(old: &Value, call: &Call, patch: &Value) -> Result<Value, Failure> {
    let mut new = old.clone();
    // The result keeps UID and resource version of the stored object, so they are a precondition only if the patch has them.
    match call.content_type.as_str() {
        "application/merge-patch+json" => json_patch::merge(&mut new, patch),
        "application/json-patch+json" => {
            let patch: json_patch::Patch =
                serde_json::from_value(patch.clone()).map_err(|e| Failure::new(400, "BadRequest", e.to_string()))?;
            json_patch::patch(&mut new, &patch).map_err(|_| Failure::unpatchable())?;
        }
        "application/strategic-merge-patch+json" if !call.resource.is_custom() => strategic(&mut new, patch),
        _ => {
            let why = "the body of the request was in an unknown format - accepted media types include: \
                       application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            return Err(Failure::new(415, "UnsupportedMediaType", why));
        }
    }
    Ok(new)
}

/// A strategic merge patch. It merges one list by its key, the conditions of a status; that is all that is used here.
fn strategic(new: &mut Value, patch: &Value) {
    let mut patch = patch.clone();
    let conditions = patch["status"]
        .as_object_mut()
        .and_then(|status| status.remove("conditions"));
    json_patch::merge(new, &patch);
    let Some(Value::Array(conditions)) = conditions else {
        return;
    };
    if !new["status"]["conditions"].is_array() {
        new["status"]["conditions"] = json!([]);
    }
    let Some(list) = new["status"]["conditions"].as_array_mut() else {
        return;
    };
    for condition in conditions {
        match list.iter_mut().find(|c| c["type"] == condition["type"]) {
            Some(found) => json_patch::merge(found, &condition),
            // The API server puts new conditions first.
            None => list.insert(0, condition),
        }
    }
}
