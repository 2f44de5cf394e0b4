//! Services. A child concerns the links that it mentions. Each Service concerns the links that have it as their target,
//! and the links that it shadows.

use instancelink_core::child::ObservedChild;
use instancelink_core::snapshot::Service;
use k8s_openapi::api::core::v1 as core;
use kube::core::ObjectMeta;

use super::orphans::note_any;
use super::sources;
use super::{PARSED_WHOLE, Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::mentions;
use crate::index::services::CachedService;
use crate::store::fields::Fields;
use crate::store::lenient::Salvage;
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Table};

/// The watch of Services.
pub struct Services;

/// A Service that cannot be read has no addresses, ports or selector: it is no target, and no child is like it.
impl Salvage for core::Service {
    fn salvage(metadata: ObjectMeta, _: &Fields<'_>) -> Self {
        Self {
            metadata,
            ..Self::default()
        }
    }
}

impl Watched for Services {
    type Raw = Stripped<core::Service>;
    type Item = CachedService;
    const KIND: &'static str = "Service";
    const PAGE_SIZE: u32 = PARSED_WHOLE;

    fn reduce(raw: Stripped<core::Service>) -> CachedService {
        CachedService::of(raw.object)
    }

    fn table(index: &mut Index) -> &mut Table<CachedService> {
        &mut index.services.table
    }

    fn reindex(index: &mut Index, change: &Change<CachedService>) {
        index.services.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<CachedService>, who: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let child = |service: Option<&CachedService>| service.and_then(|service| service.child.clone());
        let (old_child, new_child) = (child(old), child(new));
        note_any(index, new_child.as_ref(), who, &mut affected);
        if who == Who::Others && is_another(old_child.as_ref(), new_child.as_ref()) {
            for service in [old, new].into_iter().flatten() {
                sources::extend(index, service.mentions().iter(), &mut affected);
            }
        }
        if old.is_some() != new.is_some() {
            affected.extend(index.links.shadowed_by(&change.name), Cause::Change);
        }
        if differs(old, new) {
            let (namespace, name) = (&change.name.namespace, &change.name.name);
            affected.extend(index.links.of_target(Self::KIND, namespace, name), Cause::Endpoints);
        }
        affected
    }
}

/// True if more than the resourceVersion of a child changed.
fn is_another(old: Option<&ObservedChild>, new: Option<&ObservedChild>) -> bool {
    match (old, new) {
        (Some(ObservedChild::Directory(old)), Some(ObservedChild::Directory(new))) => {
            mentions::differs(Some(old), Some(new))
        }
        (Some(ObservedChild::VirtualIp(old)), Some(ObservedChild::VirtualIp(new))) => {
            mentions::differs(Some(old), Some(new))
        }
        (old, new) => old != new,
    }
}

/// True if more than the resourceVersion of a target changed.
fn differs(old: Option<&CachedService>, new: Option<&CachedService>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            let unversioned = Service {
                resource_version: new.service.resource_version.clone(),
                ..(*old.service).clone()
            };
            unversioned != *new.service
        }
        _ => true,
    }
}
