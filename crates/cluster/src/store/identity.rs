//! What is kept of the metadata of an object that is too large: enough to know which object it is, and whose.

use std::collections::BTreeMap;

use instancelink_core::child::{is_our_annotation, is_our_label};
use kube::core::ObjectMeta;

/// The labels, annotations, owners and finalizers of it that are kept. A child has fewer of each.
const MOST: usize = 8;
/// The longest text of these. A name has at most 253 characters.
const LONGEST: usize = 512;

/// Names, versions and time of deletion; and of labels, annotations, owners and finalizers those that say whose it is.
pub fn identity_of(meta: &ObjectMeta) -> ObjectMeta {
    let owners = meta.owner_references.iter().flatten();
    let owners = owners.filter(|o| {
        [&o.api_version, &o.kind, &o.name, &o.uid]
            .iter()
            .all(|text| is_short(text))
    });
    let finalizers = meta.finalizers.iter().flatten().filter(|name| is_short(name));
    ObjectMeta {
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
        generation: meta.generation,
        creation_timestamp: meta.creation_timestamp.clone(),
        deletion_timestamp: meta.deletion_timestamp.clone(),
        labels: some(meta.labels.as_ref(), is_our_label),
        annotations: some(meta.annotations.as_ref(), is_our_annotation),
        owner_references: Some(owners.take(MOST).cloned().collect()),
        finalizers: Some(finalizers.take(MOST).cloned().collect()),
        ..ObjectMeta::default()
    }
}

fn some(entries: Option<&BTreeMap<String, String>>, is_ours: fn(&str) -> bool) -> Option<BTreeMap<String, String>> {
    let ours = entries?
        .iter()
        .filter(|(key, value)| is_ours(key) && is_short(key) && is_short(value));
    Some(
        ours.take(MOST)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

const fn is_short(text: &str) -> bool {
    text.len() <= LONGEST
}
