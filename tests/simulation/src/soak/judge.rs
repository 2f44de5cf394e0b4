//! The checks of the other campaigns for a long history, namespace by namespace, because links of
//! two namespaces are independent here.

use std::collections::BTreeMap;
use std::sync::Arc;

use instancelink_testkit::api::resource::{EVENTS, LEASES};
use instancelink_testkit::api::store::{Change, Key};
use serde_json::Value;

use crate::campaign::side_by_side;
use crate::{actions, oracle};

/// The objects at the start of the history.
pub(super) type Base = BTreeMap<Key, Arc<Value>>;

/// The number of requested actions, and all violations.
pub(super) fn judge(base: &Base, history: &[Change]) -> (u64, Vec<String>) {
    let mut places: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    let counts = |key: &&Key| ![&EVENTS, &LEASES].contains(&key.resource);
    for key in base.keys().filter(counts) {
        let stood = Change {
            version: 0,
            key: key.clone(),
            before: None,
            after: Arc::clone(&base[key]),
            deleted: false,
            by: "before".to_owned(),
        };
        places.entry(&key.namespace).or_default().push(stood);
    }
    for change in history.iter().filter(|change| counts(&&change.key)) {
        places.entry(&change.key.namespace).or_default().push(change.clone());
    }
    let places: Vec<Vec<Change>> = places.into_values().collect();
    side_by_side(&places, |changes| {
        let (actions, disordered) = actions::judge(changes);
        let mut violations = oracle::judge(changes);
        violations.extend(disordered);
        (actions.asked, violations)
    })
}
