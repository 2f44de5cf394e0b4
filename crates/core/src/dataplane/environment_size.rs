//! What the API server and etcd store of an environment, at most (contract#environment-size).

use std::collections::BTreeMap;

use instancelink_api::condition::Reason;

use super::naming::Names;
use crate::child::MOST_ENTRIES;
use crate::refusal::Refusal;

/// All annotations of an object, keys and values.
const ANNOTATIONS: usize = 262_144;
/// All values of a `ConfigMap`.
const VALUES: usize = 1_048_576;
/// The whole object: etcd takes 1.5 MiB. A key is stored twice beside its annotation: in the data, and in the managed
/// fields with some characters more.
const OBJECT: usize = 1_500_000;
const MANAGED_FIELD: usize = 8;

/// True if an environment with this many entries, these annotations and data can be stored.
pub(super) fn fits(entries: usize, annotations: &BTreeMap<String, String>, data: &[(&str, &str)]) -> bool {
    let annotations: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    let values: usize = data.iter().map(|(_, value)| value.len()).sum();
    let keys: usize = data.iter().map(|(key, _)| 2 * (key.len() + MANAGED_FIELD)).sum();
    entries <= MOST_ENTRIES && annotations <= ANNOTATIONS && values <= VALUES && annotations + values + keys <= OBJECT
}

/// The refusal of a link whose variables do not fit.
pub(super) fn too_large(names: &Names<'_>) -> Refusal {
    Refusal {
        reason: Reason::TooLarge,
        message: format!(
            "the variables of this link do not fit into ConfigMap {}/{}, which has those of the other links of {} and cannot be \
             larger; the alias works without them. Write outputs: {{environment: None}} into this link or into others of {}, \
             or list fewer ports",
            names.namespace, names.directory, names.instance, names.instance
        ),
    }
}
