//! The fields of an object, each read by itself: one that cannot be read does not hide the others. It is used only for
//! objects that cannot be read as a whole.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The fields of one JSON object, not parsed yet. A value that is no object has none.
#[derive(Debug, Default)]
pub struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The fields of the object in this text.
    pub fn of(text: &'a str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// The fields of the object in this field.
    #[must_use]
    pub fn fields(&self, name: &str) -> Self {
        self.0.get(name).map(|raw| Self::of(raw.get())).unwrap_or_default()
    }

    /// The fields in the order of their names, with the text of each value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, raw)| (name.as_str(), raw.get()))
    }

    /// True if the field has a value, whatever it is.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|raw| raw.get() != "null")
    }

    /// The text of a field's value.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        Some(self.0.get(name)?.get())
    }

    /// The value of a field; none if it is absent or cannot be read.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        read(self.0.get(name)?)
    }

    /// The items of a list that can be read.
    fn items<T: DeserializeOwned>(&self, name: &str) -> Option<Vec<T>> {
        let items: Vec<&RawValue> = serde_json::from_str(self.0.get(name)?.get()).ok()?;
        Some(items.into_iter().filter_map(read).collect())
    }

    /// The entries of a map that can be read.
    fn texts(&self, name: &str) -> Option<BTreeMap<String, String>> {
        self.has(name).then(|| {
            let entries = self.fields(name).0.into_iter();
            entries.filter_map(|(key, raw)| Some((key, read(raw)?))).collect()
        })
    }

    /// A value with those of these fields that can be read, and the others as in `base`.
    pub fn over<T: Serialize + DeserializeOwned>(&self, base: T) -> T {
        let Ok(Value::Object(defaults)) = serde_json::to_value(&base) else {
            return base;
        };
        let mut whole = defaults.clone();
        for (name, raw) in &self.0 {
            let Some(value) = read::<Value>(raw) else { continue };
            let mut alone = defaults.clone();
            alone.insert(name.clone(), value.clone());
            if parsed::<T>(alone).is_some() {
                whole.insert(name.clone(), value);
            }
        }
        parsed(whole).unwrap_or(base)
    }

    /// The metadata of the object.
    pub fn metadata(&self) -> ObjectMeta {
        let meta = self.fields("metadata");
        ObjectMeta {
            name: meta.read("name"),
            namespace: meta.read("namespace"),
            uid: meta.read("uid"),
            resource_version: meta.read("resourceVersion"),
            generation: meta.read("generation"),
            creation_timestamp: meta.read("creationTimestamp"),
            // That it is set counts, and not the time.
            deletion_timestamp: meta.has("deletionTimestamp").then(|| {
                meta.read("deletionTimestamp")
                    .unwrap_or(Time(jiff::Timestamp::UNIX_EPOCH))
            }),
            labels: meta.texts("labels"),
            annotations: meta.texts("annotations"),
            owner_references: meta.items("ownerReferences"),
            finalizers: meta.items("finalizers"),
            ..ObjectMeta::default()
        }
    }
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn parsed<T: DeserializeOwned>(fields: Map<String, Value>) -> Option<T> {
    serde_json::from_value(Value::Object(fields)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(value: &Value) -> ObjectMeta {
        Fields::of(&json!({"metadata": value}).to_string()).metadata()
    }

    #[test]
    fn each_field_of_metadata_that_can_be_read_counts() {
        let meta = metadata(&json!({
            "name": "web", "namespace": 7, "uid": "u", "resourceVersion": "5",
            "labels": {"app": "web", "count": 3}, "annotations": "none",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "x"}, 4],
            "finalizers": ["a", {}, "b"],
            "deletionTimestamp": "9999-12-31T23:59:59Z", "creationTimestamp": "9999-12-31T23:59:59Z",
        }));
        assert_eq!(meta.name.as_deref(), Some("web"));
        assert_eq!(meta.namespace, None);
        assert_eq!(meta.resource_version.as_deref(), Some("5"));
        assert_eq!(
            meta.labels.unwrap().into_iter().collect::<Vec<_>>(),
            [("app".to_owned(), "web".to_owned())]
        );
        assert_eq!(meta.annotations, Some(BTreeMap::new()));
        assert_eq!(meta.owner_references.unwrap().len(), 1);
        assert_eq!(meta.finalizers.unwrap(), ["a", "b"]);
        assert!(
            meta.deletion_timestamp.is_some(),
            "the object is being deleted, whenever that began"
        );
        assert!(meta.creation_timestamp.is_none());
    }

    #[test]
    fn nothing_is_known_of_what_is_no_object() {
        for text in ["3", "[]", "{\"metadata\": 3}", "{}", "null", "\"x\""] {
            assert_eq!(Fields::of(text).metadata(), ObjectMeta::default(), "{text}");
        }
        assert!(
            metadata(&json!({"deletionTimestamp": null}))
                .deletion_timestamp
                .is_none()
        );
    }

    #[test]
    fn a_field_that_cannot_be_read_has_its_default_and_the_others_their_values() {
        #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        struct Spec {
            name: String,
            #[serde(default)]
            count: u8,
            kind: Option<String>,
        }
        let text = json!({"spec": {"name": "web", "count": 300, "kind": "Pod"}}).to_string();
        let spec = Fields::of(&text).fields("spec").over(Spec::default());
        let expected = Spec {
            name: "web".to_owned(),
            count: 0,
            kind: Some("Pod".to_owned()),
        };
        assert_eq!(spec, expected);
        assert_eq!(Fields::of("{}").fields("spec").over(Spec::default()), Spec::default());
    }
}
