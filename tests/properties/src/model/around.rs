//! What is around the modelled link: its ends, consent, and another link that wants the same name.

use instancelink_api::State;

use crate::operation::{Change, Lead, Rival, Way};

/// Seconds between the link's creation and the beginning of every sequence.
pub const AGE: i64 = 60;

/// The link's surroundings.
#[derive(Clone, Debug)]
pub struct Around {
    /// The source.
    pub source: Source,
    /// The targets exist; ready or not.
    pub target: Option<bool>,
    /// The other namespace consents.
    pub granted: bool,
    /// The other link.
    pub rival: Option<Rival>,
}

/// The source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// There is none.
    Gone,
    /// It is being deleted.
    Terminating,
    /// It is there; the first one, or another of its name.
    There(bool),
}

impl Default for Around {
    fn default() -> Self {
        Self {
            source: Source::There(true),
            target: Some(true),
            granted: false,
            rival: None,
        }
    }
}

impl Around {
    /// Follows a change.
    pub fn change(&mut self, change: Change) {
        match change {
            Change::SourceGone => self.source = Source::Gone,
            // Who is not there is not being deleted either.
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

    /// A source that may own new objects (lifecycle#terminating-source).
    pub(super) fn source_usable(&self) -> bool {
        matches!(self.source, Source::There(_))
    }

    /// Consent of the target's namespace, where one is needed.
    pub(super) fn consented(&self, lead: Lead) -> bool {
        lead != Lead::Elsewhere || self.granted
    }

    /// A ready endpoint stands behind the alias; one that is published unready answers like it.
    pub(super) fn ready(&self, lead: Lead, publish: bool) -> bool {
        lead != Lead::Nowhere && self.consented(lead) && self.target.is_some_and(|ready| ready || publish)
    }

    /// The target, as it is, can serve the spec (lifecycle#unservable-spec-waits): no Deployment has a `ServiceIP`.
    pub(super) fn servable(&self, lead: Lead, way: Way) -> bool {
        way != Way::ServiceIP || lead == Lead::Nowhere || self.target.is_none() || !self.consented(lead)
    }
}

/// The rank of a claim (lifecycle#alias-queue): a link that is up first, then the earliest, then the smaller UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) not_up: bool,
    pub(super) since: i64,
    pub(super) greater_uid: bool,
}

impl Rival {
    /// lifecycle#who-claims. The goal of the rival is active, since it never got an action; purging and purged are
    /// final.
    pub(super) fn claims(self) -> bool {
        !matches!(self.state, State::Purging | State::Purged)
    }

    pub(super) fn place(self) -> Place {
        Place {
            not_up: !(self.has_children || matches!(self.state, State::Active | State::UpdatingActive)),
            since: -AGE - self.older_by,
            greater_uid: true,
        }
    }
}
