use super::*;

fn name(object: &str) -> ObjectName {
    ObjectName::new("shop", object)
}

fn repeats(writes: &[(&str, i64, u64)]) -> Vec<bool> {
    let (mut undone, start) = (UndoneWrites::default(), Instant::now());
    let of = |(object, content, minute): &(&str, i64, u64)| {
        let now = start + Duration::from_mins(*minute);
        undone.wrote(&name(object), *content, false, now) == Write::Repeated
    };
    writes.iter().map(of).collect()
}

/// lifecycle#disputed-conditions
#[test]
fn the_same_content_for_the_same_object_within_ten_minutes_is_a_repetition() {
    assert_eq!(repeats(&[("a", 1, 0), ("a", 1, 9), ("a", 1, 18)]), [false, true, true]);
    assert_eq!(repeats(&[("a", 1, 0), ("b", 1, 0), ("a", 1, 10)]), [false; 3]);
}

/// lifecycle#disputed-conditions
#[test]
fn another_content_in_between_is_a_change_that_was_asked_for() {
    assert_eq!(repeats(&[("a", 1, 0), ("a", 2, 0), ("a", 1, 0)]), [false; 3]);
}

/// lifecycle#disputed-conditions
#[test]
fn only_the_same_content_of_the_same_object_waits() {
    let (mut undone, now) = (UndoneWrites::default(), Instant::now());
    undone.wrote(&name("a"), 1, false, now);
    assert!(!undone.is_paused(&name("a"), 1, now));
    undone.wrote(&name("a"), 1, false, now);
    assert!(undone.is_paused(&name("a"), 1, now));
    assert!(!undone.is_paused(&name("a"), 2, now), "its verdict changed");
    assert!(!undone.is_paused(&name("b"), 1, now));
    let end = undone.next_retry().unwrap();
    assert_eq!(undone.take_over(end), [name("a")]);
    assert!(!undone.is_paused(&name("a"), 1, end));
    assert_eq!((undone.next_retry(), undone.take_over(end)), (None, Vec::new()), "once");
}

/// lifecycle#disputed-conditions
#[test]
fn what_the_answer_shows_undone_waits_after_the_first_write() {
    let (mut undone, now) = (UndoneWrites::default(), Instant::now());
    assert_eq!(undone.wrote(&name("a"), 1, true, now), Write::Repeated);
    assert!(undone.is_paused(&name("a"), 1, now));
}

/// Writes in the second half of an hour in which all writes of these objects are undone at once.
fn writes_of(objects: usize) -> usize {
    let (mut undone, start) = (UndoneWrites::default(), Instant::now());
    let names: Vec<ObjectName> = (0..objects).map(|number| name(&number.to_string())).collect();
    let (mut due, mut now, mut late) = (names, start, 0);
    while now < start + Duration::from_hours(1) {
        for object in &due {
            late += usize::from(now > start + Duration::from_mins(30));
            undone.wrote(object, 1, true, now);
        }
        now = undone.next_retry().unwrap();
        due = undone.take_over(now);
    }
    late
}

/// lifecycle#disputed-conditions
#[test]
fn many_objects_whose_writes_are_undone_share_what_sixteen_cost() {
    assert!((5..=8).contains(&writes_of(1)), "{}", writes_of(1));
    let of_many = [16, 64, 128].map(writes_of);
    assert!(of_many.iter().all(|writes| *writes < 5 * 30), "{of_many:?}");
}

/// lifecycle#disputed-conditions
#[test]
fn each_of_a_thousand_objects_whose_writes_are_undone_costs_two_writes_an_hour() {
    for objects in [256, OF_NAMESPACE] {
        let in_half_an_hour = writes_of(objects);
        assert!(
            in_half_an_hour < objects + objects / 5,
            "{in_half_an_hour} of {objects}"
        );
    }
}

/// A tenant that makes objects with ever new names, and undoes what is written to some of them.
#[test]
fn the_writes_of_a_namespace_that_are_remembered_have_a_limit() {
    let (mut undone, now) = (UndoneWrites::default(), Instant::now());
    let kept = |undone: &UndoneWrites| undone.namespaces["shop"].len();
    undone.wrote(&name("undone"), 1, true, now);
    for number in 0..3 * OF_NAMESPACE {
        let written = undone.wrote(&name(&number.to_string()), 1, false, now);
        assert_eq!(written, Write::New);
    }
    assert_eq!(kept(&undone), OF_NAMESPACE);
    assert!(undone.is_paused(&name("undone"), 1, now), "a pause is not forgotten");
    let mut too_many = 0;
    for number in 0..3 * OF_NAMESPACE {
        let written = undone.wrote(&name(&format!("more-{number}")), 1, true, now);
        too_many += usize::from(written == Write::TooMany);
    }
    assert_eq!((kept(&undone), undone.timers.len()), (OF_NAMESPACE, OF_NAMESPACE));
    assert_eq!(too_many, 2 * OF_NAMESPACE + 1);
    assert_eq!(undone.wrote(&ObjectName::new("zoo", "a"), 1, false, now), Write::New);
    undone.take_over(now + Duration::from_hours(3));
    assert!(undone.namespaces.is_empty());
}
