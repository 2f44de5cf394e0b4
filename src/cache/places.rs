//! Namespaces and Nodes, of which only metadata is watched.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::affected::{Affected, Cause};
use super::index::{Index, Watched, Who};
use super::lean::LeanMetadata;
use super::name::LinkKey;
use super::table::{Change, Item, Table};

const ZONE: &str = "topology.kubernetes.io/zone";

/// A namespace or a node, reduced to what links need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// UID.
    pub(crate) uid: String,
    resource_version: String,
    /// Being deleted.
    pub(crate) terminating: bool,
    /// The zone label.
    pub(crate) zone: Option<String>,
    /// The labels of a namespace, by which a grant may select it.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Place {
    fn node(meta: ObjectMeta) -> Self {
        Self {
            uid: meta.uid.unwrap_or_default(),
            resource_version: meta.resource_version.unwrap_or_default(),
            terminating: meta.deletion_timestamp.is_some(),
            zone: meta.labels.and_then(|mut l| l.remove(ZONE)),
            labels: BTreeMap::new(),
        }
    }

    fn namespace(mut meta: ObjectMeta) -> Self {
        Self {
            labels: meta.labels.take().unwrap_or_default(),
            ..Self::node(meta)
        }
    }
}

impl Item for Place {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

/// The watch of namespaces.
pub(crate) struct Namespaces;

impl Watched for Namespaces {
    type Raw = LeanMetadata;
    type Item = Place;
    const KIND: &'static str = "Namespace";

    fn reduce(raw: Self::Raw) -> Place {
        Place::namespace(raw.metadata)
    }

    fn table(index: &mut Index) -> &mut Table<Place> {
        &mut index.namespaces
    }

    fn changed(index: &mut Index, change: &Change<Place>, _: Who, affected: &mut Affected) {
        let identity = |p: &Place| (p.uid.clone(), p.terminating);
        let labels = |p: &Place| p.labels.clone();
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let all = old.map(identity) != new.map(identity);
        // A grant elsewhere may select this namespace by its labels.
        if !all && old.map(labels) == new.map(labels) {
            return;
        }
        let links = index.links.in_namespace(&change.name.name);
        let concerned = links.filter(|(_, leads_out)| all || *leads_out);
        affected.extend(concerned.map(|(link, _)| link), Cause::Change);
        if old.is_some() != new.is_some() {
            affected.extend(index.links.shadowed_by(&change.name), Cause::Change);
        }
    }
}

/// The watch of nodes.
pub(crate) struct Nodes;

impl Watched for Nodes {
    type Raw = LeanMetadata;
    type Item = Place;
    const KIND: &'static str = "Node";

    fn reduce(raw: Self::Raw) -> Place {
        Place::node(raw.metadata)
    }

    fn table(index: &mut Index) -> &mut Table<Place> {
        &mut index.nodes
    }

    fn changed(index: &mut Index, change: &Change<Place>, _: Who, affected: &mut Affected) {
        let zone = |p: Option<&Place>| p.and_then(|p| p.zone.clone());
        if zone(change.old.as_deref()) == zone(change.new.as_deref()) {
            return;
        }
        // Zones hardly ever change: finding the links of a node's pods through their slices is cheap enough.
        let node = &*change.name.name;
        let on_node: Vec<LinkKey> = index
            .slices
            .table
            .iter()
            .filter(|(_, slice)| slice.may_be_on(node))
            .map(|(_, slice)| slice.child.glance())
            .filter(|s| s.object.body.endpoints.iter().any(|e| e.node.as_deref() == Some(node)))
            .filter_map(|s| index.links.by_uid.get(s.label(instancelink_api::keys::LINK_UID)?))
            .cloned()
            .collect();
        affected.extend(&on_node, Cause::Change);
    }
}
