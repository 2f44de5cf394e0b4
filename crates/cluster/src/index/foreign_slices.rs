//! Slices that others write: Kubernetes, which mirrors `Endpoints` objects, and users and controllers, for Services without a
//! selector. The slices that Kubernetes writes for Services with a selector are not among them: there are many, and pods are
//! known from elsewhere. Nor are the operator's own; of one whose label a policy rewrites, the watch brings an event, and it
//! gives nothing to any Service.

use std::sync::Arc;

use instancelink_api::keys;
use instancelink_core::marks::has_mark;
use instancelink_core::snapshot::{ServiceSlice, SliceAddress};
use k8s_openapi::api::discovery::v1::EndpointSlice;

use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::scale::Scale;
use crate::store::table::{Change, Item, Table};

/// A slice of others: its Service, and its addresses and ports.
#[derive(Clone, Debug)]
pub struct ForeignSlice {
    uid: String,
    resource_version: String,
    /// The Service, and the `Endpoints` object of the same name if it is mirrored.
    pub(crate) service: Option<ObjectName>,
    is_mirrored: bool,
    /// What it gives to the Service.
    pub(crate) slice: Arc<ServiceSlice>,
}

impl ForeignSlice {
    pub(crate) fn of(raw: EndpointSlice) -> Self {
        let labels = raw.metadata.labels.as_ref();
        let manager = labels.and_then(|labels| labels.get(keys::SLICE_MANAGED_BY));
        let is_mirrored = manager.is_some_and(|manager| manager == keys::MIRROR_MANAGER);
        let (uid, resource_version) = (raw.metadata.uid.clone(), raw.metadata.resource_version.clone());
        let slice = if has_mark(&raw.metadata) {
            ServiceSlice::default()
        } else {
            ServiceSlice::from(raw)
        };
        let service = (!slice.service.is_empty()).then(|| ObjectName::new(&slice.namespace, &slice.service));
        Self {
            uid: uid.unwrap_or_default(),
            resource_version: resource_version.unwrap_or_default(),
            service,
            is_mirrored,
            slice: Arc::new(slice),
        }
    }

    /// The Service into which Kubernetes mirrors it.
    pub(crate) fn mirrored_into(&self) -> Option<&ObjectName> {
        self.service.as_ref().filter(|_| self.is_mirrored)
    }
}

/// All slices of others.
#[derive(Debug, Default)]
pub struct ForeignSliceStore {
    pub(crate) table: Table<ForeignSlice>,
    by_service: Groups<ObjectName>,
    mirrored: Groups<ObjectName>,
}

impl ForeignSliceStore {
    /// True if an `Endpoints` object is mirrored into this Service.
    pub(crate) fn lead_into(&self, service: &ObjectName) -> bool {
        self.count_mirrored(service) > 0
    }

    /// How many mirrored slices this Service has.
    pub(crate) fn count_mirrored(&self, service: &ObjectName) -> usize {
        self.mirrored.count(service)
    }

    /// The slices of this Service.
    pub(crate) fn of_service<'a>(
        &'a self,
        service: &ObjectName,
    ) -> impl Iterator<Item = &'a Arc<ServiceSlice>> + use<'a> {
        let names = self.by_service.get(service);
        names.filter_map(|name| self.table.get(name)).map(|found| &found.slice)
    }

    pub(crate) fn reindex(&mut self, change: &Change<ForeignSlice>) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let services =
            |slice: Option<&ForeignSlice>| slice.and_then(|s| s.service.clone()).into_iter().collect::<Vec<_>>();
        self.by_service.update(&change.name, &services(old), &services(new));
        let mirrored = |slice: Option<&ForeignSlice>| {
            let service = slice.and_then(|slice| slice.mirrored_into().cloned());
            service.into_iter().collect::<Vec<_>>()
        };
        self.mirrored.update(&change.name, &mirrored(old), &mirrored(new));
    }
}

impl Item for ForeignSlice {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        scale.add_list("metadata.labels", self.service.iter().map(|service| &*service.name));
        scale.add("endpoints", self.slice.addresses.capacity() * size_of::<SliceAddress>());
        scale.add_list("ports", self.slice.ports.iter().map(|port| &*port.name));
    }
}
