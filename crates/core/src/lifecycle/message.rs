//! Messages for users: what the operator does in a state that a link enters, and the result of an action.

use instancelink_api::{Intent, State, Verb, Verdict};

use super::facts::Facts;
use crate::action::{ActionContext, Decision, judge};

/// Longest note of an event, in bytes: a limit of the API server.
const MAX_NOTE: usize = 1024;
/// Longest message in a status, in bytes. All messages of a status together are less than what the caches keep of one
/// (`crate::bounded_link`): a status that is not kept would be written again in each pass.
const MAX_MESSAGE: usize = 4 * 1024;
/// The end of a message that was too long. A comment, because a message may be a manifest.
const SHORTENED: &str = "\n# (shortened)";

/// What the operator does in a state that the link enters.
pub(crate) fn on_entry(f: &Facts<'_>, state: State) -> String {
    let alias = &f.link.spec.link_name;
    match state {
        State::Registering => {
            return f
                .hold
                .as_ref()
                .map_or_else(|| format!("claiming the alias {alias}"), |hold| hold.message.clone());
        }
        State::Activating => "creating the link's objects",
        State::UpdatingActive => "updating the link's objects to the new spec",
        State::Deactivating => "deleting the link's objects",
        State::UpdatingInactive => "recording the new spec",
        State::Removing => "releasing the alias",
        State::Restoring => "claiming the alias again",
        State::Purging => "deleting what is left of the link",
        State::Requested | State::Active | State::Inactive | State::Removed | State::Purged => "",
    }
    .to_owned()
}

/// The result of an action, when it is acknowledged.
pub(crate) fn of_action(f: &Facts<'_>, intent: &Intent) -> String {
    if intent.verdict == Verdict::Accepted {
        return format!("{} accepted", intent.action);
    }
    if intent.reason == "InvalidValue" {
        return invalid_value(&intent.action);
    }
    let decision = Verb::ALL
        .into_iter()
        .find(|verb| verb.as_str() == intent.action)
        .map(|verb| judge(verb, &action_context(f)));
    match decision {
        Some(Decision::Rejected(reason, message)) if reason == intent.reason => message,
        _ => format!("{} rejected: {}", intent.action, intent.reason),
    }
}

/// A condition's message as the note of an event. A note has a limit, and a cut manifest cannot be applied: without room for
/// all of it the note has its first line.
pub(crate) fn as_note(message: &str) -> String {
    match message.split_once('\n') {
        Some((comment, _)) if message.len() > MAX_NOTE => {
            let what = comment.trim_start_matches("# ").trim_end_matches(':');
            format!("{what} (the manifest is in the conditions of the link)")
        }
        _ => message.to_owned(),
    }
}

/// A message as a status can have it.
pub(crate) fn bounded(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE - SHORTENED.len()));
        message.push_str(SHORTENED);
    }
    message
}

/// What to write instead of a value outside the grammar.
pub(crate) fn invalid_value(shown: &str) -> String {
    format!(
        "unknown action '{shown}'; write activate, deactivate, remove, restore or purge, or one of them with an id (1 to 63 \
         letters, digits, '.', '_', ':' or '-'), e.g. deactivate/CHG-1"
    )
}

/// What a request on this link is judged by.
pub(crate) fn action_context<'a>(f: &'a Facts<'_>) -> ActionContext<'a> {
    ActionContext {
        state: f.state,
        deleting: f.deleting,
        desired: f.memory.desired(),
        managed_by_spec: f.managed_by_spec(),
        alias_taken_by: f.rivals.any.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_does_not_fit_into_an_event_is_left_out_and_not_cut() {
        let manifest = |lines| format!("# why. Apply this manifest:\n{}", "kind: Role\n".repeat(lines));
        assert_eq!(as_note(&manifest(10)), manifest(10));
        assert_eq!(
            as_note(&manifest(100)),
            "why. Apply this manifest (the manifest is in the conditions of the link)"
        );
        assert_eq!(as_note("plain"), "plain");
    }

    /// lifecycle#valid-status
    #[test]
    fn a_message_of_a_status_is_bounded_and_says_so() {
        for long in ["ü".repeat(40_000), "a".repeat(MAX_MESSAGE + 1)] {
            let message = bounded(long);
            assert!(message.len() <= MAX_MESSAGE && message.len() > MAX_MESSAGE - 8 && message.ends_with(SHORTENED));
        }
        assert_eq!(bounded("a".repeat(MAX_MESSAGE)).len(), MAX_MESSAGE);
    }
}
