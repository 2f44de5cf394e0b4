//! The next state after an action.

use instancelink_core::effect::Effect;
use instancelink_core::fixture;

use crate::actions::{Action, UNUSED_VIEW};
use crate::flight::Flight;
use crate::model::Model;
use crate::mutant::Mutant;
use crate::object::Object;
use crate::promise::{Broken, Promise};
use crate::scope::Takeover;
use crate::slots::{ENVIRONMENT, POLICY, SLOTS};
use crate::state::{Account, CONFIRMED, ChildNumber, Cluster, SEVERAL, State};
use crate::user::{Edit, Edited, User, created};
use crate::written::Meaning;

impl Model {
    /// The state after an action.
    pub(crate) fn next(&self, before: &State, action: Action) -> State {
        let mut state = *before;
        match action {
            Action::User(user) => self.user(&mut state, user),
            Action::Change(change) => {
                state.left.changes -= 1;
                state.truth.around = change.apply(state.truth.around).unwrap();
            }
            Action::Deliver { operator, watch } => {
                let view = &mut state.operators[operator].view;
                *view = watch.caught_up(*view, &state.truth);
            }
            Action::CatchUp { operator } => state.operators[operator].view = state.truth,
            Action::Decide { operator, link, group } => {
                let broken = self.decide(link, &state.operators[operator].view).broken;
                state.broken = state.broken.and(broken);
                self.send(&mut state, operator, group);
            }
            Action::Sweep { operator, group } => self.send(&mut state, operator, group),
            Action::Arrive { operator, write } => self.arrive(&mut state, operator, write, true),
            Action::Unanswered { operator, write } => {
                state.left.faults -= 1;
                self.note_unconfirmed(&mut state, operator, write);
                self.arrive(&mut state, operator, write, false);
            }
            Action::Ask { operator, slot } => {
                state.unconfirmed[slot] = 0;
                state.operators[operator].view.children[slot] = state.truth.children[slot];
            }
            Action::Lost { operator, write } => {
                if operator == usize::from(state.leader) {
                    state.left.faults -= 1;
                    self.note_unconfirmed(&mut state, operator, write);
                }
                state.operators[operator].flight.done(write);
            }
            Action::Crash { operator } => {
                state.left.faults -= 1;
                state.operators[operator].flight = Flight::default();
                state.operators[operator].view = state.truth;
                state.unconfirmed = CONFIRMED;
            }
            Action::Failover => {
                state.left.failovers -= 1;
                state.unconfirmed = CONFIRMED;
                state.leader = 1 - state.leader;
                let view = &mut state.operators[usize::from(state.leader)].view;
                match self.scope.takeover {
                    Takeover::Old => {}
                    Takeover::ChildrenListed => view.children = state.truth.children,
                    Takeover::Current => *view = state.truth,
                }
            }
            Action::Collect { slot } => {
                self.put_child(&mut state, slot, 0, true);
            }
        }
        self.normalize(&mut state);
        state
    }

    /// Sets the fields that are never read again to a fixed value, so that states that differ only in them are equal.
    fn normalize(&self, state: &mut State) {
        let idle = 1 - usize::from(state.leader);
        if state.left.failovers == 0 || self.scope.takeover == Takeover::Current {
            state.operators[idle].view = UNUSED_VIEW;
        } else {
            state.operators[idle].view.around.clock = state.truth.around.clock;
        }
        state.operators[1 - idle].view.around.clock = state.truth.around.clock;
    }

    fn send(&self, state: &mut State, operator: usize, group: u32) {
        let it = &mut state.operators[operator];
        let writes = self.groups.read(group, |group| group.writes.len());
        it.flight = Flight {
            group,
            todo: ((1u16 << writes) - 1) as u8,
            fresh: fresh(&it.view, &state.truth),
        };
    }

    /// A write of a child in a pass got no answer: the child is unknown until it is read.
    fn note_unconfirmed(&self, state: &mut State, operator: usize, write: u8) {
        if self.scope.mutant == Some(Mutant::ForgetsUnanswered) {
            return;
        }
        let group = state.operators[operator].flight.group;
        let (link, object) = self
            .groups
            .read(group, |group| (group.link, group.objects[usize::from(write)]));
        if let (Some(_), Object::Child(slot)) = (link, object) {
            let (unconfirmed, written) = (
                &mut state.unconfirmed[usize::from(slot)],
                self.written_child(group, write),
            );
            // A deletion is repeated in any case.
            if written != 0 {
                *unconfirmed = if [0, written].contains(unconfirmed) {
                    written
                } else {
                    SEVERAL
                };
            }
        }
    }

    /// The child after a write; 0: it is deleted.
    fn written_child(&self, group: u32, write: u8) -> ChildNumber {
        self.creations.get((group, write), |(group, write)| {
            self.groups
                .read(*group, |group| match &group.writes[usize::from(*write)] {
                    Effect::Create { child } | Effect::Replace { child, .. } => self.child(fixture::stored(child, "1")),
                    _ => 0,
                })
        })
    }

    fn arrive(&self, state: &mut State, operator: usize, write: u8, answered: bool) {
        let flight = state.operators[operator].flight;
        state.operators[operator].flight.done(write);
        let answered = answered && operator == usize::from(state.leader);
        let object = self
            .groups
            .read(flight.group, |group| group.objects[usize::from(write)]);
        match object {
            Object::Link(link) => self.arrive_at_link(state, (operator, answered), flight, write, usize::from(link)),
            Object::Child(slot) => self.arrive_at_child(state, (operator, answered), flight, write, usize::from(slot)),
        }
    }

    fn arrive_at_link(
        &self,
        state: &mut State,
        (operator, answered): (usize, bool),
        flight: Flight,
        write: u8,
        link: usize,
    ) {
        let object = Object::Link(link as u8);
        if state.truth.links[link] == 0 {
            // The answer is NotFound, and the operator records it.
            if answered {
                state.operators[operator].view.links[link] = 0;
            }
            return;
        }
        if !flight.is_fresh(object) && !self.ignores_preconditions(flight.group, write) {
            return;
        }
        let life = self.links.read(state.truth.links[link], |entry| entry.life_bit(link));
        let written = self.write(state.truth.links[link], flight.group, write);
        state.broken = state.broken.and(written.broken);
        let ledger = &mut state.ledgers[link];
        match written.meaning {
            Meaning::Nothing => {}
            Meaning::Taken { desired, with_id } => {
                let twice = with_id && ledger.taken.handled;
                state.broken = state.broken.and(Broken::unless(!twice, Promise::Actions));
                ledger.taken = Account {
                    desired: if desired == 0 { ledger.taken.desired } else { desired },
                    handled: ledger.taken.handled || with_id,
                };
            }
            Meaning::Acknowledged => ledger.acknowledged = ledger.taken,
            Meaning::FinalizerDropped => {
                let has_children = self.has_children(state, life);
                state.broken = state.broken.and(Broken::unless(!has_children, Promise::Finalizer));
            }
        }
        state.put_link(link, written.link);
        if answered {
            state.operators[operator].view.links[link] = written.link;
        }
    }

    /// A seeded bug: the write has no precondition.
    fn ignores_preconditions(&self, group: u32, write: u8) -> bool {
        self.scope.mutant == Some(Mutant::TakesBlindly)
            && self.groups.read(group, |group| {
                matches!(group.writes[usize::from(write)], Effect::AcceptAction { .. })
            })
    }

    fn arrive_at_child(
        &self,
        state: &mut State,
        (operator, answered): (usize, bool),
        flight: Flight,
        write: u8,
        slot: usize,
    ) {
        let existing = state.truth.children[slot];
        let object = Object::Child(slot as u8);
        let creates = self.groups.read(flight.group, |group| {
            matches!(group.writes[usize::from(write)], Effect::Create { .. })
        });
        if creates && state.truth.around.closing && slot < POLICY {
            // The answer is 403: the namespace accepts no new objects.
            return;
        }
        // The child exists already, or does not exist. The operator records its actual state.
        let misses = creates == (existing != 0);
        if misses || (!creates && !flight.is_fresh(object)) {
            if misses && answered {
                state.operators[operator].view.children[slot] = existing;
                state.unconfirmed[slot] = 0;
            }
            return;
        }
        let after = self.written_child(flight.group, write);
        self.put_child(state, slot, after, operator == usize::from(state.leader));
        let of_pass = self.groups.read(flight.group, |group| group.link.is_some());
        // The caches do not record the writes of a sweep.
        if answered && of_pass {
            state.operators[operator].view.children[slot] = after;
            state.unconfirmed[slot] = 0;
        }
    }

    /// Stores a child. `by_leader` is false for a late write of a former leader.
    fn put_child(&self, state: &mut State, slot: usize, number: ChildNumber, by_leader: bool) {
        let of = |number: ChildNumber| match number {
            0 => 0,
            number => self.children.read(u32::from(number), |child| child.of),
        };
        let before = std::mem::replace(&mut state.truth.children[slot], number);
        if slot == ENVIRONMENT {
            let late = if by_leader { 0 } else { of(number) & !of(before) };
            state.late_entries = (state.late_entries | late) & of(number);
        } else {
            state.late_children &= !(1 << slot);
            state.late_children |= u8::from(!by_leader && number != 0) << slot;
        }
        state.written(Object::Child(slot as u8));
    }

    /// True if a child of this life of a link exists that is not a late write of a former leader.
    pub(crate) fn has_children(&self, state: &State, life: u8) -> bool {
        state.truth.children.iter().enumerate().any(|(slot, number)| {
            let excused = if slot == ENVIRONMENT { state.late_entries } else { 0 };
            *number != 0
                && state.late_children & (1 << slot) == 0
                && self
                    .children
                    .read(u32::from(*number), |child| child.of & life & !excused != 0)
        })
    }

    fn user(&self, state: &mut State, user: User) {
        let after = self.edited(state, user).unwrap();
        state.left.users -= 1;
        let ledger = &mut state.ledgers[user.link];
        match user.edit {
            Edit::WipeStatus => {
                ledger.acknowledged = Account::default();
                if !self.links.read(state.truth.links[user.link], |link| link.has_intent) {
                    ledger.taken = Account::default();
                }
            }
            Edit::DropAnnotations => ledger.taken = ledger.acknowledged,
            Edit::Create => state.recreated |= 1 << user.link,
            _ => {}
        }
        state.put_link(user.link, after);
    }

    /// The link after a user's edit; none if the edit is not possible or changes nothing.
    pub(crate) fn edited(&self, state: &State, user: User) -> Option<u32> {
        let number = state.truth.links[user.link];
        if user.edit == Edit::Create {
            let is_free = number == 0 && state.recreated & (1 << user.link) == 0;
            return is_free.then(|| {
                self.edits.get((0, user), |_| {
                    Some(self.link(created(user.link, 1, self.scope.specs[user.link])))
                })
            })?;
        }
        if number == 0 {
            return None;
        }
        self.edits.get((number, user), |(number, user)| {
            let before = self.links.at(*number).object.clone();
            match user.edit.apply(before) {
                Edited::Same => None,
                Edited::New(link) => Some(self.link(*link)),
                Edited::Gone => Some(0),
            }
        })
    }
}

/// The objects that a view shows as they are.
fn fresh(view: &Cluster, truth: &Cluster) -> u8 {
    let links = (0..2).filter(|link| view.links[*link] == truth.links[*link]);
    let children = (0..SLOTS).filter(|slot| view.children[*slot] == truth.children[*slot]);
    let links = links.map(|link| Object::Link(link as u8).bit());
    links
        .chain(children.map(|slot| Object::Child(slot as u8).bit()))
        .fold(0, |all, bit| all | bit)
}
