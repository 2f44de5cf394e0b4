//! How caches and queues name an object.

use std::ops::Deref;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Namespace and name of an object: one pointer, because every index holds some.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectName(Arc<Parts>);

/// What a name is made of.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Parts {
    /// Its namespace; empty for cluster-scoped kinds.
    pub(crate) namespace: Arc<str>,
    /// Its name.
    pub(crate) name: Arc<str>,
}

/// Names a link.
pub(crate) type LinkKey = ObjectName;

impl ObjectName {
    /// A name from its parts.
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self::within(&namespace.into(), name)
    }

    /// The name of an object in a namespace that others name, too.
    pub(crate) fn within(namespace: &Arc<str>, name: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(Parts {
            namespace: Arc::clone(namespace),
            name: name.into(),
        }))
    }

    /// The name an object carries.
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
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
