//! What in an observed child is the operator's own, and what others added beside it (contract#additions).

use std::collections::BTreeMap;

use instancelink_api::keys;

use super::{ChildSpec, Owner};

impl<T> ChildSpec<T> {
    /// The annotation that maps each link's UID to its keys in the data; none if it is missing or unreadable: then it is not known
    /// which keys are of others, and each counts as the operator's. No text is copied: an environment has an entry for each link
    /// of its source, and each step of each link reads it.
    pub fn listed(&self) -> Option<BTreeMap<&str, Vec<&str>>> {
        serde_json::from_str(self.annotations.get(keys::ENTRIES)?).ok()
    }

    /// The same; empty if it is missing or unreadable.
    pub fn entries(&self) -> BTreeMap<&str, Vec<&str>> {
        self.listed().unwrap_or_default()
    }
}

/// The keys of the data that others added: those that are not in the operator's own list.
pub(crate) fn added<'a, V>(data: &'a BTreeMap<String, V>, listed: &BTreeMap<&str, Vec<&str>>) -> Vec<&'a str> {
    let mut own: Vec<&str> = listed.values().flatten().copied().collect();
    own.sort_unstable();
    own.dedup();
    // Usually there are none, and then both are the same.
    if own.len() == data.len() && own.iter().zip(data.keys()).all(|(own, key)| own == key) {
        return Vec::new();
    }
    let is_added = |key: &&str| own.binary_search(key).is_err();
    data.keys().map(String::as_str).filter(is_added).collect()
}

/// True if an object has the owners that it should have. Owners that others added beside the operator's are theirs. A child
/// without an owner must have none: it would go with that one.
pub(super) fn has_owners(found: &[Owner], desired: &[Owner]) -> bool {
    if desired.is_empty() {
        found.is_empty()
    } else {
        desired.iter().all(|owner| found.contains(owner))
    }
}

impl<T: PartialEq> ChildSpec<T> {
    /// True if this observed child has all that the desired one asks for.
    pub fn is_as(&self, desired: &Self) -> bool {
        has_owners(&self.owners, &desired.owners)
            && (&self.labels, &self.annotations, &self.body) == (&desired.labels, &desired.annotations, &desired.body)
            && (&self.namespace, &self.name) == (&desired.namespace, &desired.name)
    }
}
