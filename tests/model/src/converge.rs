//! Convergence: from any cluster, one operator with current caches brings everything to rest.

use instancelink_api::State as Resting;
use instancelink_api::spec::DesiredState;

use crate::actions::{Action, UNUSED_VIEW};
use crate::entries::Link;
use crate::flight::Flight;
use crate::model::Model;
use crate::promise::{Broken, Promise};
use crate::scope::{Budget, Takeover};
use crate::slots::{DIRECTORY, ENVIRONMENT, SLICE, SLOTS};
use crate::state::{Account, CONFIRMED, Cluster, Ledger, Operator, State};
use crate::surroundings::Target;
use crate::user::created;

/// More groups of writes than any path to rest needs: a loop shows as a broken promise.
const LIMIT: usize = 400;
/// Waits, drains and both TTLs end within this many ticks.
const TICKS: u8 = 5;

const NOTHING_MORE: Budget = Budget {
    users: 0,
    changes: 0,
    faults: 0,
    failovers: 0,
};

impl Model {
    /// The initial states of the scope.
    pub(crate) fn starts(&self) -> Vec<State> {
        let starts = self.scope.starts.iter().map(|users| {
            let mut state = self.initial();
            for user in users {
                state = self.settle(state).expect("an initial state comes to rest");
                state.left.users = 1;
                state = self.next(&state, Action::User(*user));
            }
            if !users.is_empty() {
                state = self.settle(state).expect("an initial state comes to rest");
            }
            state.left = self.scope.budget;
            if self.scope.budget.failovers > 0 && self.scope.takeover != Takeover::Current {
                state.operators[1].view = state.truth;
            }
            state
        });
        starts.collect()
    }

    fn initial(&self) -> State {
        let mut links = [0; 2];
        for (link, spec) in self.scope.specs.iter().enumerate().filter(|(_, spec)| !spec.is_empty()) {
            links[link] = self.link(created(link, 0, spec));
        }
        self.undisturbed(Cluster {
            links,
            children: [0; SLOTS],
            around: crate::surroundings::Surroundings::INITIAL,
        })
    }

    /// A state with one operator whose view is current, and no request in flight.
    fn undisturbed(&self, truth: Cluster) -> State {
        let ledger = |link: u32| {
            let desired = if link == 0 {
                0
            } else {
                self.links.read(link, |link| link.desired)
            };
            let taken = Account {
                desired,
                handled: false,
            };
            Ledger {
                taken,
                acknowledged: taken,
            }
        };
        let operator = |view| Operator {
            view,
            flight: Flight::default(),
        };
        State {
            truth,
            operators: [operator(truth), operator(UNUSED_VIEW)],
            leader: 0,
            ledgers: truth.links.map(ledger),
            left: NOTHING_MORE,
            unconfirmed: CONFIRMED,
            recreated: 3,
            late_children: 0,
            late_entries: 0,
            broken: Broken::default(),
        }
    }

    /// The state at rest, if no user acts; none if there is no end.
    fn settle(&self, from: State) -> Option<State> {
        let mut state = State {
            left: NOTHING_MORE,
            ..from
        };
        let mut actions = Vec::new();
        for _ in 0..LIMIT {
            actions.clear();
            self.possible(&state, &mut actions);
            let Some(action) = actions.first() else {
                return Some(state);
            };
            state = self.next(&state, *action);
        }
        None
    }

    /// The promises that are broken on the way from a cluster to rest, or at rest.
    pub(crate) fn rest(&self, truth: &Cluster) -> Broken {
        self.rest_after(truth, 0)
    }

    /// The same, after `groups` groups of writes.
    fn rest_after(&self, truth: &Cluster, groups: usize) -> Broken {
        if groups > LIMIT {
            return Broken::unless(false, Promise::Quiet);
        }
        self.rests.get(*truth, |truth| self.run_to_rest(truth, groups))
    }

    /// Executes one group of writes and continues. If none is due, time passes; after the last tick the cluster rests.
    fn run_to_rest(&self, truth: &Cluster, groups: usize) -> Broken {
        let mut state = self.undisturbed(*truth);
        let mut actions = Vec::new();
        loop {
            actions.clear();
            self.possible(&state, &mut actions);
            let Some(action) = actions.first() else { break };
            state = self.next(&state, *action);
            let operator = &state.operators[0];
            if operator.flight.is_empty() && operator.view == state.truth {
                return state.broken.and(self.rest_after(&state.truth, groups + 1));
            }
        }
        let mut later = state.truth;
        later.around.clock += 1;
        if later.around.clock < TICKS {
            return state.broken.and(self.rest_after(&later, groups + 1));
        }
        state
            .broken
            .and(Broken::unless(self.all_rest_correctly(&state), Promise::Rest))
            .and(Broken::unless(self.is_clean(&state.truth), Promise::Leaks))
            .and(Broken::unless(self.content_is_current(&state.truth), Promise::Content))
    }

    fn all_rest_correctly(&self, state: &State) -> bool {
        (0..2)
            .filter(|link| state.truth.links[*link] != 0)
            .all(|link| self.rests_correctly(&state.truth, link))
    }

    fn rests_correctly(&self, truth: &Cluster, link: usize) -> bool {
        let other = truth.links[1 - link];
        // A rival that exists and is not being deleted may have the alias.
        let has_rival = other != 0 && self.links.read(other, |other| other.desired < 3 && !other.deleting);
        self.links.read(truth.links[link], |it| {
            let waiting = [Resting::Registering, Resting::Inactive];
            let usable = truth.around.usable();
            match it.desired {
                _ if it.deleting => false,
                4 => it.state == Resting::Purged,
                3 => it.state == Resting::Removed,
                _ if wants_active(it) => {
                    let free = usable && !has_rival && (truth.around.granted || !it.elsewhere);
                    let servable = it.object.spec.addressing != instancelink_api::spec::Addressing::ServiceIP;
                    let up = it.state == Resting::Active;
                    match (free, servable) {
                        (true, true) => up,
                        (true, false) => up || it.state == Resting::Activating || it.state == Resting::UpdatingActive,
                        // A source that is being deleted does not deactivate a link that is up.
                        (false, _) => up || it.state.is_transitional() || waiting.contains(&it.state),
                    }
                }
                _ => it.state == Resting::Inactive || (it.state == Resting::Registering && (!usable || has_rival)),
            }
        })
    }

    /// True if every child belongs to a link that is up, or to its source.
    fn is_clean(&self, truth: &Cluster) -> bool {
        let mut up = 0;
        let mut any_up = false;
        for link in (0..2).filter(|link| truth.links[*link] != 0) {
            self.links.read(truth.links[link], |it| {
                let resting = [
                    Resting::Requested,
                    Resting::Registering,
                    Resting::Inactive,
                    Resting::Removed,
                    Resting::Purged,
                ];
                if !resting.contains(&it.state) {
                    up |= it.life_bit(link);
                    any_up = true;
                }
            });
        }
        truth.children.iter().enumerate().all(|(slot, number)| {
            *number == 0
                || match slot {
                    DIRECTORY => any_up,
                    ENVIRONMENT => any_up && self.children.read(u32::from(*number), |child| child.of & !up == 0),
                    _ => self.children.read(u32::from(*number), |child| child.of & up != 0),
                }
        })
    }

    /// True if every active link has the endpoints of its target.
    fn content_is_current(&self, truth: &Cluster) -> bool {
        let up = |link: usize| {
            let number = truth.links[link];
            number != 0
                && self
                    .links
                    .read(number, |it| it.state == Resting::Active && !it.deleting)
        };
        let both = up(0) && up(1) && self.one_alias;
        let is_shown = (0..2).filter(|link| up(*link)).all(|link| {
            let slice = truth.children[SLICE + link];
            if !truth.around.usable() {
                return true;
            }
            let publishes = self
                .links
                .read(truth.links[link], |it| it.object.spec.publish_not_ready_addresses);
            let servable = self.links.read(truth.links[link], |it| {
                it.object.spec.addressing != instancelink_api::spec::Addressing::ServiceIP
            });
            let ready = match truth.around.target {
                Target::Ready => 1..=1,
                Target::NotReady if publishes => 1..=1,
                Target::NotReady | Target::Absent => 0..=0,
                // An endpoint stays, and none joins.
                Target::Orphaned => 0..=1,
            };
            !servable || (slice != 0 && ready.contains(&self.children.read(u32::from(slice), |child| child.ready)))
        });
        is_shown && !both
    }
}

fn wants_active(link: &Link) -> bool {
    match link.desired_state {
        Some(DesiredState::Active) => true,
        Some(DesiredState::Inactive) => false,
        None => link.desired < 2,
    }
}
