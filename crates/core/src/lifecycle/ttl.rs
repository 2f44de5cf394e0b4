//! The two TTLs of a link: when a removed link is purged, and when the object of a purged link is deleted.

use instancelink_api::{Desired, InstanceLink};
use jiff::{SignedDuration, Timestamp};

use super::facts::Facts;
use crate::bounded_link::{GITOPS_ANNOTATIONS, GITOPS_LABELS};

/// When the operator purges a removed link. `None` if it keeps the link.
pub(super) fn removed_until(f: &Facts<'_>) -> Option<Timestamp> {
    let ttl = f.link.spec.ttl_seconds_after_removed?;
    if f.memory.desired() != Some(Desired::Removed) {
        return None;
    }
    after(f.status.removed.as_ref()?.0, ttl)
}

/// When the object of a purged link is deleted; none if a `GitOps` tool would create it again.
pub(super) fn purged_until(f: &Facts<'_>) -> Option<Timestamp> {
    if is_kept_by_gitops(f.link) {
        return None;
    }
    let since = f.entered_at().or_else(|| f.memory.desired_at()).unwrap_or(f.s.now);
    after(since, f.link.spec.ttl_seconds_after_purged)
}

fn after(since: Timestamp, seconds: i64) -> Option<Timestamp> {
    since.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// True where Argo CD, Flux or Helm owns the object: they would create the link again, active.
fn is_kept_by_gitops(link: &InstanceLink) -> bool {
    let meta = &link.metadata;
    let annotated = meta
        .annotations
        .iter()
        .flatten()
        .any(|(key, _)| GITOPS_ANNOTATIONS.contains(&key.as_str()));
    let labelled = meta.labels.iter().flatten().any(|(key, value)| {
        GITOPS_LABELS.contains(&key.as_str()) || (key == "app.kubernetes.io/managed-by" && value == "Helm")
    });
    annotated || labelled
}
