//! Why a link entered a state, in one word, for its history.

use instancelink_api::{State, Verdict};

use super::facts::{Facts, Goal};

/// A verb, `create`, `spec`, `delete`, the reason of a hold, or `done` for a resting state.
pub(crate) fn cause(f: &Facts<'_>, to: State) -> String {
    match to {
        State::Active | State::Inactive | State::Removed | State::Purged | State::Requested => "done".to_owned(),
        State::Registering => "create".to_owned(),
        State::UpdatingActive | State::UpdatingInactive => "spec".to_owned(),
        State::Activating if matches!(f.state, State::Requested | State::Registering) => "create".to_owned(),
        State::Deactivating if f.goal == Goal::Inactive && f.unheld_goal == Goal::Active => {
            f.hold.as_ref().map_or("spec", |hold| hold.reason.as_str()).to_owned()
        }
        State::Activating | State::Deactivating | State::Removing | State::Restoring | State::Purging => {
            origin_of_goal(f)
        }
    }
}

/// The request that set the present goal.
fn origin_of_goal(f: &Facts<'_>) -> String {
    if f.deleting {
        return "delete".to_owned();
    }
    let managed = f.managed_by_spec() && matches!(f.goal, Goal::Active | Goal::Inactive);
    match &f.memory.last {
        Some(last) if last.manager == "ttlSecondsAfterRemoved" => last.manager.clone(),
        Some(last) if last.verdict == Verdict::Accepted && !managed => last.action.clone(),
        _ => "spec".to_owned(),
    }
}
