//! Parses objects without `managedFields`, which are two thirds of a link's JSON. Only one thing in them is needed: the
//! field manager that wrote the action annotation. The rest is skipped while parsing, and never allocated.

use std::borrow::Cow;
use std::cell::RefCell;

use kube::Resource;
use kube::core::ObjectMeta;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::value::RawValue;

use super::field_manager::manager_of_the_action;
use super::fields::Fields;
use super::lenient::Salvage;

/// An object without `managedFields`, and the field manager that wrote its action annotation.
#[derive(Clone, Debug)]
pub struct Stripped<K> {
    /// The object, without `managedFields`.
    pub object: K,
    /// The field manager that wrote the action annotation; empty if unknown.
    pub action_manager: String,
}

impl<K: Resource> Resource for Stripped<K> {
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

impl<'de, K: Deserialize<'de>> Deserialize<'de> for Stripped<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let managed = RefCell::default();
        let position = Position::Object(&managed);
        let object = K::deserialize(Stripping {
            inner: deserializer,
            position,
        })?;
        Ok(Self {
            object,
            action_manager: managed
                .into_inner()
                .map(|raw| manager_of_the_action(raw.get()))
                .unwrap_or_default(),
        })
    }
}

impl<K: Salvage> Salvage for Stripped<K> {
    fn salvage(metadata: ObjectMeta, fields: &Fields<'_>) -> Self {
        let managed = fields.fields("metadata").text("managedFields").unwrap_or_default();
        Self {
            object: K::salvage(metadata, fields),
            action_manager: manager_of_the_action(managed),
        }
    }

    fn trim(&mut self) {
        self.object.trim();
    }
}

/// The text of `managedFields`. It is parsed by itself, because others may write in it what no type can hold.
type Managed = RefCell<Option<Box<RawValue>>>;

/// Whether this map is the object or its metadata, and where its `managedFields` go.
#[derive(Clone, Copy)]
enum Position<'a> {
    Object(&'a Managed),
    Metadata(&'a Managed),
}

/// A deserializer, a visitor, or the entries of a map, that leaves `managedFields` out.
struct Stripping<'a, T> {
    inner: T,
    position: Position<'a>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Stripping<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { inner, position } = self;
        inner.deserialize_map(Stripping {
            inner: visitor,
            position,
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { inner, position } = self;
        inner.deserialize_option(Stripping {
            inner: visitor,
            position,
        })
    }

    // Objects and their metadata are maps, so each hint of their types leads to a map.
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Stripping<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let Self { inner, position } = self;
        inner.visit_some(Stripping {
            inner: deserializer,
            position,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Self { inner, position } = self;
        inner.visit_map(Entries {
            map: Stripping { inner: map, position },
            is_metadata: false,
        })
    }
}

struct Entries<'a, A> {
    map: Stripping<'a, A>,
    /// The next value is the metadata of the object.
    is_metadata: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let map = &mut self.map.inner;
        let mut key = map.next_key::<Key<'de>>()?;
        while let Position::Metadata(managed) = self.map.position
            && key.as_ref().is_some_and(|Key(key)| key == "managedFields")
        {
            managed.replace(Some(map.next_value()?));
            key = map.next_key()?;
        }
        let Some(Key(key)) = key else { return Ok(None) };
        self.is_metadata = matches!(self.map.position, Position::Object(_)) && key == "metadata";
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        match self.map.position {
            Position::Object(managed) if self.is_metadata => self.map.inner.next_value_seed(Stripping {
                inner: seed,
                position: Position::Metadata(managed),
            }),
            _ => self.map.inner.next_value_seed(seed),
        }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Stripping<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let Self { inner, position } = self;
        inner.deserialize(Stripping {
            inner: deserializer,
            position,
        })
    }
}

/// A key of a map; borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use instancelink_api::{InstanceLink, keys};
    use k8s_openapi::api::core::v1::Service;
    use serde_json::{Value, json};

    use super::*;

    fn link(managed: &Value) -> Value {
        json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink",
            "metadata": {
                "annotations": {"note": "managedFields", "metadata": "x"}, "name": "db", "managedFields": managed, "uid": "u",
            },
            "spec": {"linkName": "db", "instanceRef": {"kind": "Deployment", "name": "managedFields"}},
        })
    }

    #[test]
    fn everything_but_managed_fields_is_read() {
        let managed = json!([{"manager": "x", "fieldsV1": {"f:spec": {"f:linkName": {}}}}]);
        for text in [link(&managed).to_string(), link(&json!(null)).to_string()] {
            let stripped: Stripped<InstanceLink> = serde_json::from_str(&text).unwrap();
            let mut plain: InstanceLink = serde_json::from_str(&text).unwrap();
            plain.metadata.managed_fields = None;
            assert_eq!(
                serde_json::to_value(&stripped.object).unwrap(),
                serde_json::to_value(&plain).unwrap()
            );
            assert_eq!(stripped.action_manager, "");
        }
        let empty: Stripped<Service> = serde_json::from_value(json!({"metadata": {"managedFields": []}})).unwrap();
        assert_eq!(empty.object, Service::default());
    }

    #[test]
    fn the_manager_of_the_action_is_kept() {
        let owns = json!({"f:metadata": {"f:annotations": {".": {}, (format!("f:{}", keys::ACTION)): {}}}});
        let managed = json!([
            {"manager": "helm", "time": "2026-01-01T00:00:09Z", "fieldsV1": {"f:spec": {}}},
            {"manager": "kubectl-annotate", "time": "2026-01-01T00:00:00Z", "fieldsV1": owns},
        ]);
        let stripped: Stripped<InstanceLink> = serde_json::from_value(link(&managed)).unwrap();
        assert_eq!(stripped.action_manager, "kubectl-annotate");
    }

    /// contract#unusable-objects
    #[test]
    fn no_managed_field_hides_the_object() {
        let times = ["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", ""];
        let entries = times.map(|time| json!([{"manager": "x", "time": time, "fieldsV1": {"f:spec": {}}}]));
        for managed in entries.into_iter().chain([json!(3), json!({}), json!([[], "x"])]) {
            let stripped: Stripped<InstanceLink> = serde_json::from_str(&link(&managed).to_string()).unwrap();
            assert_eq!(stripped.object.metadata.uid.as_deref(), Some("u"), "{managed}");
        }
    }

    #[test]
    fn a_value_that_is_no_object_is_an_error() {
        for text in ["3", "[]", "{\"metadata\": 3}"] {
            assert!(serde_json::from_str::<Stripped<Service>>(text).is_err(), "{text}");
        }
    }
}
