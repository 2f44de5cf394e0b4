//! What counts of a link's metadata and status, so that the caches keep nothing else (contract#bounded-objects). Users may
//! write labels, annotations and finalizers of any number, and the API server takes 1.5 MB of them. A link stays usable
//! whatever it has of these.

use std::collections::BTreeMap;

use instancelink_api::{InstanceLink, InstanceLinkStatus, keys};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

/// The annotations by which a `GitOps` tool marks a link.
pub(crate) const GITOPS_ANNOTATIONS: [&str; 2] = ["argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name"];
/// The labels by which one does.
pub(crate) const GITOPS_LABELS: [&str; 3] = [
    "argocd.argoproj.io/instance",
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
];
/// Replaces finalizers that are not kept. A list with it must not be written: the executor reads all of them first.
pub const MORE_FINALIZERS: &str = "instancelink.dev/and-more";

/// The longest annotation that is kept whole, in bytes. No action and no intent is as long.
const LONGEST_ANNOTATION: usize = 16 * 1024;
/// The finalizers of other clients that are kept.
const MOST_FINALIZERS: usize = 64;
/// The largest status that is kept whole, in bytes, and the largest field of a larger one. No status that the operator computes
/// is as large (lifecycle#valid-status).
const LARGEST_STATUS: usize = 56 * 1024;
const LARGEST_FIELD: usize = 4 * 1024;

/// Removes what does not count.
pub fn bound(link: &mut InstanceLink) {
    bound_metadata(&mut link.metadata);
    if let Some(status) = link.status.as_mut().filter(|status| size_of(status) > LARGEST_STATUS) {
        *status = without_large_fields(status);
    }
}

fn bound_metadata(meta: &mut ObjectMeta) {
    keep(&mut meta.labels, |key| {
        GITOPS_LABELS.contains(&key) || key == keys::MANAGED_BY
    });
    keep(&mut meta.annotations, |key| {
        GITOPS_ANNOTATIONS.contains(&key) || [keys::ACTION, keys::INTENT].contains(&key)
    });
    for value in meta.annotations.iter_mut().flat_map(BTreeMap::values_mut) {
        if value.len() > LONGEST_ANNOTATION {
            *value = value[..value.floor_char_boundary(LONGEST_ANNOTATION)].to_owned();
        }
    }
    meta.owner_references = None;
    if let Some(finalizers) = meta.finalizers.as_mut().filter(|all| all.len() > MOST_FINALIZERS) {
        let is_own = finalizers.iter().any(|name| name == keys::FINALIZER);
        let mut kept: Vec<String> = std::mem::take(finalizers);
        kept.retain(|name| name != keys::FINALIZER);
        kept.truncate(MOST_FINALIZERS);
        kept.extend(is_own.then(|| keys::FINALIZER.to_owned()));
        kept.push(MORE_FINALIZERS.to_owned());
        *finalizers = kept.into_boxed_slice().into_vec();
    }
}

fn keep(entries: &mut Option<BTreeMap<String, String>>, counts: impl Fn(&str) -> bool) {
    if let Some(all) = entries {
        all.retain(|key, _| counts(key));
    }
}

/// The bytes of the texts that others may make long.
fn size_of(status: &InstanceLinkStatus) -> usize {
    let texts = [
        &status.kind,
        &status.name,
        &status.instance_id,
        &status.target_instance_id,
        &status.link_name,
        &status.account_id,
        &status.description,
        &status.transitioning_message,
        &status.uuid,
        &status.fqdn,
        &status.programmed_hash,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let conditions = status.conditions.iter();
    let conditions: usize = conditions
        .map(|c| 128 + c.type_.len() + c.status.len() + c.reason.len() + c.message.len())
        .sum();
    let history: usize = status.history.iter().map(|entry| 64 + entry.cause.len()).sum();
    let last = status.last_action.as_ref().map_or(0, |last| {
        let intent = &last.intent;
        let texts = [
            &intent.action,
            &intent.id,
            &intent.reason,
            &intent.manager,
            &intent.link,
            &last.message,
        ];
        texts.into_iter().chain(&intent.handled).map(String::len).sum()
    });
    let binding: usize = status.binding.iter().map(|binding| binding.name.len()).sum();
    texts + conditions + history + last + binding + 16 * status.available_actions.len()
}

/// The status without its large fields: they are written again.
fn without_large_fields(status: &InstanceLinkStatus) -> InstanceLinkStatus {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(status) else {
        return InstanceLinkStatus::default();
    };
    fields.retain(|_, value| value.to_string().len() <= LARGEST_FIELD);
    serde_json::from_value(Value::Object(fields)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn many(value: &str) -> BTreeMap<String, String> {
        (0..20_000).map(|n| (format!("k{n}"), value.to_owned())).collect()
    }

    fn size(link: &InstanceLink) -> usize {
        serde_json::to_vec(link).unwrap().len()
    }

    /// contract#bounded-objects
    #[test]
    fn of_a_link_with_much_metadata_only_what_counts_is_kept() {
        let mut link = fixture::snapshot().link.object;
        let meta = &mut link.metadata;
        meta.labels = Some(many(""));
        meta.labels
            .as_mut()
            .unwrap()
            .insert(GITOPS_LABELS[0].to_owned(), "shop".to_owned());
        meta.annotations = Some(many("x"));
        let annotations = meta.annotations.as_mut().unwrap();
        annotations.insert(keys::ACTION.to_owned(), "ä".repeat(100_000));
        annotations.insert(keys::INTENT.to_owned(), "{}".to_owned());
        meta.finalizers = Some((0..20_000).map(|n| format!("example.com/f{n}")).collect());
        meta.finalizers.as_mut().unwrap().push(keys::FINALIZER.to_owned());
        assert!(size(&link) > 1_000_000);
        bound(&mut link);
        assert!(size(&link) < 64 * 1024, "{}", size(&link));
        assert_eq!(link.metadata.labels.unwrap().len(), 1);
        let kept: Vec<String> = link.metadata.annotations.unwrap().into_keys().collect();
        assert_eq!(kept, [keys::ACTION, keys::INTENT]);
        let finalizers = link.metadata.finalizers.unwrap();
        assert!(finalizers.iter().any(|name| name == keys::FINALIZER));
        assert!(finalizers.iter().any(|name| name == MORE_FINALIZERS));
    }

    /// contract#bounded-objects
    #[test]
    fn a_large_field_of_a_status_is_written_again_and_the_others_stay() {
        let mut link = fixture::World::active().s.link.object;
        let status = link.status.as_mut().unwrap();
        let (state, hash) = (status.state, status.programmed_hash.clone());
        let condition = status.conditions[0].clone();
        status.conditions = vec![condition; 5000];
        status.fqdn = Some("x".repeat(100_000));
        bound(&mut link);
        assert!(size(&link) < 64 * 1024, "{}", size(&link));
        let status = link.status.unwrap();
        assert!(status.conditions.is_empty() && status.fqdn.is_none());
        assert_eq!((status.state, status.programmed_hash), (state, hash));
    }

    #[test]
    fn an_ordinary_link_is_kept_as_it_is() {
        let mut link = fixture::World::active().s.link.object;
        let before = link.clone();
        bound(&mut link);
        assert_eq!(
            serde_json::to_value(&link).unwrap(),
            serde_json::to_value(&before).unwrap()
        );
    }
}
