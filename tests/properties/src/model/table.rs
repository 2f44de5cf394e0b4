//! The table of actions, copied from contract#action-table. It does not use core's table, so that the two can be
//! compared.

use instancelink_api::{State, Verb};

/// The outcome of a verb in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Moves,
    NoOp,
    Rejected,
}

/// Columns: activate, deactivate, remove, restore, purge. `y` moves, `o` is a no-op, `-` is rejected.
const fn row(state: State) -> &'static [u8; 5] {
    match state {
        State::Requested | State::Registering | State::Activating | State::Active | State::UpdatingActive => b"oyy--",
        State::Inactive | State::UpdatingInactive | State::Deactivating => b"yoy--",
        State::Removing | State::Removed => b"--oyy",
        State::Restoring => b"yoyo-",
        State::Purging | State::Purged => b"----o",
    }
}

pub(super) fn outcome_of(state: State, verb: Verb) -> Outcome {
    let column = Verb::ALL.into_iter().zip(row(state)).find(|(known, _)| *known == verb);
    match column {
        Some((_, b'y')) => Outcome::Moves,
        Some((_, b'o')) => Outcome::NoOp,
        _ => Outcome::Rejected,
    }
}

/// `status.availableActions`: the verbs that move the link, without those that `desiredState` manages.
pub(super) fn offered(state: State, managed: bool) -> Vec<Verb> {
    let by_spec = |verb: &Verb| managed && matches!(verb, Verb::Activate | Verb::Deactivate);
    Verb::ALL
        .into_iter()
        .filter(|verb| outcome_of(state, *verb) == Outcome::Moves && !by_spec(verb))
        .collect()
}
