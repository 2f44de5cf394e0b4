use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn answer(address: &str) -> Answer {
    Answer::Addresses([address.parse().unwrap()].into())
}

fn failure() -> Answer {
    Answer::NoAnswer("did not answer in time")
}

/// The number of addresses that count, and since when the DNS is shown as failing.
fn known(record: &Record, now: i64) -> Option<(usize, Option<i64>)> {
    known_with(record, None, now)
}

fn known_with(record: &Record, programmed: Option<&str>, now: i64) -> Option<(usize, Option<i64>)> {
    let programmed = programmed.map(|address| Arc::new([address.parse().unwrap()].into()));
    match record.known(programmed.as_ref(), at(now)) {
        ExternalName::Known { addresses, failing } => {
            Some((addresses.len(), failing.map(|failing| failing.since.as_second())))
        }
        ExternalName::Pending | ExternalName::TooMany => None,
    }
}

/// contract#external-names
#[test]
fn the_time_to_live_of_an_answer_is_in_limits() {
    let wait = |ttl| {
        Record::default()
            .take(answer("192.0.2.1"), Duration::from_secs(ttl), at(0))
            .as_secs()
    };
    assert_eq!([0, 4, 60, 300, 86_400].map(wait), [5, 5, 60, 300, 300]);
}

/// contract#external-names
#[test]
fn the_last_answer_counts_for_ten_minutes_while_the_dns_fails_and_that_is_shown() {
    let mut record = Record::default();
    assert_eq!(known(&record, 0), None);
    record.take(answer("192.0.2.1"), SHORTEST, at(0));
    let mut now = 100;
    let mut waits = Vec::new();
    while now < 700 {
        let wait = record.take(failure(), Duration::ZERO, at(now)).as_secs();
        waits.push(wait);
        let shown = (waits.len() >= SHOWN).then_some(100);
        assert_eq!(known(&record, now), Some((1, shown)), "at {now}");
        now += i64::try_from(wait).unwrap();
    }
    assert_eq!(waits[..6], [1, 2, 5, 10, 30, 30]);
    assert_eq!(now, 700, "the last answer ends at its time");
    record.take(failure(), Duration::ZERO, at(now));
    assert_eq!(known(&record, now), Some((0, Some(100))));
    record.take(answer("192.0.2.2"), SHORTEST, at(800));
    assert_eq!(known(&record, 800), Some((1, None)));
}

/// contract#external-names
#[test]
fn a_name_that_was_never_answered_is_awaited_until_the_failure_is_no_lost_packet() {
    let mut record = Record::default();
    for (failures, expected) in [(1, None), (2, None), (3, Some((0, Some(0))))] {
        record.take(failure(), Duration::ZERO, at(0));
        assert_eq!(known(&record, failures), expected);
    }
}

/// contract#external-names
#[test]
fn a_name_that_does_not_exist_has_no_address_at_once() {
    let mut record = Record::default();
    record.take(answer("192.0.2.1"), SHORTEST, at(0));
    record.take(Answer::NoSuchName, SHORTEST, at(5));
    assert_eq!(known(&record, 5), Some((0, None)));
}

/// contract#external-names
#[test]
fn what_a_former_operator_programmed_counts_as_the_last_answer() {
    let mut record = Record::default();
    let known_to = |record: &Record, now| known_with(record, Some("192.0.2.1"), now);
    assert_eq!(known_to(&record, 0), Some((1, None)));
    record.take(failure(), Duration::ZERO, at(0));
    assert_eq!(known_to(&record, 599), Some((1, None)));
    assert_eq!(known_to(&record, 600), None);
    assert_eq!(known(&record, 0), None, "other links have no answer");
    let none = Arc::new(BTreeSet::new());
    assert_eq!(record.known(Some(&none), at(0)), ExternalName::Pending);
    record.take(Answer::NoSuchName, SHORTEST, at(1));
    assert_eq!(
        known_to(&record, 1),
        Some((0, None)),
        "a name that does not exist is an answer"
    );
}

/// contract#external-names
#[test]
fn answers_that_change_again_and_again_count_once_a_minute_and_a_failover_at_once() {
    let mut record = Record::default();
    let addresses = ["192.0.2.1", "192.0.2.2"];
    let counts = |record: &Record, address: &str, now| {
        let expected = Arc::new([address.parse().unwrap()].into());
        record.known(None, at(now))
            == ExternalName::Known {
                addresses: expected,
                failing: None,
            }
    };
    for (number, now) in (0..6_usize).zip((0..).step_by(5)) {
        record.take(answer(addresses[number % 2]), SHORTEST, at(now));
        assert!(counts(&record, addresses[number % 2], now), "change {number}");
    }
    assert_eq!(record.take(answer(addresses[0]), LONGEST, at(30)).as_secs(), 35);
    assert!(counts(&record, addresses[1], 30), "the last one counts on");
    record.take(answer(addresses[0]), SHORTEST, at(65));
    assert!(counts(&record, addresses[0], 65));
    record.take(Answer::NoSuchName, SHORTEST, at(70));
    assert!(counts(&record, addresses[0], 70), "that a name ends is a change, too");
    record.take(answer(addresses[1]), SHORTEST, at(1000));
    assert!(
        counts(&record, addresses[1], 1000),
        "after a quiet time, changes count at once again"
    );
}

/// contract#external-names
#[test]
fn the_first_addresses_of_a_name_never_wait() {
    let mut record = Record::default();
    for now in 0..20 {
        record.take(Answer::NoSuchName, SHORTEST, at(now));
        record.take(answer("192.0.2.1"), SHORTEST, at(now));
        assert_eq!(known(&record, now), Some((1, None)));
    }
}

/// contract#external-names
#[test]
fn a_dns_that_fails_again_and_again_is_shown_or_right_again_once_a_minute() {
    let mut record = Record::default();
    record.take(answer("192.0.2.1"), SHORTEST, at(0));
    let mut shown = 0;
    for now in (0..600_i64).step_by(10) {
        for failure_at in now..now + 3 {
            record.take(failure(), Duration::ZERO, at(failure_at));
        }
        shown += usize::from(known(&record, now + 3) != Some((1, None)));
        record.take(answer("192.0.2.1"), SHORTEST, at(now + 4));
        assert_eq!(known(&record, now + 4), Some((1, None)));
    }
    assert!((6..=8).contains(&shown), "{shown} in ten minutes");
}

/// What is known changes so often in half an hour of these answers, after the first five minutes.
fn changes(answers: &[Answer]) -> usize {
    let (mut record, mut last, mut changes) = (Record::default(), None, 0);
    for (second, next) in (0..2100).step_by(5).zip(answers.iter().cycle()) {
        record.take(next.clone(), SHORTEST, at(second));
        let now = record.known(None, at(second));
        changes += usize::from(second >= 300 && last.as_ref() != Some(&now));
        last = Some(now);
    }
    changes
}

/// contract#external-names
#[test]
fn whatever_the_dns_answers_in_turn_a_name_changes_once_a_minute() {
    let failures = [failure(), failure(), failure(), failure()];
    let other_failure = Answer::NoAnswer("answered with a failure");
    for answers in [
        vec![answer("192.0.2.1"), answer("192.0.2.2")],
        vec![answer("192.0.2.1"), Answer::NoSuchName],
        [&[answer("192.0.2.1")], &failures[..]].concat(),
        [&[answer("192.0.2.1"), answer("192.0.2.2")], &failures[..]].concat(),
    ] {
        let count = changes(&answers);
        assert!((25..=32).contains(&count), "{count}: {answers:?}");
    }
    let either_failure = [failure(), other_failure];
    assert_eq!(changes(&either_failure), 0, "the first reason stays");
}
