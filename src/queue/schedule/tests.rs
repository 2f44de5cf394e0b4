use super::*;

fn key(name: &str) -> LinkKey {
    LinkKey::new("shop", name)
}

/// The source is the part before the dash.
fn source(key: &LinkKey) -> Option<SourceKey> {
    let (source, _) = key.name.split_once('-')?;
    Some((key.namespace.clone(), source.to_owned()))
}

struct Run {
    schedule: Schedule,
    now: Instant,
}

impl Run {
    fn new() -> Self {
        Self {
            schedule: Schedule::default(),
            now: Instant::now(),
        }
    }

    fn add(&mut self, name: &str) {
        self.schedule.add(&key(name), Cause::Change, self.now);
    }

    fn pop(&mut self) -> Option<Turn> {
        self.schedule.pop(self.now, source)
    }

    fn popped(&mut self) -> String {
        self.pop().map(|turn| turn.key.name.to_string()).unwrap_or_default()
    }

    fn after(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self
    }
}

#[test]
fn a_link_that_changes_twice_gets_one_turn() {
    let mut run = Run::new();
    run.add("a");
    run.add("a");
    assert_eq!((run.popped().as_str(), run.popped().as_str()), ("a", ""));
}

#[test]
fn a_link_that_changes_during_its_pass_gets_another_one_after_it() {
    let mut run = Run::new();
    run.add("a");
    let turn = run.pop().unwrap();
    run.add("a");
    assert!(run.pop().is_none());
    run.schedule.finish(&turn, Ending::Settled(None), run.now);
    assert_eq!(run.popped(), "a");
}

#[test]
fn a_namespace_with_many_links_delays_the_others_by_one_turn_each() {
    let mut run = Run::new();
    for name in ["a", "b", "c", "d"] {
        run.add(name);
    }
    for (namespace, name) in [("data", "x"), ("data", "y"), ("mail", "z")] {
        let key = LinkKey::new(namespace, name);
        run.schedule.add(&key, Cause::Change, run.now);
    }
    let order: Vec<String> = std::iter::from_fn(|| run.pop())
        .map(|turn| turn.key.name.to_string())
        .collect();
    assert_eq!(order, ["a", "x", "z", "b", "y", "c", "d"]);
    assert_eq!(run.schedule.waiting(), 0);
}

#[test]
fn links_of_one_source_take_turns_in_order_and_do_not_delay_others() {
    let mut run = Run::new();
    for name in ["web-1", "web-2", "api-1"] {
        run.add(name);
    }
    let first = run.pop().unwrap();
    assert_eq!(first.key, key("web-1"));
    assert_eq!((run.popped().as_str(), run.popped().as_str()), ("api-1", ""));
    run.add("db-1");
    run.schedule.finish(&first, Ending::Settled(None), run.now);
    assert_eq!((run.popped().as_str(), run.popped().as_str()), ("web-2", "db-1"));
}

/// Each link yields if it may. The names are in the order of the turns; a turn in which a link did not yield is in capitals.
fn with_yielding(run: &mut Run) -> Vec<String> {
    let mut order = Vec::new();
    while let Some(turn) = run.pop() {
        let name = turn.key.name.to_string();
        let yields = run.schedule.may_yield(&turn);
        order.push(if yields { name } else { name.to_uppercase() });
        let ending = if yields { Ending::Yielded } else { Ending::Settled(None) };
        run.schedule.finish(&turn, ending, run.now);
    }
    order
}

#[test]
fn a_link_yields_to_others_of_its_source_once_and_then_has_its_turn() {
    let mut run = Run::new();
    for name in ["web-1", "web-2", "web-3", "api-1"] {
        run.add(name);
    }
    let order = with_yielding(&mut run);
    assert_eq!(order, ["web-1", "web-2", "WEB-3", "WEB-1", "WEB-2", "API-1"]);
    assert!(run.schedule.due.is_empty());
}

#[test]
fn a_link_of_a_large_source_does_not_wait_for_all_others_of_it() {
    let mut run = Run::new();
    for n in 0..1_000 {
        run.add(&format!("web-{n}"));
    }
    let order = with_yielding(&mut run);
    assert_eq!(order.iter().position(|name| name == "WEB-0"), Some(32));
    let turns = order.iter().filter(|name| name.starts_with("web")).count();
    assert_eq!((turns, order.len()), (999, 1_999));
}

#[test]
fn a_link_that_yielded_does_not_wait_for_turns_without_a_shared_write() {
    let mut run = Run::new();
    run.add("web-1");
    run.add("web-2");
    let first = run.pop().unwrap();
    run.schedule.finish(&first, Ending::Yielded, run.now);
    let mut order = Vec::new();
    // The descriptions of two links are edited again and again, so one of them is always due. Descriptions are not shared.
    for edited in ["web-3", "web-2", "web-3", "web-2"] {
        let turn = run.pop().unwrap();
        run.add(edited);
        order.push(turn.key.name.to_string());
        run.schedule.finish(&turn, Ending::Settled(None), run.now);
    }
    assert_eq!(order, ["web-2", "web-1", "web-3", "web-2"]);
}

#[test]
fn a_source_whose_links_are_due_again_and_again_does_not_keep_the_others_waiting() {
    let mut run = Run::new();
    for name in ["web-1", "web-2", "db-1"] {
        run.add(name);
    }
    let mut turns = 0;
    while let Some(turn) = run.pop().filter(|turn| &*turn.key.name != "db-1") {
        run.add(&turn.key.name);
        run.schedule.finish(&turn, Ending::Settled(None), run.now);
        turns += 1;
        assert!(turns < 1_000, "db-1 has no turn");
    }
    assert_eq!(turns, 32);
}

#[test]
fn the_memory_of_a_large_queue_is_given_back() {
    let mut run = Run::new();
    for n in 0..1_000 {
        run.add(&format!("web-{n}"));
    }
    assert!(run.schedule.entries.capacity() >= 1_000);
    assert_eq!(with_yielding(&mut run).len(), 1_999);
    assert!(run.schedule.entries.capacity() < 128);
}

#[test]
fn a_turn_says_whether_other_links_yielded_to_it() {
    let mut run = Run::new();
    run.add("web-1");
    run.add("web-2");
    let first = run.pop().unwrap();
    assert!(!first.yielded && !first.others_yielded);
    run.schedule.finish(&first, Ending::Yielded, run.now);
    let second = run.pop().unwrap();
    assert!(!second.yielded && second.others_yielded);
    run.schedule.finish(&second, Ending::Failed(None), run.now);
    let first = run.pop().unwrap();
    assert!(first.yielded && !first.others_yielded);
}

#[test]
fn a_locked_source_waits_until_it_is_unlocked() {
    let mut run = Run::new();
    let web = source(&key("web-1")).unwrap();
    assert!(run.schedule.lock_source(&web) && !run.schedule.lock_source(&web));
    run.add("web-1");
    assert!(run.pop().is_none());
    run.schedule.unlock_source(&web);
    assert_eq!(run.popped(), "web-1");
}

#[test]
fn a_settled_link_has_its_next_turn_at_its_time_and_not_before() {
    let mut run = Run::new();
    run.add("a");
    let turn = run.pop().unwrap();
    run.schedule
        .finish(&turn, Ending::Settled(Some(Duration::from_secs(5))), run.now);
    assert!(run.after(4_999).pop().is_none());
    assert_eq!(run.after(1).popped(), "a");
}

#[test]
fn a_change_brings_a_turn_before_its_time_and_removes_the_timer() {
    let mut run = Run::new();
    run.add("a");
    let turn = run.pop().unwrap();
    run.schedule
        .finish(&turn, Ending::Settled(Some(Duration::from_secs(5))), run.now);
    run.after(100).add("a");
    let turn = run.pop().unwrap();
    run.schedule.finish(&turn, Ending::Settled(None), run.now);
    assert!(run.after(10_000).pop().is_none());
    assert!(run.schedule.entries.is_empty() && run.schedule.timers.is_empty());
}

#[test]
fn retries_after_refusals_slow_down_until_a_change_comes() {
    let mut run = Run::new();
    run.add("a");
    let mut waits = Vec::new();
    for _ in 0..4 {
        let turn = run.pop().unwrap();
        run.schedule.finish(&turn, Ending::Refused(None), run.now);
        let wait = run.schedule.next_timer().unwrap() - run.now;
        waits.push(wait);
        run.now += wait;
    }
    assert!(waits.windows(2).all(|w| w[0] < w[1]), "{waits:?}");
    let turn = run.pop().unwrap();
    run.add("a");
    run.schedule.finish(&turn, Ending::Refused(None), run.now);
    let turn = run.pop().expect("the change came during the pass");
    run.schedule.finish(&turn, Ending::Refused(None), run.now);
    assert!(run.schedule.next_timer().unwrap() - run.now <= Duration::from_secs(1));
}

/// lifecycle#retries
#[test]
fn a_link_that_waits_for_what_gives_no_event_tries_again_within_eight_seconds_and_counts_its_tries() {
    let mut run = Run::new();
    run.add("a");
    for times in 0..20 {
        let turn = run.pop().unwrap();
        assert_eq!(turn.refusals, times);
        run.schedule.finish(&turn, Ending::RefusedUnseen(None), run.now);
        let wait = run.schedule.next_timer().unwrap() - run.now;
        assert!(wait <= Duration::from_secs(8), "{wait:?}");
        run.now += wait;
    }
    let turn = run.pop().unwrap();
    run.add("a");
    run.schedule.finish(&turn, Ending::RefusedUnseen(None), run.now);
    assert_eq!(run.pop().unwrap().refusals, 1, "a change came during the pass");
}

/// lifecycle#retries
#[test]
fn a_link_that_goes_on_wakes_two_others_that_wait_in_its_namespace() {
    let mut run = Run::new();
    let names: Vec<String> = (0..40).map(|n| format!("l{n:02}")).collect();
    for name in &names {
        run.add(name);
    }
    for _ in &names {
        let turn = run.pop().unwrap();
        run.schedule.finish(&turn, Ending::RefusedUnseen(None), run.now);
    }
    assert!(run.pop().is_none());
    run.add("l00");
    let mut went_on = 0;
    while let Some(turn) = run.pop() {
        run.schedule.finish(&turn, Ending::Settled(None), run.now);
        went_on += 1;
    }
    assert_eq!(went_on, names.len(), "all of them without a pause");
    for name in &names[..3] {
        run.add(name);
        let turn = run.pop().unwrap();
        run.schedule.finish(&turn, Ending::RefusedUnseen(None), run.now);
    }
    run.add("l00");
    let mut tried = 0;
    while let Some(turn) = run.pop() {
        let ending = if tried == 0 {
            Ending::Settled(None)
        } else {
            Ending::RefusedUnseen(None)
        };
        run.schedule.finish(&turn, ending, run.now);
        tried += 1;
    }
    assert_eq!(tried, 3, "those that cannot go on wake no others");
    assert!(run.after(700_000).pop().is_some());
}

#[test]
fn no_turn_comes_before_the_retry_after_of_the_api_server() {
    let mut run = Run::new();
    run.add("a");
    let turn = run.pop().unwrap();
    run.schedule
        .finish(&turn, Ending::Failed(Some(Duration::from_secs(7))), run.now);
    run.after(1).add("a");
    assert!(run.after(6_998).pop().is_none());
    assert_eq!(run.after(1).popped(), "a");
}

#[test]
fn after_a_conflict_the_newer_version_brings_a_turn_at_once() {
    let mut run = Run::new();
    run.add("a");
    let turn = run.pop().unwrap();
    run.schedule.finish(&turn, Ending::Conflict, run.now);
    assert!(run.pop().is_none());
    run.add("a");
    assert_eq!(run.popped(), "a");
}

#[test]
fn a_link_that_is_gone_is_forgotten() {
    let mut run = Run::new();
    run.add("a");
    let turn = run.pop().unwrap();
    run.schedule.finish(&turn, Ending::Failed(None), run.now);
    let turn = run.after(600).pop().unwrap();
    run.schedule.finish(&turn, Ending::Gone, run.now);
    assert!(run.schedule.entries.is_empty() && run.schedule.timers.is_empty() && run.schedule.due.is_empty());
}

#[test]
fn the_first_change_of_an_endpoint_is_what_propagation_counts_from() {
    let mut run = Run::new();
    let first = run.now;
    run.schedule.add(&key("a"), Cause::Endpoints, run.now);
    run.after(50)
        .schedule
        .add(&key("a"), Cause::Endpoints, first + Duration::from_millis(50));
    assert_eq!(run.pop().unwrap().endpoints_since, Some(first));
}
