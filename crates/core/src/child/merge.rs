//! Which parts of each kind a JSON merge patch does not replace by itself (RFC 7386): it replaces lists and texts as a whole, but
//! merges objects, and removes a key only where it names it. `patch` makes the patch.

use std::collections::BTreeMap;

use super::service::DEFAULTED;
use super::{Binding, Directory, Environment, Policy, Slice, VirtualIp};

/// A place in an object.
pub(crate) type Path = &'static [&'static str];

/// The body of a child, by what a merge patch has to name.
pub trait Merge {
    /// The map in which each key is an entry by itself; empty for a kind without one.
    const MAP: Path = &[];
    /// A second map of the same kind of keys, which may not have a key of the first one; empty for a kind without one.
    const SECOND_MAP: Path = &[];
    /// The fields that have no value, or their default, where the operator writes none.
    const DEFAULTED: &'static [(Path, &'static [&'static str])] = &[];

    /// The keys in the map of this body that the other one does not have.
    fn keys_beyond(&self, _: &Self) -> Vec<String> {
        Vec::new()
    }
}

const SERVICE: &[(Path, &[&str])] = &[(&["spec"], &DEFAULTED)];

impl Merge for Directory {
    const DEFAULTED: &'static [(Path, &'static [&'static str])] = SERVICE;
}

impl Merge for VirtualIp {
    const DEFAULTED: &'static [(Path, &'static [&'static str])] = SERVICE;
}

impl Merge for Slice {}

impl Merge for Environment {
    const MAP: Path = &["data"];
    const SECOND_MAP: Path = &["binaryData"];

    fn keys_beyond(&self, other: &Self) -> Vec<String> {
        beyond(&self.data, &other.data)
    }
}

impl Merge for Binding {
    const MAP: Path = &["data"];

    fn keys_beyond(&self, other: &Self) -> Vec<String> {
        beyond(&self.data, &other.data)
    }
}

impl Merge for Policy {
    const MAP: Path = &["spec", "podSelector", "matchLabels"];
    const DEFAULTED: &'static [(Path, &'static [&'static str])] = &[
        (&["spec"], &["egress", "ingress", "policyTypes"]),
        (&["spec", "podSelector"], &["matchExpressions", "matchLabels"]),
    ];

    fn keys_beyond(&self, other: &Self) -> Vec<String> {
        let labels = |policy: &Self| {
            let selector = policy.spec().pod_selector.unwrap_or_default();
            selector.match_labels.unwrap_or_default()
        };
        beyond(&labels(self), &labels(other))
    }
}

/// The keys of a map that another one does not have.
pub(super) fn beyond<V>(map: &BTreeMap<String, V>, other: &BTreeMap<String, V>) -> Vec<String> {
    map.keys().filter(|key| !other.contains_key(*key)).cloned().collect()
}
