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
        unwatched: None,
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

/// A tenant that keeps a link writing, and lets it delete forged objects with ever new names.
#[test]
fn of_writes_that_no_longer_count_only_those_of_disputed_children_are_remembered() {
    let start = written(0, false).at;
    let later = start + SignedDuration::from_mins(3);
    let key = |name: &str| fixture::key(Kind::Environment, name);
    let last = Written {
        at: later,
        ..written(0, false)
    };
    let all = BTreeMap::from([
        (key("x1-links"), written(0, false)),
        (key("edited-links"), written(1, false)),
        (key("altered-links"), written(0, true)),
        (key("web-links"), last),
    ]);
    let kept = Disputes::recalled(all, later);
    let kept: Vec<&str> = kept.written().keys().map(|key| key.name.as_str()).collect();
    assert_eq!(kept, ["altered-links", "edited-links", "web-links"]);
}

/// The same tenant, faster.
#[test]
fn the_writes_of_a_link_that_are_remembered_have_a_limit() {
    let mut disputes = Disputes::default();
    let key = |name: &str| fixture::key(Kind::Environment, name);
    disputes.remember(key("web-links"), written(3, false));
    for number in 0..3 * MOST {
        let at = written(0, false).at + SignedDuration::from_millis(i64::try_from(number).unwrap());
        disputes.remember(
            key(&format!("x{number}-links")),
            Written {
                at,
                ..written(0, false)
            },
        );
    }
    assert_eq!(disputes.written().len(), MOST);
    assert!(disputes.written().contains_key(&key("web-links")), "it is disputed");
    assert!(
        disputes
            .written()
            .contains_key(&key(&format!("x{}-links", 3 * MOST - 1)))
    );
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
