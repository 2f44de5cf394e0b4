//! Slices that Kubernetes mirrors from `Endpoints` objects into Services without a selector, as directories are. Watching
//! what comes of such objects costs next to nothing, for there are few; `Endpoints` themselves are deprecated, and many.

use instancelink_api::keys;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::lean::LeanMetadata;
use super::name::ObjectName;
use super::shared;
use super::table::{Change, Item, Table};

/// A mirrored slice: whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Mirror {
    uid: String,
    resource_version: String,
    /// The Service, and the `Endpoints` object of the same name.
    service: Option<ObjectName>,
}

/// All mirrored slices.
#[derive(Debug, Default)]
pub(crate) struct MirrorStore {
    table: Table<Mirror>,
    by_service: Groups<ObjectName>,
}

impl MirrorStore {
    /// True where an `Endpoints` object is mirrored into this Service.
    pub(crate) fn lead_into(&self, service: &ObjectName) -> bool {
        self.by_service.count(service) > 0
    }
}

impl Item for Mirror {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

/// The watch of mirrored slices, of which only metadata is kept.
pub(crate) struct Mirrors;

impl Watched for Mirrors {
    type Raw = LeanMetadata;
    type Item = Mirror;
    const KIND: &'static str = "MirroredEndpointSlice";

    fn reduce(raw: Self::Raw) -> Mirror {
        let namespace = raw.metadata.namespace.unwrap_or_default();
        let service = raw.metadata.labels.and_then(|mut l| l.remove(keys::SERVICE_NAME));
        Mirror {
            uid: raw.metadata.uid.unwrap_or_default(),
            resource_version: raw.metadata.resource_version.unwrap_or_default(),
            service: service.map(|name| ObjectName::new(&namespace, &name)),
        }
    }

    fn table(index: &mut Index) -> &mut Table<Mirror> {
        &mut index.mirrors.table
    }

    fn changed(index: &mut Index, change: &Change<Mirror>, _: Who, affected: &mut Affected) {
        let services = |m: Option<&Mirror>| m.and_then(|m| m.service.clone()).into_iter().collect::<Vec<_>>();
        let (old, new) = (services(change.old.as_deref()), services(change.new.as_deref()));
        let touched = || old.iter().chain(&new);
        let before: Vec<bool> = touched().map(|s| index.mirrors.lead_into(s)).collect();
        index.mirrors.by_service.update(&change.name, &old, &new);
        for (service, before) in touched().zip(before) {
            if before == index.mirrors.lead_into(service) {
                continue;
            }
            // Known by its name or, a directory of ours under another name, by what it says.
            if let Some(instance) = shared::instance_of(&service.name) {
                affected.extend(index.links.of_source(&service.namespace, instance), Cause::Change);
            }
            let standing = index.services.table.get(service);
            if let Some(directory) = standing.and_then(|s| s.directory()) {
                shared::extend(&index.links, shared::mentions(directory).iter(), affected);
            }
        }
    }
}
