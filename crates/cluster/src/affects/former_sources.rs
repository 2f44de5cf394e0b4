//! Pods whose source is gone: a link stays active for them, until the last of them has ended (contract#delayed-hold).

use std::sync::Arc;

use instancelink_core::resolve::former_source::{may_wait_in, names};
use instancelink_core::snapshot::Pod;

use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::source_kind::SourceKind;
use crate::name::{LinkKey, ObjectName};

/// Adds the links that may have waited for a pod that has ended, and whose source does not exist.
pub(super) fn extend_with_ended(
    index: &Index,
    namespace: &Arc<str>,
    old: Option<&Pod>,
    new: Option<&Pod>,
    affected: &mut Affected,
) {
    let Some(old) = old.filter(|old| !old.finished && new.is_none_or(|new| new.finished)) else {
        return;
    };
    let set = old
        .controller
        .as_ref()
        .and_then(|owner| index.workloads.set(namespace, owner));
    for source in names(old, set.and_then(|set| set.controller.as_ref())) {
        let links = index.links.of_source(namespace, &source);
        let waiting = links.filter(|link| waits(index, link, &source));
        affected.extend(waiting, Cause::Change);
    }
}

/// True for a link that is up without its source. Nothing is parsed for a link to a built-in kind: each rollout of a source
/// ends pods.
fn waits(index: &Index, key: &LinkKey, source: &str) -> bool {
    let Some(link) = index.links.table.get(key).filter(|link| may_wait_in(link.state)) else {
        return false;
    };
    let name = ObjectName::within(&key.namespace, source);
    match &link.source_kind {
        SourceKind::Workload(kind) => index.workloads.of(*kind).get(&name).is_none(),
        SourceKind::Other(_) => {
            let link = link.peek();
            let source = &link.spec.instance_ref;
            index.workload(source.api_version(), &source.kind, &name).is_none()
        }
    }
}
