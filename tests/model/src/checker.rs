//! The model as stateright runs it: initial states, actions, next states, properties.

use std::sync::atomic::Ordering;

use stateright::Property;

use crate::actions::Action;
use crate::model::Model;
use crate::promise::Promise;
use crate::state::State;

impl stateright::Model for Model {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        self.starts()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        if action.is_fault() {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        Some(self.next(state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! always {
            ($($promise:ident),*) => {
                vec![$(Property::always(Promise::$promise.as_str(), |model: &Self, state: &State| {
                    !model.broken(state).contains(Promise::$promise)
                })),*]
            };
        }
        always![
            Edges,
            Actions,
            NoChildren,
            Content,
            Purged,
            Preconditions,
            Consent,
            Quiet,
            Alias,
            Finalizer,
            Deletion,
            Rest,
            Leaks
        ]
    }
}
