//! Tests of the order in which children are judged.

use instancelink_core::child::Kind;

use super::*;

fn keys(kind: Kind, namespace: &str, count: usize) -> impl Iterator<Item = Key> {
    (0..count).map(move |number| Key {
        kind,
        namespace: namespace.to_owned(),
        name: format!("{number:05}"),
    })
}

fn portions_of(keys: impl IntoIterator<Item = Key>) -> Vec<Portion> {
    let mut backlog = Backlog::default();
    backlog.add(keys);
    std::iter::from_fn(|| backlog.next()).collect()
}

#[test]
fn many_orphans_of_one_namespace_do_not_come_before_those_of_another() {
    let all = keys(Kind::Policy, "a", 1000).chain(keys(Kind::Slice, "z", 2));
    let portions = portions_of(all);
    let first: Vec<&str> = portions[0].keys.iter().map(|key| key.namespace.as_str()).collect();
    assert_eq!(first[..4], ["a", "z", "a", "z"]);
    assert_eq!(portions.iter().map(|portion| portion.keys.len()).sum::<usize>(), 1002);
    let shared = keys(Kind::Directory, "a", 1000).chain(keys(Kind::Environment, "z", 2));
    let portions = portions_of(shared);
    assert_eq!(portions[1].keys[0].namespace, "z");
    let is_of_one = |portion: &Portion| {
        portion
            .keys
            .iter()
            .all(|key| key.namespace == portion.keys[0].namespace)
    };
    assert!(portions.iter().all(|portion| portion.is_shared && is_of_one(portion)));
}

/// lifecycle#sweep-cost
#[test]
fn orphans_that_are_found_during_a_long_scan_take_their_turn_before_its_rest() {
    let mut backlog = Backlog::default();
    backlog.add(keys(Kind::Directory, "a", 5000).chain(keys(Kind::Slice, "a", 5000)));
    let kinds: Vec<bool> = (0..4).filter_map(|_| backlog.next()).map(|p| p.is_shared).collect();
    assert_eq!(kinds, [true, false, true, false], "neither sort waits for the other");
    // What is added again and again for one namespace does not put off another one.
    for _ in 0..3 {
        backlog.add(keys(Kind::Directory, "a", 5000).chain(keys(Kind::Slice, "a", 5000)));
    }
    backlog.add(keys(Kind::Directory, "z", 1).chain(keys(Kind::Slice, "z", 1)));
    let next: Vec<Portion> = (0..4).filter_map(|_| backlog.next()).collect();
    let of_z = next
        .iter()
        .flat_map(|portion| &portion.keys)
        .filter(|key| key.namespace == "z");
    assert_eq!(of_z.count(), 2);
    let rest: Vec<Portion> = std::iter::from_fn(|| backlog.next()).collect();
    assert!(
        backlog.is_empty()
            && rest
                .iter()
                .all(|portion| portion.keys.iter().all(|key| key.namespace == "a"))
    );
}
