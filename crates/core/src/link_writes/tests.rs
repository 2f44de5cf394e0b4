use jiff::SignedDuration;

use super::*;
use crate::fixture;

fn start() -> Timestamp {
    fixture::NOW.parse().unwrap()
}

fn status(message: &str) -> Effect {
    let status = InstanceLinkStatus {
        description: Some(message.to_owned()),
        ..InstanceLinkStatus::default()
    };
    Effect::WriteStatus {
        status: Box::new(status),
    }
}

/// The seconds at which these writes are sent in an hour, if each is due again at once.
fn sent(writes: &[Effect]) -> Vec<f64> {
    let (mut recent, mut now) = (LinkWrites::default(), start());
    let mut sent = Vec::new();
    while now < start() + SignedDuration::from_hours(1) {
        for effect in writes {
            if recent.held(std::slice::from_ref(effect), now).is_none() {
                recent.record(effect, now);
                sent.push(now.duration_since(start()).as_secs_f64());
            }
        }
        now += SignedDuration::from_millis(100);
    }
    sent
}

/// lifecycle#disputed-link
#[test]
fn a_write_of_the_link_that_others_undo_is_sent_once_a_minute_after_the_first() {
    for writes in [
        vec![status("a")],
        vec![Effect::AddFinalizer],
        vec![Effect::AddFinalizer, status("a")],
    ] {
        let sent = sent(&writes);
        let late: Vec<&f64> = sent.iter().filter(|at| **at > 65.0).collect();
        assert!((50..=60).contains(&late.len()), "{late:?}");
        assert!(late.windows(2).all(|pair| pair[1] - pair[0] >= 59.9), "{late:?}");
        assert!(sent.len() - late.len() <= 11 * writes.len(), "{sent:?}");
    }
}

/// lifecycle#disputed-link
#[test]
fn a_status_that_says_something_else_does_not_wait() {
    let (mut recent, now) = (LinkWrites::default(), start());
    for _ in 0..20 {
        recent.record(&status("a"), now);
    }
    assert!(recent.held(&[status("a")], now).is_some());
    assert!(recent.held(&[status("b")], now).is_none());
    recent.record(&status("b"), now);
    assert!(recent.held(&[status("a")], now).is_none());
}

/// lifecycle#disputed-link
#[test]
fn three_repetitions_are_free_and_the_writes_are_forgotten_after_two_minutes() {
    let (mut recent, now) = (LinkWrites::default(), start());
    for _ in 0..3 {
        recent.record(&status("a"), now);
        assert!(recent.held(&[status("a")], now).is_none());
    }
    recent.record(&status("a"), now);
    assert!(recent.held(&[status("a")], now).is_some());
    assert!(recent.count(now) && !recent.count(now + COUNT_FOR));
}

#[test]
fn the_times_in_a_status_are_not_what_it_says() {
    let link = fixture::link(fixture::SPEC);
    let mut first = link.status.unwrap_or_default();
    first.conditions.push(Condition {
        type_: "Ready".to_owned(),
        status: "True".to_owned(),
        reason: "Ready".to_owned(),
        message: String::new(),
        observed_generation: None,
        last_transition_time: crate::time::second(start()),
    });
    let mut later = first.clone();
    later.conditions[0].last_transition_time = crate::time::second(start() + SignedDuration::from_secs(9));
    assert_eq!(content_of_status(&first), content_of_status(&later));
    later.conditions[0].reason = "Pending".to_owned();
    assert_ne!(content_of_status(&first), content_of_status(&later));
}
