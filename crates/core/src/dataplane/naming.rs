//! Names and common metadata of a link's children.

use std::collections::BTreeMap;

use instancelink_api::keys;

use crate::child::{Observed, Owner, names};
use crate::resolve::directory_name;
use crate::snapshot::Snapshot;

/// The names that the builders use.
#[derive(Clone, Debug)]
pub(super) struct Names<'a> {
    pub(super) namespace: &'a str,
    pub(super) link: &'a str,
    pub(super) link_uid: &'a str,
    pub(super) alias: &'a str,
    pub(super) instance: &'a str,
    /// Name of the directory and of the environment.
    pub(super) directory: String,
    /// UID of the source; empty if it is gone.
    pub(super) source_uid: &'a str,
}

impl<'a> Names<'a> {
    pub(super) fn of(s: &'a Snapshot) -> Self {
        let object = &s.link.object;
        let source_uid = s.source.as_ref().map(|source| source.uid.as_str()).unwrap_or_default();
        let instance = object.spec.instance_ref.name.as_str();
        Self {
            namespace: object.metadata.namespace.as_deref().unwrap_or_default(),
            link: object.metadata.name.as_deref().unwrap_or_default(),
            link_uid: object.metadata.uid.as_deref().unwrap_or_default(),
            alias: &object.spec.link_name,
            instance,
            directory: directory_name(instance, source_uid),
            source_uid,
        }
    }

    /// `namespace/name` of the link, as in the annotation of its children.
    pub(super) fn link_path(&self) -> String {
        path(self.namespace, self.link)
    }

    /// Name of the link's virtual IP.
    pub(super) fn virtual_ip(&self) -> String {
        names::virtual_ip(self.link)
    }

    /// Name of the link's binding.
    pub(super) fn binding(&self) -> String {
        names::binding(self.link)
    }

    /// The labels of a child of the link alone.
    pub(super) fn own_labels(&self) -> BTreeMap<String, String> {
        labels([(keys::MANAGED_BY, keys::MANAGER), (keys::LINK_UID, self.link_uid)])
    }

    /// The owner of a child of the link alone.
    pub(super) fn link_owner(&self) -> Vec<Owner> {
        vec![Owner {
            api_version: keys::API_VERSION.to_owned(),
            kind: keys::KIND.to_owned(),
            name: self.link.to_owned(),
            uid: self.link_uid.to_owned(),
        }]
    }

    /// The labels of a shared child.
    pub(super) fn shared_labels(&self) -> BTreeMap<String, String> {
        labels([(keys::MANAGED_BY, keys::MANAGER), (keys::SOURCE_UID, self.source_uid)])
    }
}

/// The source, as a shared child names it. It is no owner: the garbage collector would take the child along while the pods of
/// the source run (contract#delayed-hold).
pub(super) fn source_path(s: &Snapshot) -> String {
    let source = &s.link.object.spec.instance_ref;
    path(&source.kind, &source.name)
}

/// The link that a shared child names, for the sweep to ask about. All links of the source must agree on it, or they would
/// overwrite each other: the named link stays if it is this link or a sibling; otherwise it is this link.
pub(super) fn representative<T>(s: &Snapshot, names: &Names<'_>, observed: Option<&Observed<T>>) -> String {
    let own = names.link_path();
    observed
        .and_then(|found| found.object.annotations.get(keys::LINK))
        .filter(|named| **named == own || sibling_paths(s).any(|(_, path)| path == **named))
        .cloned()
        .unwrap_or(own)
}

/// UID and `namespace/name` of each sibling.
pub(super) fn sibling_paths(s: &Snapshot) -> impl Iterator<Item = (&str, String)> {
    s.siblings.iter().map(|sibling| {
        let metadata = &sibling.object.metadata;
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let uid = metadata.uid.as_deref().unwrap_or_default();
        (uid, path(&part(&metadata.namespace), &part(&metadata.name)))
    })
}

pub(super) fn labels<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn path(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}
