//! The memory of a link: the requests that it took, in two copies (lifecycle#memory).
//!
//! The intent annotation is written when a request is taken, `status.lastAction` when it is acknowledged. Either may be
//! lost by a backup or a bare `kubectl replace`; the one with the higher `seq` decides.

use instancelink_api::{Desired, InstanceLink, Intent, keys};
use jiff::Timestamp;

use super::fit::fit;

/// Greatest `seq`: JSON readers that use doubles are exact up to this integer.
const MAX_SEQ: u64 = 1 << 53;

/// What the link remembers, and which of the copies has to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The last request that was taken; none if there never was one, or both copies are lost.
    pub last: Option<Intent>,
    /// The request was taken and is not acknowledged in `lastAction` yet (or the status was lost).
    pub outstanding: bool,
    /// The intent was lost, or is older than `lastAction`.
    pub intent_stale: bool,
}

impl Memory {
    /// Reads both copies.
    pub fn of(link: &InstanceLink) -> Self {
        let intent = link
            .metadata
            .annotations
            .as_ref()
            .and_then(|a| a.get(keys::INTENT))
            .and_then(|value| serde_json::from_str::<Intent>(value).ok())
            .filter(|intent| is_own(intent, link))
            .and_then(fit);
        let acknowledged = link
            .status
            .as_ref()
            .and_then(|s| s.last_action.as_ref())
            .map(|action| action.intent.clone())
            .filter(|intent| is_own(intent, link))
            .and_then(fit);
        let seq = |copy: &Option<Intent>| copy.as_ref().map_or(0, |i| i.seq);
        let outstanding = seq(&intent) > seq(&acknowledged);
        let intent_stale = seq(&intent) < seq(&acknowledged);
        Self {
            last: if outstanding { intent } else { acknowledged },
            outstanding,
            intent_stale,
        }
    }

    /// What the last accepted action asked for.
    pub fn desired(&self) -> Option<Desired> {
        self.last.as_ref().and_then(|l| l.desired)
    }

    /// When that last changed.
    pub fn desired_at(&self) -> Option<Timestamp> {
        self.last.as_ref().and_then(|l| l.desired_at.as_ref()).map(|t| t.0)
    }

    /// The time from which the link queues for its alias, where that is not its creation.
    pub fn since(&self) -> Option<Timestamp> {
        self.last.as_ref().and_then(|l| l.since.as_ref()).map(|t| t.0)
    }

    /// True where `seq` has its greatest value: the next intent would count as lost (lifecycle#unreadable-intent). No
    /// link gets there by requests, but a new object may bring any intent.
    pub fn is_full(&self) -> bool {
        self.last.as_ref().is_some_and(|l| l.seq >= MAX_SEQ)
    }

    /// True for a value that was handled before.
    pub fn remembers(&self, value: &str) -> bool {
        self.last
            .as_ref()
            .is_some_and(|l| l.handled.iter().any(|handled| handled == value))
    }
}

/// A copy of another link, or with a `seq` that not all readers can count to, counts as lost
/// (lifecycle#unreadable-intent).
pub fn is_own(intent: &Intent, link: &InstanceLink) -> bool {
    intent.seq <= MAX_SEQ && intent.link == name_of(link)
}

/// `namespace/name` of a link.
pub(crate) fn name_of(link: &InstanceLink) -> String {
    let meta = &link.metadata;
    format!(
        "{}/{}",
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref().unwrap_or_default()
    )
}
