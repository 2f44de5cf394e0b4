//! Which labels and annotations the children of a link get: those of the operator's options, and those of the spec
//! (contract#infrastructure). The children that the links of a source share get those of all its links that are up.

use std::collections::BTreeMap;

use instancelink_api::{Infrastructure, InstanceLink, State};
use jiff::Timestamp;

use crate::child::usable;
use crate::snapshot::Snapshot;

/// So many links of a source count for the children that they share, in the order of their names.
pub const MOST_LINKS: usize = 32;
/// The most labels, and the most annotations, of a shared child that come from links.
pub(super) const MOST_SHARED: usize = 64;

/// What the children of this link alone get.
pub(super) fn own(s: &Snapshot) -> Infrastructure {
    let mut wanted = of(&s.link.object);
    merge(&mut wanted, &s.child_defaults, usize::MAX);
    wanted
}

/// What the children that this link shares with others get. All links of the source agree on it.
pub(super) fn shared(s: &Snapshot) -> Infrastructure {
    let mut wanted = Infrastructure::default();
    for link in counted(s) {
        merge(&mut wanted, &of(link), MOST_SHARED);
    }
    merge(&mut wanted, &s.child_defaults, usize::MAX);
    wanted
}

/// The labels and annotations of this link that shared children do not have, because an older link has them with another value, or
/// because there are too many.
pub(super) fn outvoted(s: &Snapshot) -> Vec<String> {
    let own = of(&s.link.object);
    if own == Infrastructure::default() {
        return Vec::new();
    }
    let shared = shared(s);
    let missing = |own: &BTreeMap<String, String>, all: &BTreeMap<String, String>, what: &str| {
        let missing = own.iter().filter(|(key, value)| all.get(*key) != Some(*value));
        missing.map(|(key, _)| format!("{what} {key}")).collect::<Vec<_>>()
    };
    let mut all = missing(&own.labels, &shared.labels, "label");
    all.extend(missing(&own.annotations, &shared.annotations, "annotation"));
    all
}

/// True for a state whose links count for shared children.
pub const fn counts(state: State) -> bool {
    matches!(state, State::Activating | State::Active | State::UpdatingActive)
}

/// The links whose entries count, the oldest first.
fn counted(s: &Snapshot) -> Vec<&InstanceLink> {
    let own = &s.link.object;
    let others = s.siblings.iter().map(|sibling| &*sibling.object);
    let others = others.filter(|link| {
        link.spec.infrastructure.is_some()
            && counts(link.state())
            && link.spec.instance_ref.is_of_the_kind_of(&own.spec.instance_ref)
    });
    let mut links: Vec<&InstanceLink> = others.chain([own]).collect();
    links.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    links.truncate(MOST_LINKS);
    links.sort_by(|a, b| age(a).cmp(&age(b)));
    links
}

/// Smaller for an older link.
fn age(link: &InstanceLink) -> (Option<Timestamp>, Option<&str>) {
    let meta = &link.metadata;
    let created = meta.creation_timestamp.as_ref().map(|time| time.0);
    (created, meta.uid.as_deref())
}

fn of(link: &InstanceLink) -> Infrastructure {
    link.spec.infrastructure.as_ref().map(usable).unwrap_or_default()
}

/// Adds entries whose keys are not there yet, up to this number of each.
fn merge(all: &mut Infrastructure, more: &Infrastructure, most: usize) {
    for (all, more) in [
        (&mut all.labels, &more.labels),
        (&mut all.annotations, &more.annotations),
    ] {
        for (key, value) in more {
            if all.len() < most {
                all.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
