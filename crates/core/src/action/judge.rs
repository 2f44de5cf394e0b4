//! Judges a request: accepted, or rejected with the first reason that matches (lifecycle#rejection-order).

use instancelink_api::{Desired, State, Verb};

use super::table::{Legality, available, cell};

/// What a request is judged by.
#[derive(Clone, Copy, Debug)]
pub struct ActionContext<'a> {
    /// The link's state.
    pub state: State,
    /// `deletionTimestamp` is set.
    pub deleting: bool,
    /// What the last accepted action asked for.
    pub desired: Option<Desired>,
    /// `spec.desiredState` is set.
    pub managed_by_spec: bool,
    /// Name of a link that claims the alias (or the directory) while this one does not.
    pub alias_taken_by: Option<&'a str>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It decides from now on.
    Accepted,
    /// It changes nothing. With the reason (`CamelCase`), and a message with why and what to do instead.
    Rejected(&'static str, String),
}

/// Judges a verb. Values that are no action are rejected before.
pub fn judge(verb: Verb, context: &ActionContext<'_>) -> Decision {
    let ActionContext {
        state,
        deleting,
        desired,
        managed_by_spec,
        alias_taken_by,
    } = *context;
    if deleting {
        return Decision::Rejected(
            "Deleting",
            format!("cannot {verb}: the link is being deleted; when it is gone, apply its manifest again"),
        );
    }
    if verb != Verb::Purge && (desired == Some(Desired::Purged) || matches!(state, State::Purging | State::Purged)) {
        return Decision::Rejected(
            "Purged",
            format!("cannot {verb}: the link was purged; delete it and create a new one"),
        );
    }
    let cell = cell(state, verb);
    if cell == Legality::No {
        let possible: Vec<_> = available(state, managed_by_spec)
            .into_iter()
            .map(Verb::as_str)
            .collect();
        return Decision::Rejected(
            "NotPossibleNow",
            format!(
                "cannot {verb}: the link is {state}; possible now: {}",
                possible.join(", ")
            ),
        );
    }
    if managed_by_spec && matches!(verb, Verb::Activate | Verb::Deactivate) {
        return Decision::Rejected(
            "ManagedBySpec",
            format!("cannot {verb}: spec.desiredState sets the state; edit it, or remove it to use {verb}"),
        );
    }
    if verb == Verb::Restore
        && cell == Legality::Yes
        && let Some(other) = alias_taken_by
    {
        return Decision::Rejected(
            "AliasTaken",
            format!("cannot restore: link {other} has the alias now; remove that link first"),
        );
    }
    Decision::Accepted
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIVE: ActionContext<'static> = ActionContext {
        state: State::Active,
        deleting: false,
        desired: None,
        managed_by_spec: false,
        alias_taken_by: None,
    };

    fn reason(verb: Verb, context: &ActionContext<'_>) -> &'static str {
        match judge(verb, context) {
            Decision::Accepted => "",
            Decision::Rejected(reason, _) => reason,
        }
    }

    /// lifecycle#rejection-order
    #[test]
    fn the_first_matching_reason_is_given() {
        let all = ActionContext {
            state: State::Removed,
            deleting: true,
            desired: Some(Desired::Purged),
            managed_by_spec: true,
            alias_taken_by: Some("shop/other"),
        };
        assert_eq!(reason(Verb::Restore, &all), "Deleting");
        let all = ActionContext { deleting: false, ..all };
        assert_eq!(reason(Verb::Restore, &all), "Purged");
        let all = ActionContext {
            desired: Some(Desired::Removed),
            ..all
        };
        assert_eq!(reason(Verb::Activate, &all), "NotPossibleNow");
        assert_eq!(reason(Verb::Restore, &all), "AliasTaken");
        let all = ActionContext {
            alias_taken_by: None,
            ..all
        };
        assert_eq!(reason(Verb::Restore, &all), "");
    }

    /// lifecycle#rejection-order
    #[test]
    fn a_link_with_a_desired_state_rejects_no_ops_too() {
        let managed = ActionContext {
            managed_by_spec: true,
            ..ACTIVE
        };
        assert_eq!(reason(Verb::Activate, &managed), "ManagedBySpec");
        assert_eq!(reason(Verb::Deactivate, &managed), "ManagedBySpec");
        assert_eq!(reason(Verb::Remove, &managed), "");
    }

    /// lifecycle#rejection-order
    #[test]
    fn after_a_purge_only_purge_is_accepted_in_any_state() {
        let purged = ActionContext {
            state: State::Removing,
            desired: Some(Desired::Purged),
            ..ACTIVE
        };
        assert_eq!(reason(Verb::Restore, &purged), "Purged");
        assert_eq!(reason(Verb::Purge, &purged), "");
    }

    #[test]
    fn a_rejection_says_what_is_possible_now() {
        let Decision::Rejected(_, message) = judge(Verb::Purge, &ACTIVE) else {
            panic!()
        };
        assert_eq!(
            message,
            "cannot purge: the link is active; possible now: deactivate, remove"
        );
    }
}
