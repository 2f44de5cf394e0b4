//! Takes a request: makes the intent that one write puts on the link (lifecycle#take-in-one-write).

use instancelink_api::{Desired, Intent, Verb, Verdict};
use jiff::Timestamp;

use super::fit::HANDLED;
use super::judge::Decision;
use super::memory::Memory;
use super::request::Request;
use super::table::Legality;
use crate::time::micro;

/// The manager of a purge by ttl.
const TTL_MANAGER: &str = "ttlSecondsAfterRemoved";

/// The intent that takes `request`; `cell` is what the table says of it. A restore that brings the link back puts the link
/// at the end of the queue for its alias.
pub fn take(
    memory: &Memory,
    link: &str,
    request: &Request,
    cell: Legality,
    decision: &Decision,
    manager: &str,
    now: Timestamp,
) -> Intent {
    let mut intent = next(memory, link, now);
    manager.clone_into(&mut intent.manager);
    let verb = match request {
        Request::Action { verb, id } => {
            verb.as_str().clone_into(&mut intent.action);
            id.clone_into(&mut intent.id);
            Some(*verb)
        }
        Request::Invalid { shown, .. } => {
            shown.clone_into(&mut intent.action);
            None
        }
    };
    if let Some(value) = request.remembered_as() {
        intent.handled.push(value);
        let surplus = intent.handled.len().saturating_sub(HANDLED);
        intent.handled.drain(..surplus);
    }
    match (decision, verb) {
        (Decision::Accepted, Some(verb)) => accept(&mut intent, verb, cell),
        (Decision::Accepted, None) => reject(&mut intent, "InvalidValue"),
        (Decision::Rejected(reason, _), _) => reject(&mut intent, reason),
    }
    intent
}

/// The intent of a purge by ttl.
pub fn expire(memory: &Memory, link: &str, now: Timestamp) -> Intent {
    let mut intent = next(memory, link, now);
    Verb::Purge.as_str().clone_into(&mut intent.action);
    TTL_MANAGER.clone_into(&mut intent.manager);
    accept(&mut intent, Verb::Purge, Legality::Yes);
    intent
}

/// The intent of the next request, with what it keeps of the last one.
fn next(memory: &Memory, link: &str, now: Timestamp) -> Intent {
    let last = memory.last.as_ref();
    Intent {
        seq: last.map_or(0, |l| l.seq) + 1,
        action: String::new(),
        id: String::new(),
        verdict: Verdict::Accepted,
        reason: String::new(),
        desired: last.and_then(|l| l.desired),
        desired_at: last.and_then(|l| l.desired_at.clone()),
        at: micro(now),
        since: last.and_then(|l| l.since.clone()),
        manager: String::new(),
        link: link.to_owned(),
        handled: last.map(|l| l.handled.clone()).unwrap_or_default(),
    }
}

fn accept(intent: &mut Intent, verb: Verb, cell: Legality) {
    let desired: Desired = verb.desired();
    if intent.desired != Some(desired) {
        intent.desired = Some(desired);
        intent.desired_at = Some(intent.at.clone());
    }
    if verb == Verb::Restore && cell == Legality::Yes {
        intent.since = Some(intent.at.clone());
    }
}

fn reject(intent: &mut Intent, reason: &str) {
    intent.verdict = Verdict::Rejected;
    reason.clone_into(&mut intent.reason);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::parse;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn after(memory: &Memory, value: &str, cell: Legality, now: i64) -> Memory {
        let request = parse(value).unwrap();
        let intent = take(
            memory,
            "shop/web-db",
            &request,
            cell,
            &Decision::Accepted,
            "kubectl-annotate",
            at(now),
        );
        Memory {
            last: Some(intent),
            ..Memory::default()
        }
    }

    /// lifecycle#no-op-counts
    #[test]
    fn a_no_op_counts_like_any_accepted_request() {
        let memory = after(&Memory::default(), "activate", Legality::NoOp, 7);
        assert_eq!(memory.desired(), Some(Desired::Active));
        assert_eq!(memory.desired_at(), Some(at(7)));
    }

    /// lifecycle#handled-values
    #[test]
    fn the_last_sixteen_ids_are_remembered_and_a_bare_verb_removes_none() {
        let mut memory = Memory::default();
        for n in 0..20 {
            memory = after(&memory, &format!("deactivate/{n}"), Legality::NoOp, n);
            memory = after(&memory, "activate", Legality::Yes, n);
        }
        assert!(!memory.remembers("deactivate/3"));
        assert!(memory.remembers("deactivate/4") && memory.remembers("deactivate/19"));
        assert!(
            !memory.remembers("activate/19"),
            "the same id with another verb is another request"
        );
    }

    #[test]
    fn a_rejection_is_counted_and_leaves_what_was_desired() {
        let memory = after(&Memory::default(), "deactivate", Legality::Yes, 1);
        let purge = parse("purge/x").unwrap();
        let ruling = Decision::Rejected("NotPossibleNow", String::new());
        let intent = take(&memory, "shop/web-db", &purge, Legality::No, &ruling, "", at(2));
        assert_eq!(
            (intent.seq, intent.verdict, intent.desired),
            (2, Verdict::Rejected, Some(Desired::Inactive))
        );
        assert_eq!(intent.handled, ["purge/x"]);
    }

    /// lifecycle#earliest-claim-first
    #[test]
    fn a_restore_puts_the_link_at_the_end_of_the_queue_for_its_alias() {
        let memory = after(&Memory::default(), "remove", Legality::Yes, 1);
        assert_eq!(memory.since(), None);
        let memory = after(&memory, "restore", Legality::Yes, 5);
        assert_eq!(memory.since(), Some(at(5)));
        let memory = after(&memory, "restore", Legality::NoOp, 9);
        assert_eq!(
            memory.since(),
            Some(at(5)),
            "a restore that does nothing keeps the place"
        );
    }
}
