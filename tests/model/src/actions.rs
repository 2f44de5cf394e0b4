//! The actions that are possible in a state.

use crate::base::living_sources;
use crate::model::Model;
use crate::scope::Takeover;
use crate::slots::{DIRECTORY, ENVIRONMENT, POLICY, SLICE, SLOTS};
use crate::state::{CONFIRMED, Cluster, State};
use crate::surroundings::{Change, Surroundings};
use crate::user::{Edit, User};

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    User(User),
    Change(Change),
    /// A watch catches up. Versions in between are never seen.
    Deliver {
        operator: usize,
        watch: Watch,
    },
    /// All watches of the operator without the lease catch up.
    CatchUp {
        operator: usize,
    },
    /// A pass over a link calls `step` and sends its writes.
    Decide {
        operator: usize,
        link: usize,
        group: u32,
    },
    /// The sweep sends a write.
    Sweep {
        operator: usize,
        group: u32,
    },
    /// A request arrives and is answered.
    Arrive {
        operator: usize,
        write: u8,
    },
    /// A request arrives; the answer is lost.
    Unanswered {
        operator: usize,
        write: u8,
    },
    /// A request is lost.
    Lost {
        operator: usize,
        write: u8,
    },
    /// The operator reads a child after a write without an answer.
    Ask {
        operator: usize,
        slot: usize,
    },
    /// The operator crashes, starts again and lists everything.
    Crash {
        operator: usize,
    },
    /// The other operator gets the lease. Requests of the former leader may still arrive.
    Failover,
    /// The garbage collector deletes a child without a living owner.
    Collect {
        slot: usize,
    },
}

/// A watch of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Watch {
    Links,
    Services,
    ConfigMaps,
    Slices,
    Policies,
    /// The source, the target and its pods.
    Ends,
    /// The grants and namespaces.
    Consent,
}

impl Watch {
    const ALL: [Self; 7] = [
        Self::Links,
        Self::Services,
        Self::ConfigMaps,
        Self::Slices,
        Self::Policies,
        Self::Ends,
        Self::Consent,
    ];

    /// The view after this watch has caught up.
    pub(crate) fn caught_up(self, view: Cluster, truth: &Cluster) -> Cluster {
        let mut view = view;
        let mut show = |slots: std::ops::Range<usize>| {
            for slot in slots {
                view.children[slot] = truth.children[slot];
            }
        };
        match self {
            Self::Links => view.links = truth.links,
            Self::Services => show(DIRECTORY..DIRECTORY + 1),
            Self::ConfigMaps => show(ENVIRONMENT..ENVIRONMENT + 1),
            Self::Slices => show(SLICE..SLICE + 2),
            Self::Policies => show(POLICY..POLICY + 2),
            Self::Ends => {
                view.around.source = truth.around.source;
                view.around.target = truth.around.target;
            }
            Self::Consent => {
                view.around.granted = truth.around.granted;
                view.around.closing = truth.around.closing;
            }
        }
        view
    }
}

/// The view of an operator that will not decide again.
pub(crate) const UNUSED_VIEW: Cluster = Cluster {
    links: [0; 2],
    children: [0; SLOTS],
    around: Surroundings::INITIAL,
};

impl Action {
    /// True for an action that counts as an injected fault.
    pub(crate) const fn is_fault(self) -> bool {
        match self {
            Self::Unanswered { .. } | Self::Lost { .. } | Self::Crash { .. } | Self::Failover => true,
            Self::User(user) => matches!(
                user.edit,
                Edit::WipeStatus | Edit::DropAnnotations | Edit::StripFinalizer
            ),
            _ => false,
        }
    }
}

impl Model {
    /// The actions that are possible.
    pub(crate) fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        for operator in 0..2 {
            self.of_operator(state, operator, actions);
        }
        if state.left.failovers > 0 && state.operators[1 - usize::from(state.leader)].flight.is_empty() {
            actions.push(Action::Failover);
        }
        self.garbage(state, actions);
        if state.left.users > 0 {
            let users = self
                .scope
                .users
                .iter()
                .filter(|user| self.edited(state, **user).is_some());
            actions.extend(users.map(|user| Action::User(*user)));
        }
        if state.left.changes > 0 {
            let changes = self.scope.changes.iter();
            let changes = changes.filter(|change| change.apply(state.truth.around).is_some());
            actions.extend(changes.map(|change| Action::Change(*change)));
        }
    }

    fn garbage(&self, state: &State, actions: &mut Vec<Action>) {
        for (slot, number) in state.truth.children.iter().enumerate() {
            if *number != 0 && self.is_garbage(&state.truth, u32::from(*number)) {
                actions.push(Action::Collect { slot });
            }
        }
    }

    fn is_garbage(&self, truth: &Cluster, child: u32) -> bool {
        self.children.read(child, |child| {
            let lives = |uid: &String| {
                let is_source = living_sources(truth.around).contains(uid);
                is_source || (0..2).any(|link| self.lives(truth, link, uid))
            };
            !child.owners.is_empty() && !child.owners.iter().any(lives)
        })
    }

    fn lives(&self, truth: &Cluster, link: usize, uid: &str) -> bool {
        truth.links[link] != 0
            && self.links.read(truth.links[link], |link| {
                link.object.metadata.uid.as_deref() == Some(uid)
            })
    }

    fn of_operator(&self, state: &State, operator: usize, actions: &mut Vec<Action>) {
        let it = &state.operators[operator];
        let leads = usize::from(state.leader) == operator;
        for write in (0..8).filter(|write| it.flight.todo & (1 << write) != 0) {
            actions.push(Action::Arrive { operator, write });
            if !leads {
                actions.push(Action::Lost { operator, write });
            } else if state.left.faults > 0 {
                actions.push(Action::Unanswered { operator, write });
                actions.push(Action::Lost { operator, write });
            }
        }
        if !leads {
            if state.left.failovers > 0 && self.scope.takeover != Takeover::Current && it.view != state.truth {
                actions.push(Action::CatchUp { operator });
            }
            return;
        }
        for watch in Watch::ALL {
            if watch.caught_up(it.view, &state.truth) != it.view {
                actions.push(Action::Deliver { operator, watch });
            }
        }
        if state.left.faults > 0 {
            actions.push(Action::Crash { operator });
        }
        if !it.flight.is_empty() {
            return;
        }
        if state.unconfirmed != CONFIRMED {
            let unconfirmed = (0..SLOTS).filter(|slot| state.unconfirmed[*slot] != 0);
            actions.extend(unconfirmed.map(|slot| Action::Ask { operator, slot }));
        }
        for link in 0..2 {
            let group = self.decide(link, &it.view).group;
            if group != 0 && !self.has_to_ask(link, &it.view, &state.unconfirmed) {
                actions.push(Action::Decide { operator, link, group });
            }
        }
        if state.unconfirmed != CONFIRMED {
            return;
        }
        for slot in 0..SLOTS {
            let group = self.sweep(slot, &it.view, &state.truth);
            if group != 0 {
                actions.push(Action::Sweep { operator, group });
            }
        }
    }
}
