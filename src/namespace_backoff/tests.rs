use super::*;

const AFTER_FORBIDDEN: Duration = Duration::from_mins(5);

fn shop() -> Arc<str> {
    "shop".into()
}

fn forbidden() -> CallError {
    CallError::Forbidden("no".to_owned())
}

#[test]
fn a_missing_permission_is_retried_each_five_minutes_and_reported_once() {
    let (mut backoff, start) = (NamespaceBackoff::after_forbidden(AFTER_FORBIDDEN), Instant::now());
    assert!(backoff.failed(&shop(), &forbidden(), start));
    assert!(backoff.is_waiting("shop") && !backoff.is_waiting("data"));
    assert_eq!(backoff.next_retry(), Some(start + AFTER_FORBIDDEN));
    assert!(
        backoff
            .take_over(start + AFTER_FORBIDDEN - Duration::from_millis(1))
            .is_empty()
    );
    assert_eq!(backoff.take_over(start + AFTER_FORBIDDEN), [shop()]);
    assert!(!backoff.is_waiting("shop"));
    assert!(
        !backoff.failed(&shop(), &forbidden(), start + AFTER_FORBIDDEN),
        "reported already"
    );
    backoff.succeeded("shop");
    assert!(backoff.failed(&shop(), &forbidden(), start), "revoked again");
}

#[test]
fn a_transient_failure_is_retried_within_seconds() {
    let (mut backoff, start) = (NamespaceBackoff::default(), Instant::now());
    for _ in 0..10 {
        assert!(!backoff.failed(&shop(), &CallError::Transport("gone".to_owned()), start));
    }
    assert!(
        backoff
            .next_retry()
            .is_some_and(|next| next <= start + Duration::from_secs(4))
    );
}

#[test]
fn a_success_does_not_end_the_backoff_of_a_failed_write_at_the_same_time() {
    let (mut backoff, start) = (NamespaceBackoff::default(), Instant::now());
    backoff.failed(&shop(), &CallError::Transport("gone".to_owned()), start);
    backoff.succeeded("shop");
    assert_eq!(backoff.take_over(start + Duration::from_secs(1)), [shop()]);
    backoff.succeeded("shop");
    assert!(backoff.namespaces.is_empty());
}

/// lifecycle#disputed-conditions
#[test]
fn writes_that_others_undo_are_repeated_with_growing_pauses() {
    let (mut backoff, mut now) = (NamespaceBackoff::default(), Instant::now());
    let grant = ObjectName::new("shop", "grant");
    let start = now;
    let mut written = Vec::new();
    while now < start + Duration::from_mins(30) {
        backoff.wrote(&grant, 1, false, now);
        written.push(now - start);
        now = backoff.next_retry().unwrap_or(now);
        backoff.take_undone(now);
    }
    let late = written.iter().filter(|at| **at > Duration::from_mins(5));
    assert!(late.count() <= 8 && written.len() < 20, "{written:?}");
    assert!(!backoff.wrote(&grant, 2, false, now), "its owner changed it");
    assert!(!backoff.is_waiting("shop"));
}

/// lifecycle#disputed-conditions
#[test]
fn what_others_undo_delays_nothing_else_in_the_namespace() {
    let (mut backoff, now) = (NamespaceBackoff::default(), Instant::now());
    let [undone, other] = ["undone", "other"].map(|name| ObjectName::new("shop", name));
    assert!(backoff.wrote(&undone, 1, true, now));
    assert!(!backoff.is_waiting("shop") && backoff.take_over(now).is_empty());
    assert!(backoff.is_paused(&undone, 1, now) && !backoff.is_paused(&other, 1, now));
}

/// lifecycle#disputed-conditions
#[test]
fn a_namespace_in_which_others_undo_more_than_is_remembered_waits_as_a_whole() {
    let (mut backoff, now) = (NamespaceBackoff::default(), Instant::now());
    for number in 0..5000 {
        backoff.wrote(&ObjectName::new("shop", &number.to_string()), 1, true, now);
    }
    assert!(backoff.is_waiting("shop") && !backoff.is_waiting("zoo"));
}

#[test]
fn of_several_failures_at_once_the_longest_backoff_counts() {
    let (mut backoff, start) = (NamespaceBackoff::after_forbidden(AFTER_FORBIDDEN), Instant::now());
    backoff.failed(&shop(), &forbidden(), start);
    backoff.failed(&shop(), &CallError::Transport("gone".to_owned()), start);
    assert_eq!(backoff.next_retry(), Some(start + AFTER_FORBIDDEN));
}
