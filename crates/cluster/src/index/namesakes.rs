//! Objects that shadow a link's alias in DNS by their name alone.

use std::sync::Arc;

use instancelink_api::InstanceLink;

use crate::name::ObjectName;

/// What shadows a link.
#[derive(Debug, PartialEq, Eq)]
pub struct Namesakes {
    /// A Service in the namespace of the source.
    pub beside: ObjectName,
    /// A Service in a namespace with the name of the directory.
    pub elsewhere: ObjectName,
    /// A namespace.
    pub namespace: ObjectName,
}

impl Namesakes {
    /// The namesakes of a link whose directory has this name.
    pub fn of(link: &InstanceLink, directory: &str) -> Self {
        let alias: Arc<str> = link.spec.link_name.as_str().into();
        let called = |namespace: &str| ObjectName::within(&namespace.into(), Arc::clone(&alias));
        Self {
            beside: called(link.metadata.namespace.as_deref().unwrap_or_default()),
            elsewhere: called(directory),
            namespace: called(""),
        }
    }

    pub(crate) fn all(self) -> [ObjectName; 3] {
        [self.beside, self.elsewhere, self.namespace]
    }
}
