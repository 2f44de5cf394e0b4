//! Objects of lists, of events and of answers, one by one: an object that cannot be read does not hide the others, and
//! its identity counts (contract#unusable-objects).

use std::borrow::Cow;

use instancelink_core::snapshot::Unusable;
use kube::Resource;
use kube::core::ObjectMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::fields::Fields;
use super::scale::OF_OTHERS;

/// A kind of which an object can be made that has metadata and nothing else that counts.
pub trait Salvage: DeserializeOwned + Resource {
    /// The object with this metadata. A kind may read more from the other fields.
    fn salvage(metadata: ObjectMeta, fields: &Fields<'_>) -> Self;
    /// Drops from a large object what is not kept anyway.
    fn trim(&mut self) {}
}

/// An object as the API server sent it. If it cannot be used, only its identity counts, and `why` is set.
#[derive(Clone, Debug)]
pub struct Lenient<K> {
    /// The object.
    pub object: K,
    /// Why it cannot be used.
    pub why: Option<Box<Unusable>>,
    /// The bytes of its text.
    pub size: usize,
}

impl<K: Salvage> Lenient<K> {
    /// The object in this text.
    pub fn of(text: &str) -> Self {
        let mut lenient = match serde_json::from_str::<K>(text) {
            Ok(object) => Self {
                object,
                why: None,
                size: text.len(),
            },
            Err(error) => Self::without(text, reason_of::<K>(text, &error)),
        };
        if text.len() > OF_OTHERS {
            lenient.object.trim();
        }
        // kube takes an object without a version for a broken watch, and lists the kind again.
        let version = &mut lenient.object.meta_mut().resource_version;
        version.get_or_insert_with(|| "0".to_owned());
        lenient
    }

    /// The object in this text, which cannot be used for this reason.
    fn without(text: &str, why: Unusable) -> Self {
        let fields = Fields::of(text);
        Self {
            object: K::salvage(fields.metadata(), &fields),
            why: Some(Box::new(why)),
            size: text.len(),
        }
    }
}

impl<'de, K: Salvage> Deserialize<'de> for Lenient<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The text is skipped without recursion, so its depth does not matter.
        Ok(Self::of(Box::<RawValue>::deserialize(deserializer)?.get()))
    }
}

impl<K: Resource> Resource for Lenient<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(of: &K::DynamicType) -> Cow<'_, str> {
        K::kind(of)
    }

    fn group(of: &K::DynamicType) -> Cow<'_, str> {
        K::group(of)
    }

    fn version(of: &K::DynamicType) -> Cow<'_, str> {
        K::version(of)
    }

    fn plural(of: &K::DynamicType) -> Cow<'_, str> {
        K::plural(of)
    }

    fn meta(&self) -> &ObjectMeta {
        self.object.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.object.meta_mut()
    }
}

/// Which field cannot be read. The object is parsed once more, because only a slower parser knows the field.
fn reason_of<K: DeserializeOwned>(text: &str, error: &serde_json::Error) -> Unusable {
    let mut parser = serde_json::Deserializer::from_str(text);
    let field = match serde_path_to_error::deserialize::<_, K>(&mut parser) {
        Err(found) => found.path().to_string(),
        Ok(_) => String::new(),
    };
    let field = if field == "." { "" } else { field.as_str() };
    Unusable::unreadable(field, &expected(error))
}

/// What the parser expected. Its message has the value too, which may be secret and is left out: so only messages whose
/// form is known are used.
fn expected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if text.starts_with("recursion limit") {
        return "fewer values inside each other".to_owned();
    }
    if let Some(field) = text.strip_prefix("missing field ") {
        return format!("the field {}", field.trim_matches('`'));
    }
    let forms = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant ",
    ];
    if forms.iter().any(|form| text.starts_with(form)) {
        return text
            .rsplit_once(", expected ")
            .map_or("", |(_, what)| what)
            .replace('`', "");
    }
    String::new()
}

#[cfg(test)]
mod tests;
