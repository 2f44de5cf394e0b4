//! How caches and queues name an object.

use std::ops::Deref;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Namespace and name of an object: one pointer, because every index holds some.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName(Arc<Parts>);

/// The parts of a name.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Parts {
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

/// The name of a link.
pub type LinkKey = ObjectName;

/// Namespace and name of a source, of any kind: sources of one name share the name of a directory.
pub type SourceKey = (Arc<str>, String);

impl ObjectName {
    /// A name from its parts.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self::within(&namespace.into(), name)
    }

    /// A name in a namespace that other names share.
    pub fn within(namespace: &Arc<str>, name: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(Parts {
            namespace: Arc::clone(namespace),
            name: name.into(),
        }))
    }

    /// The name in an object's metadata.
    pub fn of(meta: &ObjectMeta) -> Self {
        Self::new(
            meta.namespace.as_deref().unwrap_or_default(),
            meta.name.as_deref().unwrap_or_default(),
        )
    }
}

impl Deref for ObjectName {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
