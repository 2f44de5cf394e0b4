//! How many bytes are kept of the objects of each namespace.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scale::Scale;
use super::table::{Item, Table};
use crate::name::ObjectName;

/// Adds the bytes that are kept of the objects of a table to those of their namespaces.
pub fn add_weights<T: Item>(kept: &mut BTreeMap<Arc<str>, usize>, table: &Table<T>) {
    for (name, item) in table.iter() {
        add_weight(kept, name, &**item);
    }
}

/// Adds the bytes that are kept of an object to those of its namespace.
pub fn add_weight<T: Item>(kept: &mut BTreeMap<Arc<str>, usize>, name: &ObjectName, item: &T) {
    let mut scale = Scale::default();
    item.weigh(&mut scale);
    let texts = name.name.len() + item.uid().len() + item.resource_version().len();
    let bytes = size_of::<T>() + texts + scale.bytes();
    match kept.get_mut(&*name.namespace) {
        Some(sum) => *sum += bytes,
        None => {
            kept.insert(Arc::clone(&name.namespace), bytes);
        }
    }
}
