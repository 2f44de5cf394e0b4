//! The table of actions, as data: what each verb does in each state (contract#action-table).

use instancelink_api::{State, Verb};

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legality {
    /// The action changes the state, now or after the present transition.
    Yes,
    /// The state stays, but the action decides from now on.
    NoOp,
    /// The action is rejected.
    No,
}

/// What a verb does in a state.
#[allow(clippy::match_same_arms)] // one arm a row of the contract's table
pub const fn cell(state: State, verb: Verb) -> Legality {
    use Legality::{No, NoOp, Yes};
    // activate, deactivate, remove, restore, purge
    let row = match state {
        State::Requested | State::Registering => [NoOp, Yes, Yes, No, No],
        State::Activating | State::Active | State::UpdatingActive => [NoOp, Yes, Yes, No, No],
        State::Inactive | State::UpdatingInactive => [Yes, NoOp, Yes, No, No],
        State::Deactivating => [Yes, NoOp, Yes, No, No],
        State::Removing => [No, No, NoOp, Yes, Yes],
        State::Removed => [No, No, NoOp, Yes, Yes],
        State::Restoring => [Yes, NoOp, Yes, NoOp, No],
        State::Purging | State::Purged => [No, No, No, No, NoOp],
    };
    let [activate, deactivate, remove, restore, purge] = row;
    match verb {
        Verb::Activate => activate,
        Verb::Deactivate => deactivate,
        Verb::Remove => remove,
        Verb::Restore => restore,
        Verb::Purge => purge,
    }
}

/// The actions that change something in a state. Where the spec sets `desiredState`, activate and deactivate do not.
pub fn available(state: State, managed_by_spec: bool) -> Vec<Verb> {
    Verb::ALL
        .into_iter()
        .filter(|verb| cell(state, *verb) == Legality::Yes)
        .filter(|verb| !(managed_by_spec && matches!(verb, Verb::Activate | Verb::Deactivate)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_actions_is_that_of_the_contract() {
        // One row a group of states, as the contract prints it: y yes, o no-op, - rejected.
        let contract = [
            ("requested registering", "oyy--"),
            ("activating active updating-active", "oyy--"),
            ("inactive updating-inactive", "yoy--"),
            ("deactivating", "yoy--"),
            ("removing", "--oyy"),
            ("removed", "--oyy"),
            ("restoring", "yoyo-"),
            ("purging purged", "----o"),
        ];
        let mut seen = 0;
        for (states, row) in contract {
            for name in states.split(' ') {
                let state = State::ALL.into_iter().find(|s| s.as_str() == name).unwrap();
                for (verb, expected) in Verb::ALL.into_iter().zip(row.chars()) {
                    let shown = match cell(state, verb) {
                        Legality::Yes => 'y',
                        Legality::NoOp => 'o',
                        Legality::No => '-',
                    };
                    assert_eq!(shown, expected, "{verb} in {state}");
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 13 * 5);
    }

    #[test]
    fn a_link_with_a_desired_state_offers_neither_activate_nor_deactivate() {
        assert_eq!(available(State::Active, false), [Verb::Deactivate, Verb::Remove]);
        assert_eq!(available(State::Active, true), [Verb::Remove]);
        assert_eq!(available(State::Removed, true), [Verb::Restore, Verb::Purge]);
        assert!(available(State::Purged, false).is_empty());
    }
}
