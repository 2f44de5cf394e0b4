//! The walk from state to state (lifecycle#walk), and the passes (lifecycle#one-pass).

use instancelink_api::spec::DesiredState;
use instancelink_api::{Desired, Phase, State, Verb, Verdict};

use super::memory::{Acknowledged, after};
use super::surroundings::ClaimRank;
use super::{AGE, Children, Model, Source};

/// More passes than any link needs: a loop shows as a panic.
const LIMIT: usize = 200;

/// Where the link is to rest (contract#goal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Active,
    Inactive,
    Removed,
    Purged,
    Gone,
}

/// What happens next in a state.
enum Next {
    Enter(State),
    /// The object is deleted, or loses its finalizer.
    Finish,
    Stay,
}

/// The condition `Ready`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// True.
    Yes,
    /// False, with this reason.
    No(&'static str),
}

impl Model {
    /// Passes until nothing is due.
    ///
    /// # Panics
    /// If that does not end: then the specification itself is wrong.
    pub fn rest(&mut self) {
        for _ in 0..LIMIT {
            if self.gone || !self.pass() {
                self.rebuilding = false;
                return;
            }
        }
        panic!("the model does not come to rest: {self:?}");
    }

    /// One pass (lifecycle#one-pass); false if nothing was due.
    fn pass(&mut self) -> bool {
        let request = self.request();
        if let Some(value) = request.as_ref().filter(|_| !self.is_outstanding()) {
            self.take(value);
            return true;
        }
        if self.intent_seq() < self.acknowledged_seq() && !self.deleting {
            self.intent = self.acknowledged.as_ref().map(|a| a.record.clone());
            return true;
        }
        if request.is_none() && self.has_expired() {
            let mut record = after(self.memory(), self.now);
            record.action = Verb::Purge.to_string();
            record.accept(Verb::Purge);
            self.intent = Some(record);
            return true;
        }
        if !self.finalizer && !self.deleting && self.state != State::Purged {
            self.finalizer = true;
            return true;
        }
        match self.next() {
            Next::Enter(state) => {
                self.enter(state);
                true
            }
            Next::Finish if self.deleting => {
                self.finalizer = false;
                self.gone = true;
                true
            }
            Next::Finish => {
                self.deleting = true;
                self.gone = !self.finalizer;
                true
            }
            Next::Stay => {
                self.acknowledge(self.state, self.now);
                false
            }
        }
    }

    fn has_expired(&self) -> bool {
        self.state == State::Removed
            && !self.deleting
            && self.desired() == Some(Desired::Removed)
            && self
                .removed
                .zip(self.spec.ttl_removed)
                .is_some_and(|(removed, ttl)| removed + ttl <= self.now)
    }

    fn enter(&mut self, state: State) {
        let then = self.memory().and_then(|record| record.desired_at);
        let at = then.filter(|_| self.rebuilding).unwrap_or(self.now);
        match state {
            State::Active | State::Inactive => self.programmed = Some(self.spec.programmed),
            State::Removed => self.removed = Some(at),
            State::Restoring => self.removed = None,
            _ => {}
        }
        if matches!(state, State::Removed | State::Purging | State::Purged) {
            self.programmed = None;
        }
        self.acknowledge(state, at);
        self.state = state;
        self.entered = at;
        self.walk.push(state);
    }

    /// Updates `lastAction`, with every status write (lifecycle#action-phases).
    fn acknowledge(&mut self, state: State, at: i64) {
        let Some(record) = self.memory().cloned() else { return };
        let known = self.acknowledged.as_ref().filter(|a| a.record.seq == record.seq);
        let (mut phase, mut completed_at) = match known {
            Some(known) => (known.phase, known.completed_at),
            None if record.verdict == Verdict::Accepted => (Phase::Accepted, None),
            None => (Phase::Rejected, None),
        };
        if phase == Phase::Accepted {
            if record.desired.map(resting) == Some(state) {
                phase = Phase::Completed;
                completed_at = Some(at);
            } else if self.deleting || self.overruled(&record.action) {
                phase = Phase::Superseded;
            }
        }
        self.acknowledged = Some(Acknowledged {
            record,
            phase,
            completed_at,
        });
    }

    /// True if `desiredState` contradicts an accepted activate or deactivate.
    fn overruled(&self, action: &str) -> bool {
        match self.spec.desired {
            Some(DesiredState::Active) => action == Verb::Deactivate.as_str(),
            Some(DesiredState::Inactive) => action == Verb::Activate.as_str(),
            None => false,
        }
    }

    fn next(&mut self) -> Next {
        let goal = self.goal();
        match self.state {
            State::Requested | State::Registering => self.first(goal),
            State::Activating | State::Active | State::UpdatingActive if goal != Goal::Active => {
                Next::Enter(State::Deactivating)
            }
            State::Activating => self.activating(),
            State::Active if self.programmed != Some(self.spec.programmed) => Next::Enter(State::UpdatingActive),
            State::Active => {
                self.build();
                Next::Stay
            }
            State::UpdatingActive => {
                if self.build() {
                    Next::Enter(State::Active)
                } else {
                    Next::Stay
                }
            }
            State::Deactivating => self.deactivating(goal),
            State::Inactive => self.inactive(goal),
            State::UpdatingInactive => Next::Enter(leaving(goal).unwrap_or(State::Inactive)),
            State::Removing => {
                self.children = Children::default();
                Next::Enter(if goal == Goal::Gone {
                    State::Purging
                } else {
                    State::Removed
                })
            }
            State::Removed => match goal {
                Goal::Purged | Goal::Gone => Next::Enter(State::Purging),
                Goal::Active | Goal::Inactive => Next::Enter(State::Restoring),
                Goal::Removed => Next::Stay,
            },
            State::Restoring => Next::Enter(if goal == Goal::Gone {
                State::Purging
            } else {
                State::Inactive
            }),
            State::Purging => {
                self.children = Children::default();
                if self.deleting {
                    Next::Finish
                } else {
                    Next::Enter(State::Purged)
                }
            }
            State::Purged if self.deleting || self.entered + self.spec.ttl_purged <= self.now => Next::Finish,
            State::Purged => Next::Stay,
        }
    }

    fn first(&self, goal: Goal) -> Next {
        let children = self.children.any();
        if let Some(state) = leaving(goal).filter(|_| !children) {
            return Next::Enter(state);
        }
        let registrable = self.around.source_usable() && !self.has_rival();
        match goal {
            Goal::Active if registrable => Next::Enter(State::Activating),
            Goal::Inactive if registrable && !children => Next::Enter(State::Inactive),
            _ if self.state == State::Requested => Next::Enter(State::Registering),
            _ if children => Next::Enter(State::Deactivating),
            _ => Next::Stay,
        }
    }

    fn activating(&mut self) -> Next {
        let to = self.spec.programmed;
        let waited = self.now >= self.entered + self.spec.wait;
        let has_no_target = to.destination == crate::Destination::NoTarget;
        // Children for a missing target are built only after the waiting time
        // (lifecycle#target-wait-delays-active-only).
        if self.around.target.is_none() && !has_no_target && !waited && !self.children.any() {
            return Next::Stay;
        }
        if !self.build() {
            return Next::Stay;
        }
        if waited || has_no_target || self.around.ready(to.destination, to.publish) {
            Next::Enter(State::Active)
        } else {
            Next::Stay
        }
    }

    /// Builds the children, if the spec can be served (lifecycle#unservable-spec-waits) and the source may own them
    /// (lifecycle#terminating-source).
    fn build(&mut self) -> bool {
        let to = self.spec.programmed;
        if !self.around.servable(to.destination, to.addressing) || !self.around.source_usable() {
            return false;
        }
        self.children = Children {
            slices: Some(None),
            entry: true,
        };
        true
    }

    fn deactivating(&mut self, goal: Goal) -> Next {
        if self.around.consented(self.spec.programmed.destination)
            && let Some(stopped) = self.children.slices
        {
            let from = stopped.unwrap_or(self.now); // lifecycle#drain
            if from + self.spec.drain > self.now {
                self.children.slices = Some(Some(from));
                return Next::Stay;
            }
        }
        self.children = Children::default();
        Next::Enter(if goal == Goal::Gone {
            State::Purging
        } else {
            State::Inactive
        })
    }

    fn inactive(&mut self, goal: Goal) -> Next {
        if let Some(state) = leaving(goal) {
            return Next::Enter(state);
        }
        if self.programmed != Some(self.spec.programmed) {
            return Next::Enter(State::UpdatingInactive);
        }
        if goal == Goal::Active && self.around.source_usable() {
            return Next::Enter(State::Activating);
        }
        self.children = Children::default();
        Next::Stay
    }

    /// The goal without holds (contract#goal).
    fn wish(&self) -> Goal {
        let desired = self.desired();
        if self.deleting {
            Goal::Gone
        } else if matches!(self.state, State::Purging | State::Purged) || desired == Some(Desired::Purged) {
            Goal::Purged
        } else if desired == Some(Desired::Removed) {
            Goal::Removed
        } else {
            match (self.spec.desired, desired) {
                (Some(DesiredState::Inactive), _) | (None, Some(Desired::Inactive)) => Goal::Inactive,
                (Some(DesiredState::Active) | None, _) => Goal::Active,
            }
        }
    }

    fn goal(&self) -> Goal {
        match self.wish() {
            Goal::Active if self.is_held() => Goal::Inactive,
            wish => wish,
        }
    }

    /// True if a hold keeps the link inactive: consent counts in every state, the rest once it is registered
    /// (lifecycle#holds-once-registered).
    fn is_held(&self) -> bool {
        let registered = !matches!(self.state, State::Requested | State::Registering);
        let claims_nothing = self.around.source == Source::Gone || self.has_rival();
        !self.around.consented(self.spec.programmed.destination) || (registered && claims_nothing)
    }

    /// True if a rival has the alias or the directory (lifecycle#alias-queue).
    fn has_rival(&self) -> bool {
        let own = ClaimRank {
            not_up: !(self.children.any() || matches!(self.state, State::Active | State::UpdatingActive)),
            since: self.memory().and_then(|record| record.since).unwrap_or(-AGE),
            greater_uid: false,
        };
        self.around
            .rival
            .is_some_and(|rival| rival.claims() && rival.claim_rank() < own)
    }

    /// The condition `Ready` of a link that rests or waits.
    pub fn ready(&self) -> Ready {
        let to = self.spec.programmed;
        let unservable = !self.around.servable(to.destination, to.addressing);
        let stalled = Ready::No("Stalled");
        match self.state {
            // A missing source comes first; missing consent does not keep a link in registering.
            State::Registering if self.has_rival() && self.around.source != Source::Gone => stalled,
            State::Activating | State::Active | State::UpdatingActive if unservable => stalled,
            State::Inactive if self.wish() == Goal::Active => Ready::No("Held"),
            State::Active | State::Inactive | State::Removed | State::Purged => Ready::Yes,
            _ => Ready::No("Transitioning"),
        }
    }
}

/// The next state of a link without children whose goal is to leave.
const fn leaving(goal: Goal) -> Option<State> {
    match goal {
        Goal::Gone => Some(State::Purging),
        Goal::Removed | Goal::Purged => Some(State::Removing),
        Goal::Active | Goal::Inactive => None,
    }
}

const fn resting(desired: Desired) -> State {
    match desired {
        Desired::Active => State::Active,
        Desired::Inactive => State::Inactive,
        Desired::Removed => State::Removed,
        Desired::Purged => State::Purged,
    }
}
