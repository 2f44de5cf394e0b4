//! Commands that messages tell a person to run. Each works on every installation, as it is.

use crate::child::Key;

/// Deletes a child, or the foreign object that has its name.
pub(crate) fn delete(key: &Key) -> String {
    format!(
        "kubectl -n {} delete {} {}",
        key.namespace,
        key.kind.resource(),
        key.name
    )
}

/// The only quoted words in commands. No name of an object is in them.
pub(crate) const WITHOUT_FINALIZERS: &str = r#"-p '{"metadata":{"finalizers":null}}'"#;

/// Removes all finalizers of an object.
pub(crate) fn remove_finalizers(namespace: &str, resource: &str, name: &str) -> String {
    format!("kubectl -n {namespace} patch {resource} {name} --type=merge {WITHOUT_FINALIZERS}")
}
