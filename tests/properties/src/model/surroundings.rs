//! The surroundings of the modelled link: source, target, consent, and a rival.

use instancelink_api::State;

use crate::operation::{AddressingMode, Change, Destination, Rival};

/// Seconds from the link's creation to the start of every sequence.
pub const AGE: i64 = 60;

/// The link's surroundings.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The source.
    pub source: Source,
    /// The targets exist, and are ready or not.
    pub target: Option<bool>,
    /// The other namespace consents.
    pub granted: bool,
    /// The rival.
    pub rival: Option<Rival>,
}

/// The source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// There is none.
    Gone,
    /// It is being deleted.
    Terminating,
    /// It exists: the first one, or another with its name.
    There(bool),
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            source: Source::There(true),
            target: Some(true),
            granted: false,
            rival: None,
        }
    }
}

impl Surroundings {
    /// Applies a change.
    pub fn change(&mut self, change: Change) {
        match change {
            Change::SourceGone => self.source = Source::Gone,
            // A source that does not exist cannot be deleted.
            Change::SourceTerminating if self.source == Source::Gone => {}
            Change::SourceTerminating => self.source = Source::Terminating,
            Change::Source(first) => self.source = Source::There(first),
            Change::TargetGone => self.target = None,
            Change::Target(ready) => self.target = Some(ready),
            Change::Grant(granted) => self.granted = granted,
            Change::Rival(rival) => self.rival = Some(rival),
            Change::NoRival => self.rival = None,
        }
    }

    /// True if the source exists and is not being deleted (lifecycle#terminating-source).
    pub(super) fn source_usable(&self) -> bool {
        matches!(self.source, Source::There(_))
    }

    /// True if the target's namespace consents, or if no consent is needed.
    pub(super) fn consented(&self, destination: Destination) -> bool {
        destination != Destination::OtherNamespace || self.granted
    }

    /// True if the alias has a ready endpoint; with `publish`, one that is not ready counts too.
    pub(super) fn ready(&self, destination: Destination, publish: bool) -> bool {
        destination != Destination::NoTarget
            && self.consented(destination)
            && self.target.is_some_and(|ready| ready || publish)
    }

    /// True if the spec can be served with this target (lifecycle#unservable-spec-waits): a Deployment has no
    /// `ServiceIP`.
    pub(super) fn servable(&self, destination: Destination, addressing: AddressingMode) -> bool {
        addressing != AddressingMode::ServiceIP
            || destination == Destination::NoTarget
            || self.target.is_none()
            || !self.consented(destination)
    }
}

/// The rank of a claim in the alias queue: a link that is up comes first (lifecycle#never-evicted), then the earliest
/// time, then the smaller UID (lifecycle#earliest-claim-first).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClaimRank {
    pub(super) not_up: bool,
    pub(super) since: i64,
    pub(super) greater_uid: bool,
}

impl Rival {
    /// True if it claims the alias (lifecycle#who-claims). No action was taken on it, so its goal is to be active,
    /// except in the final states.
    pub(super) fn claims(self) -> bool {
        !matches!(self.state, State::Purging | State::Purged)
    }

    pub(super) fn claim_rank(self) -> ClaimRank {
        ClaimRank {
            not_up: !(self.has_children || matches!(self.state, State::Active | State::UpdatingActive)),
            since: -AGE - self.older_by,
            greater_uid: true,
        }
    }
}
