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
    match record.known(at(now)) {
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
    let mut record = Record::of_programmed(["192.0.2.1".parse().unwrap()].into());
    assert_eq!(known(&record, 0), Some((1, None)));
    record.take(failure(), Duration::ZERO, at(0));
    assert_eq!(known(&record, 599), Some((1, None)));
    assert_eq!(known(&record, 600), None);
    assert_eq!(known(&Record::of_programmed(BTreeSet::new()), 0), None);
}
