use instancelink_core::child::Kind;

use super::*;

fn child(name: &str) -> Key {
    Key {
        kind: Kind::Slice,
        namespace: "shop".to_owned(),
        name: name.to_owned(),
    }
}

/// lifecycle#sweep-cost
#[test]
fn the_pauses_of_a_child_that_is_gone_for_less_than_five_minutes_go_on() {
    let (mut pauses, now) = (Pauses::default(), Instant::now());
    assert_eq!(pauses.next(&child("a"), now), FIRST);
    pauses.gone(&child("a"), now);
    assert!(!pauses.contains(&child("a")));
    let later = now + LONGEST - Duration::from_secs(1);
    assert_eq!(pauses.next(&child("a"), later), 2 * FIRST);
    pauses.gone(&child("a"), later);
    assert_eq!(pauses.next(&child("a"), later + LONGEST), FIRST);
}

/// lifecycle#sweep-cost
#[test]
fn the_pauses_of_a_child_that_is_no_orphan_begin_again() {
    let (mut pauses, now) = (Pauses::default(), Instant::now());
    pauses.next(&child("a"), now);
    pauses.gone(&child("a"), now);
    pauses.end(&child("a"));
    assert_eq!(pauses.next(&child("a"), now), FIRST);
}

/// A tenant that makes strays with ever new names.
#[test]
fn what_is_remembered_of_children_that_are_gone_has_a_limit() {
    let (mut pauses, now) = (Pauses::default(), Instant::now());
    pauses.next(&child("again"), now);
    pauses.next(&child("again"), now);
    pauses.gone(&child("again"), now);
    for number in 0..2 * MAX_GONE {
        let stray = child(&number.to_string());
        pauses.next(&stray, now);
        pauses.gone(&stray, now);
    }
    assert_eq!((pauses.gone.len(), pauses.len()), (MAX_GONE, 0));
    assert_eq!(pauses.next(&child("again"), now), 4 * FIRST, "it came back most often");
}
