//! Secrets of namespaces in which a link needs them: bindings, foreign Secrets with the name of a binding, and Secrets
//! that a binding refers to. Nothing of any other Secret is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use instancelink_api::{InstanceLink, keys};
use instancelink_core::child::names::link_in;
use instancelink_core::child::{Binding, Kind, Observed};
use instancelink_core::marks::claims;
use instancelink_core::snapshot::{self, Unusable};
use k8s_openapi::api::core::v1::Secret;

use super::link_keys::secret_ref;
use super::mentions::{Mention, mentions_of_own};
use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::scale::{OF_OTHERS, OF_OURS, Scale};
use crate::store::table::{Change, Item, Table};
use crate::store::weights::add_weights;

/// The known Secrets.
#[derive(Debug, Default)]
pub struct SecretStore {
    namespaces: HashMap<Arc<str>, NamespaceSecrets>,
    /// Bindings, and foreign Secrets with the name of a binding, by their mentions.
    pub by_mention: Groups<Mention>,
}

/// The Secrets of one namespace. Each namespace has its own watch, and so its own table.
#[derive(Debug, Default)]
struct NamespaceSecrets {
    table: Table<Observed<Binding>>,
    sight: Sight,
}

/// How far the Secrets of a namespace are known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nothing was listed yet.
    #[default]
    Unknown,
    /// The right is missing.
    Forbidden,
    /// All were listed; of foreign Secrets only the entries of these are kept.
    Clear(Arc<BTreeSet<String>>),
}

impl SecretStore {
    /// A Secret that is kept.
    pub fn get(&self, name: &ObjectName) -> Option<&Arc<Observed<Binding>>> {
        self.namespaces.get(&name.namespace)?.table.get(name)
    }

    /// A Secret that a binding refers to.
    fn referenced(&self, name: &ObjectName) -> Option<snapshot::Referenced> {
        let table = &self.namespaces.get(&name.namespace)?.table;
        let found = table.get(name)?;
        Some(match table.why_unusable(name) {
            Some(why) => snapshot::Referenced::Unusable(why.clone()),
            None => referenced_of(found),
        })
    }

    /// Why a Secret cannot be used; none if it can, or is not kept.
    pub(crate) fn why_unusable(&self, name: &ObjectName) -> Option<&Unusable> {
        self.namespaces.get(&name.namespace)?.table.why_unusable(name)
    }

    /// Those that cannot be used, and why.
    pub(crate) fn unusable(&self) -> impl Iterator<Item = (&ObjectName, &Unusable)> {
        self.namespaces.values().flat_map(|secrets| secrets.table.unusable())
    }

    /// Adds the bytes that are kept of the Secrets to those of their namespaces.
    pub(crate) fn weigh(&self, kept: &mut BTreeMap<Arc<str>, usize>) {
        self.namespaces
            .values()
            .for_each(|secrets| add_weights(kept, &secrets.table));
    }

    /// All Secrets that are kept.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectName, &Arc<Observed<Binding>>)> {
        self.namespaces.values().flat_map(|secrets| secrets.table.iter())
    }

    /// What a link may know of the Secrets of its namespace.
    pub fn known_to(&self, link: &InstanceLink) -> snapshot::Secrets {
        let namespace = link.metadata.namespace.as_deref().unwrap_or_default();
        let referenced = secret_ref(link);
        match self.namespaces.get(namespace).map(|secrets| &secrets.sight) {
            None | Some(Sight::Unknown) => snapshot::Secrets::Unknown,
            Some(Sight::Forbidden) => snapshot::Secrets::Forbidden,
            // The link names it since the list was read: the next list has it.
            Some(Sight::Clear(kept)) if referenced.is_some_and(|name| !kept.contains(name)) => {
                snapshot::Secrets::Unknown
            }
            Some(Sight::Clear(_)) => snapshot::Secrets::Known {
                referenced: referenced.and_then(|name| self.referenced(&ObjectName::new(namespace, name))),
            },
        }
    }

    pub(crate) fn table_in(&mut self, namespace: &str) -> &mut Table<Observed<Binding>> {
        &mut self.namespaces.entry(namespace.into()).or_default().table
    }

    pub(crate) fn reindex(&mut self, change: &Change<Observed<Binding>>) {
        let mentions = |found: &Option<Arc<Observed<Binding>>>| found.as_deref().map(mentions_of).unwrap_or_default();
        self.by_mention
            .update(&change.name, &mentions(&change.old), &mentions(&change.new));
    }

    /// Records how far the Secrets of a namespace are known; true if that changed.
    pub(crate) fn see(&mut self, namespace: &Arc<str>, sight: Sight) -> bool {
        let secrets = self.namespaces.entry(Arc::clone(namespace)).or_default();
        let is_news = secrets.sight != sight;
        secrets.sight = sight;
        is_news
    }

    /// Forgets the Secrets of a namespace. Returns what changes by that.
    pub(crate) fn forget(&mut self, namespace: &str) -> Vec<Change<Observed<Binding>>> {
        let Some(secrets) = self.namespaces.remove(namespace) else {
            return Vec::new();
        };
        let gone = secrets.table.iter().map(|(name, found)| Change {
            name: name.clone(),
            old: Some(Arc::clone(found)),
            new: None,
            other_use: false,
        });
        let changes: Vec<_> = gone.collect();
        for change in &changes {
            self.reindex(change);
        }
        changes
    }
}

impl Item for Observed<Binding> {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        let entries = self.object.body.data.iter();
        scale.add(
            "data",
            entries.map(|(key, value)| 96 + key.len() + value.reveal().len()).sum(),
        );
        scale.add_child(self);
    }

    fn limit(&self) -> usize {
        if claims(self).is_empty() { OF_OTHERS } else { OF_OURS }
    }
}

fn referenced_of(found: &Observed<Binding>) -> snapshot::Referenced {
    if claims(found).is_empty() {
        found.object.body.data.clone().into()
    } else {
        snapshot::Referenced::Binding
    }
}

/// What leads to the link whose Secret this is, or on the name of whose Secret it is.
pub(crate) fn mentions_of(found: &Observed<Binding>) -> Vec<Mention> {
    mentions_of_own(found)
}

/// False for a Secret that is not kept at all. Takes out the entries that no link needs; `referred_to` are the names that
/// links refer to.
pub(crate) fn is_kept(raw: &mut Secret, referred_to: &BTreeSet<String>) -> bool {
    let name = raw.metadata.name.as_deref().unwrap_or_default();
    let is_on_name = link_in(Kind::Binding, name).is_some();
    let label = |key: &str| raw.metadata.labels.as_ref().and_then(|labels| labels.get(key));
    let is_managed = label(keys::MANAGED_BY).is_some_and(|manager| manager == keys::MANAGER);
    let annotations = raw.metadata.annotations.as_ref();
    let is_marked = is_managed
        || label(keys::LINK_UID).is_some()
        || annotations.is_some_and(|annotations| annotations.contains_key(keys::LINK));
    let is_read = (is_on_name && is_marked) || referred_to.contains(name);
    let is_kept = is_read || is_on_name;
    if !is_read {
        raw.data = None;
    }
    is_kept
}
