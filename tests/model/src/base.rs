//! The fixed parts of every snapshot: UIDs of sources, the grant, the isolating policy.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_core::fixture;
use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::{Isolator, Snapshot};

use crate::slots::ELSEWHERE;
use crate::surroundings::{self, Surroundings};

/// UID of a source of this kind and life.
pub(crate) fn source_uid(kind: &str, life: u8) -> String {
    let initial = if kind == "Deployment" { 'd' } else { 'e' };
    format!("22222222-bbbb-4bbb-8bbb-0000000000{life}{initial}")
}

/// UIDs of the sources that exist.
pub(crate) fn living_sources(around: Surroundings) -> BTreeSet<String> {
    match around.source {
        surroundings::Source::Absent | surroundings::Source::Departed => BTreeSet::new(),
        surroundings::Source::Exists { life, .. } => {
            ["Deployment", "StatefulSet"].map(|kind| source_uid(kind, life)).into()
        }
    }
}

/// The part that all snapshots have in common, with or without the other namespace's consent.
pub(crate) fn base(granted: bool) -> Snapshot {
    let mut s = fixture::of(fixture::SPEC);
    if granted {
        let to = "{group: apps, kind: Deployment}";
        let from = fixture::NAMESPACE;
        s = s.granted_by(
            ELSEWHERE,
            &format!("{{from: [{{namespace: {from}}}], to: [{to}], allow: [Endpoints, NetworkPolicy]}}"),
        );
    }
    s.isolators = vec![Arc::new(Isolator {
        namespace: ELSEWHERE.to_owned(),
        name: "closed".to_owned(),
        pods: Selector::default(),
    })];
    s
}
