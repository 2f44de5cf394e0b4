//! Slices that Kubernetes mirrors from `Endpoints` objects into Services without a selector, as directories are. They are
//! watched because there are few of them; `Endpoints` themselves are deprecated, and many.

use instancelink_api::keys;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::scale::Scale;
use crate::store::table::{Change, Item, Table};

/// A mirrored slice: only its Service is kept.
#[derive(Clone, Debug)]
pub struct Mirror {
    uid: String,
    resource_version: String,
    /// The Service, and the `Endpoints` object of the same name.
    pub(crate) service: Option<ObjectName>,
}

impl Mirror {
    pub(crate) fn of(meta: ObjectMeta) -> Self {
        let namespace = meta.namespace.unwrap_or_default();
        let service = meta.labels.and_then(|mut labels| labels.remove(keys::SERVICE_NAME));
        Self {
            uid: meta.uid.unwrap_or_default(),
            resource_version: meta.resource_version.unwrap_or_default(),
            service: service.map(|name| ObjectName::new(&namespace, &name)),
        }
    }
}

/// All mirrored slices.
#[derive(Debug, Default)]
pub struct MirrorStore {
    pub(crate) table: Table<Mirror>,
    by_service: Groups<ObjectName>,
}

impl MirrorStore {
    /// True if an `Endpoints` object is mirrored into this Service.
    pub(crate) fn lead_into(&self, service: &ObjectName) -> bool {
        self.count(service) > 0
    }

    /// How many mirrored slices this Service has.
    pub(crate) fn count(&self, service: &ObjectName) -> usize {
        self.by_service.count(service)
    }

    pub(crate) fn reindex(&mut self, change: &Change<Mirror>) {
        let services = |mirror: Option<&Mirror>| mirror.and_then(|m| m.service.clone()).into_iter().collect::<Vec<_>>();
        let (old, new) = (services(change.old.as_deref()), services(change.new.as_deref()));
        self.by_service.update(&change.name, &old, &new);
    }
}

impl Item for Mirror {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        scale.add_list("metadata.labels", self.service.iter().map(|service| &*service.name));
    }
}
