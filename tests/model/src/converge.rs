//! Left alone, everything comes to rest: run from a cluster as it is, with one operator that sees it, to the end.

use instancelink_api::State as Resting;
use instancelink_api::spec::DesiredState;

use crate::actions::{Action, BLIND};
use crate::digest::Link;
use crate::flight::Flight;
use crate::model::Model;
use crate::promise::{Broken, Promise};
use crate::scope::{Budget, Takeover};
use crate::slots::{DIRECTORY, ENVIRONMENT, SLICE, SLOTS};
use crate::state::{Account, CERTAIN, Cluster, Ledger, Operator, State};
use crate::surroundings::Target;
use crate::user::created;

/// More than any way to rest needs: a loop shows as a promise broken.
const LIMIT: usize = 400;
/// Waits, drains and both ttl clocks end within this many ticks.
const TICKS: u8 = 5;

const NOTHING_MORE: Budget = Budget {
    users: 0,
    changes: 0,
    faults: 0,
    failovers: 0,
};

impl Model {
    /// The states in which the scope begins.
    pub(crate) fn starts(&self) -> Vec<State> {
        let starts = self.scope.starts.iter().map(|users| {
            let mut state = self.beginning();
            for user in users {
                state = self.settle(state).expect("a beginning comes to rest");
                state.left.users = 1;
                state = self.happen(&state, Action::User(*user));
            }
            if !users.is_empty() {
                state = self.settle(state).expect("a beginning comes to rest");
            }
            state.left = self.scope.budget;
            if self.scope.budget.failovers > 0 && self.scope.takeover != Takeover::Present {
                state.operators[1].view = state.truth;
            }
            state
        });
        starts.collect()
    }

    fn beginning(&self) -> State {
        let mut links = [0; 2];
        for (link, spec) in self.scope.specs.iter().enumerate().filter(|(_, spec)| !spec.is_empty()) {
            links[link] = self.link(created(link, 0, spec));
        }
        self.alone(Cluster {
            links,
            children: [0; SLOTS],
            around: crate::surroundings::Surroundings::BEGINNING,
        })
    }

    /// One operator that sees a cluster as it is, and nothing on its way.
    fn alone(&self, truth: Cluster) -> State {
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
            operators: [operator(truth), operator(BLIND)],
            leader: 0,
            ledgers: truth.links.map(ledger),
            left: NOTHING_MORE,
            doubts: CERTAIN,
            recreated: 3,
            strays: 0,
            stray_entries: 0,
            broken: Broken::default(),
        }
    }

    /// What happens when nobody does anything any more; none where that has no end.
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
            state = self.happen(&state, *action);
        }
        None
    }

    /// Promises that are broken on the way to rest from a cluster, or there.
    pub(crate) fn rest(&self, truth: &Cluster) -> Broken {
        self.rest_after(truth, 0)
    }

    /// The same, so many groups of writes after the beginning.
    fn rest_after(&self, truth: &Cluster, groups: usize) -> Broken {
        if groups > LIMIT {
            return Broken::unless(false, Promise::Quiet);
        }
        self.rests.get(*truth, |truth| self.run_on(truth, groups))
    }

    /// One group of writes, and on from there; where none is due, time passes, and in the end that is the rest.
    fn run_on(&self, truth: &Cluster, groups: usize) -> Broken {
        let mut state = self.alone(*truth);
        let mut actions = Vec::new();
        loop {
            actions.clear();
            self.possible(&state, &mut actions);
            let Some(action) = actions.first() else { break };
            state = self.happen(&state, *action);
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
            .and(Broken::unless(self.is_where_it_should(&state), Promise::Rest))
            .and(Broken::unless(self.is_clean(&state.truth), Promise::Leaks))
            .and(Broken::unless(self.shows_the_world(&state.truth), Promise::Content))
    }

    fn is_where_it_should(&self, state: &State) -> bool {
        (0..2)
            .filter(|link| state.truth.links[*link] != 0)
            .all(|link| self.rests_rightly(&state.truth, link))
    }

    fn rests_rightly(&self, truth: &Cluster, link: usize) -> bool {
        let other = truth.links[1 - link];
        // A rival that is there and is not going away may have the alias.
        let has_rival = other != 0 && self.links.read(other, |other| other.desired < 3 && !other.deleting);
        self.links.read(truth.links[link], |it| {
            let waiting = [Resting::Registering, Resting::Inactive];
            let usable = truth.around.usable();
            match it.desired {
                _ if it.deleting => false,
                4 => it.state == Resting::Purged,
                3 => it.state == Resting::Removed,
                _ if wishes_active(it) => {
                    let free = usable && !has_rival && (truth.around.granted || !it.elsewhere);
                    let servable = it.object.spec.addressing != instancelink_api::spec::Addressing::ServiceIP;
                    let up = it.state == Resting::Active;
                    match (free, servable) {
                        (true, true) => up,
                        (true, false) => up || it.state == Resting::Activating || it.state == Resting::UpdatingActive,
                        // A source on its way out does not cut what is up.
                        (false, _) => up || it.state.is_transitional() || waiting.contains(&it.state),
                    }
                }
                _ => it.state == Resting::Inactive || (it.state == Resting::Registering && (!usable || has_rival)),
            }
        })
    }

    /// Nothing stands but for a link that is up, and for the source of one.
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

    /// A link that is active gives out what the target has.
    fn shows_the_world(&self, truth: &Cluster) -> bool {
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
                Target::Ready => 1,
                Target::NotReady if publishes => 1,
                Target::NotReady | Target::Absent => 0,
            };
            !servable || (slice != 0 && self.children.read(u32::from(slice), |child| child.ready) == ready)
        });
        is_shown && !both
    }
}

fn wishes_active(link: &Link) -> bool {
    match link.wish {
        Some(DesiredState::Active) => true,
        Some(DesiredState::Inactive) => false,
        None => link.desired < 2,
    }
}
