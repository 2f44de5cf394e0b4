use super::*;
use crate::child::Kind;
use crate::fixture;

fn written(times: u32, altered: bool) -> Written {
    Written {
        asked: Asked {
            state: State::Active,
            wish: (1, 1),
        },
        uid: "uid".to_owned(),
        left: Some("1".to_owned()),
        altered,
        alteration: None,
        times,
        edits: times,
        deleted: false,
        unseen: None,
        at: fixture::NOW.parse().unwrap(),
    }
}

fn pause(times: u32, altered: bool) -> Option<i64> {
    let written = written(times, altered);
    let until = written.until()?;
    i64::try_from(until.duration_since(written.at).as_millis()).ok()
}

#[test]
fn what_admission_alters_waits_from_the_first_time_and_at_most_a_minute() {
    let pauses: Vec<i64> = (0..8).filter_map(|times| pause(times, true)).collect();
    assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 60_000, 60_000]);
    let before_the_longest: i64 = pauses.iter().take(6).sum();
    assert!(before_the_longest < 60_000, "the rest is slow after a minute");
    assert_eq!(pause(u32::MAX, true), Some(60_000));
}

#[test]
fn the_first_three_repairs_of_an_edit_do_not_wait() {
    let pauses: Vec<Option<i64>> = (0..5).map(|times| pause(times, false)).collect();
    assert_eq!(pauses, [None, None, None, Some(500), Some(1000)]);
}

#[test]
fn writes_are_forgotten_after_two_minutes_without_another() {
    let key = fixture::key(Kind::Slice, "web-db-v4");
    let all = BTreeMap::from([(key, written(9, false))]);
    let at = |seconds: i64| written(0, false).at + SignedDuration::from_secs(seconds);
    assert!(Disputes::is_remembered(all.values(), at(119)));
    assert_eq!(Disputes::recalled(all.clone(), at(119)).written(), &all);
    assert!(Disputes::recalled(all.clone(), at(120)).written().is_empty());
    assert!(!Disputes::is_remembered(all.values(), at(120)));
}

#[test]
fn a_link_wakes_at_the_end_of_the_next_pause() {
    let key = fixture::key(Kind::Slice, "web-db-v4");
    let now: Timestamp = fixture::NOW.parse().unwrap();
    let wake = |one: Written| Disputes::recalled(BTreeMap::from([(key.clone(), one)]), now).wake(now);
    assert_eq!(wake(written(0, false)), None);
    assert_eq!(wake(written(0, true)), Some(now + SignedDuration::from_millis(500)));
    assert_eq!(wake(written(20, false)), Some(now + LONGEST));
}
