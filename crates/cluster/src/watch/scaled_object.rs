//! What is read of an object of a kind that the operator supports only through its scale.

use std::hash::{DefaultHasher, Hash, Hasher};

use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::{ApiKind, Workload};
use serde_json::value::RawValue;

use crate::index::pod_template::{PodSpec, controller_of};
use crate::store::fields::Fields;
use crate::store::lenient::Lenient;
use crate::store::projection::Projected;
use crate::store::scale::Scale;
use crate::store::table::{Item as _, Reduced};

/// An object of any kind. Its spec and its status may have any form, so they are looked at as text.
pub(super) type Object = Projected<Option<Box<RawValue>>, Option<Box<RawValue>>>;

/// How many objects inside each other may contain a selector.
const DEEPEST: usize = 16;

/// The object as a workload, without its selector.
pub(super) fn reduce(kind: &ApiKind, object: Lenient<Object>) -> Reduced<Workload> {
    let Lenient { object, why, .. } = object;
    let meta = object.metadata;
    let spec = object
        .spec
        .as_ref()
        .map(|spec| Fields::of(spec.get()))
        .unwrap_or_default();
    let template: PodSpec = spec.fields("template").read("spec").unwrap_or_default();
    let item = Workload {
        kind: kind.clone(),
        controller: controller_of(&meta),
        terminating: meta.deletion_timestamp.is_some(),
        namespace: meta.namespace.unwrap_or_default(),
        name: meta.name.unwrap_or_default(),
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        selector: Selector::nothing(),
        container_ports: template.container_ports(),
    };
    let mut scale = Scale::default();
    item.weigh(&mut scale);
    match scale.excess(item.limit()) {
        Some(too_large) => Reduced {
            item: Workload {
                container_ports: Vec::new(),
                ..item
            },
            why: Some(Box::new(too_large)),
        },
        None => Reduced { item, why },
    }
}

/// Changes with everything that the selector of the scale may come from: the spec, and each text in the status, except
/// those in lists, where conditions are. Numbers of replicas change all the time, and are no text.
pub(super) fn mark_of(object: &Object) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&object.metadata.uid, object.metadata.generation).hash(&mut hasher);
    if let Some(status) = &object.status {
        hash_texts(status.get(), DEEPEST, &mut hasher);
    }
    hasher.finish()
}

fn hash_texts(value: &str, depth: usize, hasher: &mut DefaultHasher) {
    if value.starts_with('{') && depth > 0 {
        for (name, field) in Fields::of(value).iter() {
            name.hash(hasher);
            hash_texts(field, depth - 1, hasher);
        }
    } else if value.starts_with(['"', '{']) {
        value.hash(hasher);
    }
}
