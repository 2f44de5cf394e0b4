//! The table of actions (contract#action-table). It is written again here, not taken from core: core is compared with
//! it.

use instancelink_api::{State, Verb};

/// What a verb does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Moves,
    Nothing,
    Rejected,
}

/// Columns: activate, deactivate, remove, restore, purge. `y` moves, `o` does nothing, `-` is rejected.
const fn row(state: State) -> &'static [u8; 5] {
    match state {
        State::Requested | State::Registering | State::Activating | State::Active | State::UpdatingActive => b"oyy--",
        State::Inactive | State::UpdatingInactive | State::Deactivating => b"yoy--",
        State::Removing | State::Removed => b"--oyy",
        State::Restoring => b"yoyo-",
        State::Purging | State::Purged => b"----o",
    }
}

pub(super) fn cell(state: State, verb: Verb) -> Cell {
    let column = Verb::ALL.into_iter().zip(row(state)).find(|(known, _)| *known == verb);
    match column {
        Some((_, b'y')) => Cell::Moves,
        Some((_, b'o')) => Cell::Nothing,
        _ => Cell::Rejected,
    }
}

/// What `status.availableActions` offers: what would change something and is not the manifest's business.
pub(super) fn offered(state: State, managed: bool) -> Vec<Verb> {
    let by_spec = |verb: &Verb| managed && matches!(verb, Verb::Activate | Verb::Deactivate);
    Verb::ALL
        .into_iter()
        .filter(|verb| cell(state, *verb) == Cell::Moves && !by_spec(verb))
        .collect()
}
