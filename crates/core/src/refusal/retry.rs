//! When refused writes are sent again. Most causes end with an event, and the pauses after them grow. The operator has no right
//! to watch quotas, admission policies and webhooks, so it tries again every few seconds. Such a retry sends little.

use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::condition::Reason;

use super::Refusal;
use crate::child::Key;

/// After this many refused retries at most, one sends everything again.
const ALL_AFTER: u32 = 32;
/// Of more refused writes, none is remembered beyond these.
pub const MOST_REMEMBERED: usize = 128;

impl Refusal {
    /// True if no event tells when the cause ends.
    pub const fn ends_unseen(&self) -> bool {
        matches!(
            self.reason,
            Reason::QuotaExceeded | Reason::AdmissionDenied | Reason::AdmissionFailed
        )
    }
}

/// The refusals of the last pass that count in the next one, the retry after `times` refused passes in a row. The writes of the
/// others are sent again. Retries send everything at growing distances; between them they send one write for each kind of child
/// whose refusal [ends unseen](Refusal::ends_unseen). If one of them succeeds, all refusals of the last pass are over.
pub fn still_refused(mut last: BTreeMap<Key, Refusal>, times: u32) -> BTreeMap<Key, Refusal> {
    if times.is_power_of_two() || times.is_multiple_of(ALL_AFTER) {
        return BTreeMap::new();
    }
    let mut tried = BTreeSet::new();
    // What others alter has pauses of its own (lifecycle#disputes).
    last.retain(|_, refusal| refusal.reason != Reason::AlteredByOthers);
    last.retain(|key, refusal| !(refusal.ends_unseen() && tried.insert(key.kind)));
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::Kind;
    use crate::fixture::key;

    const QUOTA: &str = r#"services "x" is forbidden: exceeded quota: objects, requested: services=1"#;

    fn refused(kind: Kind, name: &str) -> (Key, Refusal) {
        let key = key(kind, name);
        let refusal = Refusal::denied("create", &key, QUOTA);
        (key, refusal)
    }

    #[test]
    fn a_retry_sends_one_write_of_each_kind_that_a_quota_refused() {
        let last = BTreeMap::from([
            refused(Kind::Slice, "web-db-v4"),
            refused(Kind::Slice, "web-db-v6"),
            refused(Kind::Environment, "web-links"),
        ]);
        let left = still_refused(last, 3);
        assert_eq!(left.into_keys().collect::<Vec<_>>(), [key(Kind::Slice, "web-db-v6")]);
    }

    /// lifecycle#disputes
    #[test]
    fn what_others_alter_waits_by_pauses_of_its_own() {
        let slice = key(Kind::Slice, "web-db-v4");
        let last = BTreeMap::from([(slice.clone(), Refusal::altered(&slice, None))]);
        assert!(still_refused(last, 3).is_empty());
    }

    #[test]
    fn what_ends_with_an_event_is_sent_again_at_growing_distances() {
        let slice = key(Kind::Slice, "web-db-v4");
        let last = || BTreeMap::from([(slice.clone(), Refusal::name_taken(&slice))]);
        let all: Vec<u32> = (0..=96)
            .filter(|times| still_refused(last(), *times).is_empty())
            .collect();
        assert_eq!(all, [0, 1, 2, 4, 8, 16, 32, 64, 96]);
    }
}
