//! Where a reference is: in which kind of object, under which field, and how it is written.

use instancelink_conformance::wire;
use serde_json::{Value, json};

use super::sequences::{ENTRIES, SECRETS, SOURCES, TARGETS};

/// A field that is a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Source,
    Target,
    Secret,
    /// The entry `to` of a grant.
    To,
    /// The entry `from` of a grant.
    From,
}

/// One object with a reference.
pub(crate) struct Object {
    pub(crate) place: Place,
    namespace: String,
    name: String,
}

impl Place {
    pub(crate) const ALL: [Self; 5] = [Self::Source, Self::Target, Self::Secret, Self::To, Self::From];

    pub(crate) const fn sequences(self) -> &'static [&'static str] {
        match self {
            Self::Source => SOURCES,
            Self::Target => TARGETS,
            Self::Secret => SECRETS,
            Self::To | Self::From => ENTRIES,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
            Self::Secret => "secret",
            Self::To => "to",
            Self::From => "from",
        }
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Source | Self::Target | Self::Secret => "instancelinks",
            Self::To | Self::From => "instancelinkgrants",
        }
    }

    /// The path of the reference in the object.
    pub(crate) const fn pointer(self) -> &'static str {
        match self {
            Self::Source => "/spec/instanceRef",
            Self::Target => "/spec/targetInstanceRef",
            Self::Secret => "/spec/outputs/binding/secretRef",
            Self::To => "/spec/to",
            Self::From => "/spec/from",
        }
    }

    /// The reference that a text means: `[apiVersion:]Kind/name[@namespace]`. In a grant, `@` means that an entry has its
    /// optional field.
    pub(crate) fn value(self, text: &str) -> Value {
        let (version, rest) = text.split_once(':').map_or((None, text), |(v, rest)| (Some(v), rest));
        let (rest, namespace) = rest.split_once('@').map_or((rest, None), |(rest, ns)| (rest, Some(ns)));
        let (kind, name) = rest.split_once('/').unwrap();
        let mut value = match self {
            Self::Source | Self::Target => json!({"kind": kind, "name": name}),
            Self::Secret => json!({"name": name}),
            Self::To => json!([{"kind": kind, "name": name}]),
            Self::From if namespace.is_some() => json!([{"namespaceSelector": {"matchLabels": {"team": name}}}]),
            Self::From => json!([{"namespace": name}]),
        };
        match (self, version) {
            (Self::Source | Self::Target, Some(version)) => value["apiVersion"] = version.into(),
            (Self::To, Some(version)) => value[0]["group"] = version.split('/').next().into(),
            _ => {}
        }
        match (self, namespace) {
            (Self::Target, Some(namespace)) => value["namespace"] = namespace.into(),
            (Self::To, Some(_)) => value[0]["ports"] = json!([{"port": 5432}]),
            _ => {}
        }
        value
    }

    /// A merge patch that writes the whole reference.
    pub(crate) fn patch(self, reference: &Value) -> Value {
        let mut reference = reference.clone();
        if let Some(members) = reference.as_object_mut() {
            let optional: &[&str] = match self {
                Self::Source => &["apiVersion"],
                Self::Target => &["apiVersion", "namespace"],
                Self::Secret | Self::To | Self::From => &[],
            };
            for field in optional {
                members.entry(*field).or_insert(Value::Null);
            }
        }
        let mut patch = json!({});
        self.put(&mut patch, reference);
        patch
    }

    /// The reference in an object.
    pub(crate) fn of(self, object: &Value) -> Value {
        object.pointer(self.pointer()).cloned().unwrap_or_default()
    }

    fn put(self, object: &mut Value, reference: Value) {
        let fields = self.pointer().split('/').skip(1);
        *fields.fold(object, |object, field| &mut object[field]) = reference;
    }

    pub(crate) fn object(self, namespace: &str, name: &str) -> Object {
        Object {
            place: self,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl Object {
    pub(crate) fn collection(&self) -> String {
        wire::path(self.place.plural(), &self.namespace)
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.collection(), self.name)
    }

    /// The manifest with this reference.
    pub(crate) fn manifest(&self, reference: &Value) -> Value {
        let (kind, spec) = match self.place {
            Place::To | Place::From => (
                "InstanceLinkGrant",
                json!({"from": [{"namespace": "shop"}], "to": [{"kind": "Service"}]}),
            ),
            Place::Source | Place::Target | Place::Secret => (
                "InstanceLink",
                json!({
                    "linkName": "db", "instanceRef": {"kind": "Deployment", "name": "web"},
                    "targetInstanceRef": {"kind": "Deployment", "name": "pg"},
                    "outputs": {"binding": {"type": "postgresql"}},
                }),
            ),
        };
        let mut manifest = json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": kind,
            "metadata": {"name": self.name, "namespace": self.namespace}, "spec": spec,
        });
        self.place.put(&mut manifest, reference.clone());
        manifest
    }
}
