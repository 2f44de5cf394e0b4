//! The links that name an object as their source or target.

use instancelink_core::snapshot::ApiKind;

use crate::index::Index;
use crate::name::ObjectName;

/// The links that name an object of this kind. Sources are found by name alone, so a few links more may be among them.
pub(crate) fn concerned<'a>(
    index: &'a Index,
    kind: &ApiKind,
    name: &ObjectName,
) -> impl Iterator<Item = &'a ObjectName> + use<'a> {
    let (namespace, name) = (&name.namespace, &name.name);
    let sources = index.links.of_source(namespace, name);
    sources.chain(index.links.of_target(&kind.kind, namespace, name))
}
