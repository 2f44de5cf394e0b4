//! Changes of a child that exists: a JSON merge patch that sets what the operator writes, removes what it wrote before, and
//! leaves the rest of the object as others made it (contract#additions).

use instancelink_api::keys;
use serde::Serialize;
use serde_json::{Map, Value};

use super::entries::has_owners;
use super::merge::{Merge, Path, beyond};
use super::{ChildKind, ChildSpec, Owner, reference_of};

const LABELS: Path = &["metadata", "labels"];
const ANNOTATIONS: Path = &["metadata", "annotations"];
const METADATA: Path = &["metadata"];
const OWNERS: &str = "ownerReferences";

/// What a patch has to name besides the new content. Of entries it has only the keys, so that an effect shows no value of a
/// Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Labels of the operator that are no longer wanted.
    labels: Vec<String>,
    /// The same for annotations.
    annotations: Vec<String>,
    /// The same for keys in the map of the body.
    entries: Vec<String>,
    /// Keys that the second map of the body must not have, because the first one did not have them before.
    new_entries: Vec<String>,
    /// The owners to write. None if the object has the right ones: then those of others keep their flags.
    owners: Option<Vec<Owner>>,
}

impl Delta {
    /// What changes from an observed child to the desired one.
    pub(crate) fn between<T: Merge>(found: &ChildSpec<T>, desired: &ChildSpec<T>) -> Self {
        let new_entries = if T::SECOND_MAP.is_empty() {
            Vec::new()
        } else {
            desired.body.keys_beyond(&found.body)
        };
        Self {
            labels: beyond(&found.labels, &desired.labels),
            annotations: beyond(&found.annotations, &desired.annotations),
            entries: found.body.keys_beyond(&desired.body),
            new_entries,
            owners: (!has_owners(&found.owners, &desired.owners)).then(|| owners(&found.owners, &desired.owners)),
        }
    }

    /// Adds what an earlier change of the same object removes, where this one was made as if that one had been sent.
    pub(crate) fn follow(&mut self, earlier: &Self) {
        self.labels.extend(earlier.labels.iter().cloned());
        self.annotations.extend(earlier.annotations.iter().cloned());
        self.entries.extend(earlier.entries.iter().cloned());
        self.new_entries.extend(earlier.new_entries.iter().cloned());
        if self.owners.is_none() {
            self.owners.clone_from(&earlier.owners);
        }
    }
}

/// The desired owners, then those that others added. A child that must have no owner loses these, too: the garbage collector
/// would delete it with any owner.
fn owners(found: &[Owner], desired: &[Owner]) -> Vec<Owner> {
    let is_own = |owner: &&Owner| owner.kind == keys::KIND || desired.iter().any(|own| own.uid == owner.uid);
    let is_of_others = |owner: &&Owner| !desired.is_empty() && !is_own(owner);
    let others = found.iter().filter(is_of_others);
    desired.iter().chain(others).cloned().collect()
}

/// The patch that changes the object with this UID and resource version to the desired content.
///
/// # Errors
/// If the content cannot be written as JSON.
pub fn to_patch<T: ChildKind>(
    desired: &ChildSpec<T>,
    delta: &Delta,
    (uid, resource_version): (&str, &str),
) -> serde_json::Result<Value>
where
    T::Api: Serialize,
{
    let mut patch = serde_json::to_value(T::to_api(desired))?;
    let new_entries: Vec<&String> = delta
        .new_entries
        .iter()
        .filter(|key| has(&patch, T::MAP, key))
        .collect();
    for key in new_entries {
        remove(&mut patch, T::SECOND_MAP, key);
    }
    // First the fields, then the keys in them: a field that goes needs no keys.
    for (place, fields) in T::DEFAULTED {
        for field in *fields {
            remove(&mut patch, place, field);
        }
    }
    let removed = [
        (LABELS, &delta.labels),
        (ANNOTATIONS, &delta.annotations),
        (T::MAP, &delta.entries),
    ];
    for (place, keys) in removed {
        for key in keys {
            remove(&mut patch, place, key);
        }
    }
    if let Some(metadata) = at(&mut patch, METADATA) {
        metadata.insert("uid".to_owned(), uid.into());
        metadata.insert("resourceVersion".to_owned(), resource_version.into());
        metadata.remove(OWNERS);
        if let Some(owners) = &delta.owners {
            let owners: Vec<_> = owners.iter().map(reference_of).collect();
            metadata.insert(OWNERS.to_owned(), serde_json::to_value(owners)?);
        }
    }
    Ok(patch)
}

/// Names a key that the object must not have, unless the content has it.
fn remove(patch: &mut Value, place: Path, key: &str) {
    if let Some(members) = at(patch, place) {
        members.entry(key).or_insert(Value::Null);
    }
}

fn has(patch: &Value, place: Path, key: &str) -> bool {
    let members = place.iter().try_fold(patch, |value, name| value.get(name));
    members.is_some_and(|members| members.get(key).is_some())
}

/// The members of the object at this place, which is made where the patch has none. None where the patch removes it.
fn at(patch: &mut Value, place: Path) -> Option<&mut Map<String, Value>> {
    place
        .iter()
        .try_fold(patch, |value, name| {
            let members = value.as_object_mut()?;
            Some(members.entry(*name).or_insert_with(|| Value::Object(Map::new())))
        })?
        .as_object_mut()
}

#[cfg(test)]
mod tests;
