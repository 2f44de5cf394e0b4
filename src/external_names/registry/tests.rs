use std::sync::Arc;
use std::time::Duration;

use instancelink_core::verify::Answer;

use super::*;

const NAME: &str = "pg.example.com";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn link(namespace: &str, name: &str) -> LinkKey {
    LinkKey::new(namespace, name)
}

fn wanted(names: &[&str]) -> BTreeMap<String, BTreeSet<IpAddr>> {
    names.iter().map(|name| ((*name).to_owned(), BTreeSet::new())).collect()
}

fn answer(address: &str, ttl: u64) -> Found {
    Found {
        answer: Answer::Addresses([address.parse().unwrap()].into()),
        ttl: Duration::from_secs(ttl),
    }
}

fn known(address: &str) -> ExternalName {
    ExternalName::Known {
        addresses: Arc::new([address.parse().unwrap()].into()),
        failing: None,
    }
}

/// The link leads to the name, and its slices have this address of it.
fn programmed(address: &str) -> BTreeMap<String, BTreeSet<IpAddr>> {
    [(NAME.to_owned(), [address.parse().unwrap()].into())].into()
}

fn failure() -> Found {
    Found {
        answer: Answer::NoAnswer("did not answer in time"),
        ttl: Duration::ZERO,
    }
}

/// The addresses that count for a link; none before the first answer.
fn counted(registry: &mut Registry, link: &LinkKey, now: i64) -> Option<Vec<String>> {
    let known = registry.want(link, wanted(&[NAME]), Instant::now(), at(now)).0;
    match &known[NAME] {
        ExternalName::Known { addresses, .. } => Some(addresses.iter().map(ToString::to_string).collect()),
        ExternalName::Pending | ExternalName::TooMany => None,
    }
}

/// contract#external-names
#[test]
fn after_a_restart_each_link_keeps_its_own_addresses_for_ten_minutes_whichever_has_its_turn_first() {
    let (mut registry, start) = (Registry::default(), Instant::now());
    let (new, b, c) = (link("shop", "a-new"), link("shop", "b"), link("data", "c"));
    assert_eq!(
        registry.want(&new, wanted(&[NAME]), start, at(0)).0[NAME],
        ExternalName::Pending
    );
    for (link, address) in [(&b, "192.0.2.1"), (&c, "192.0.2.2")] {
        let first = registry.want(link, programmed(address), start, at(0)).0;
        assert_eq!(first[NAME], known(address), "{link}");
    }
    for second in 0..3 {
        registry.record(NAME, failure(), start, at(second));
    }
    assert_eq!(
        counted(&mut registry, &new, 3),
        Some(vec![]),
        "it has no address, and says why"
    );
    for now in [3, 599] {
        assert_eq!(
            counted(&mut registry, &b, now),
            Some(vec!["192.0.2.1".to_owned()]),
            "at {now}"
        );
        assert_eq!(
            counted(&mut registry, &c, now),
            Some(vec!["192.0.2.2".to_owned()]),
            "at {now}"
        );
    }
    assert_eq!(registry.record(NAME, failure(), start, at(600)), [c.clone(), b.clone()]);
    for link in [&new, &b, &c] {
        assert_eq!(counted(&mut registry, link, 600), Some(vec![]), "{link}");
    }
    registry.record(NAME, answer("192.0.2.3", 60), start, at(610));
    for link in [&new, &b, &c] {
        assert_eq!(
            counted(&mut registry, link, 610),
            Some(vec!["192.0.2.3".to_owned()]),
            "{link}"
        );
    }
}

/// contract#external-names
#[test]
fn the_addresses_of_a_link_never_count_for_another_link() {
    let (mut registry, now) = (Registry::default(), Instant::now());
    let (of_a, of_b) = (link("alice", "web-db"), link("bob", "web-db"));
    registry.want(&of_a, programmed("10.96.0.66"), now, at(0));
    assert_eq!(counted(&mut registry, &of_b, 0), None);
    assert!(registry.record(NAME, failure(), now, at(0)).is_empty());
    assert_eq!(counted(&mut registry, &of_b, 1), None);
    let concerned = registry.record(NAME, answer("192.0.2.1", 60), now, at(1));
    assert_eq!(concerned, [of_a, of_b], "an answer of the DNS counts for both");
}

/// contract#external-names
#[test]
fn the_cluster_ip_of_a_service_that_becomes_an_external_name_is_no_answer() {
    let (mut registry, now) = (Registry::default(), Instant::now());
    let a = link("alice", "web-db");
    registry.want(&a, BTreeMap::new(), now, at(0));
    let edited = registry.want(&a, programmed("10.96.0.66"), now, at(1)).0;
    assert_eq!(edited[NAME], ExternalName::Pending);
    assert_eq!(counted(&mut registry, &a, 2), None);
    registry.forget(&a);
    assert!(registry.seen.is_empty(), "nothing is kept of a link that is gone");
}

/// contract#external-names
#[test]
fn links_have_a_turn_when_the_last_answer_ends() {
    let (mut registry, start) = (Registry::default(), Instant::now());
    let a = link("shop", "a");
    registry.want(&a, wanted(&[NAME]), start, at(0));
    registry.record(NAME, answer("192.0.2.1", 60), start, at(0));
    for second in 60..63 {
        registry.record(NAME, failure(), start, at(second));
    }
    assert!(registry.record(NAME, failure(), start, at(659)).is_empty());
    assert_eq!(registry.record(NAME, failure(), start, at(660)), [a]);
}

/// contract#external-names
#[test]
fn a_name_whose_answers_rotate_changes_its_links_once_a_minute() {
    let (mut registry, start) = (Registry::default(), Instant::now());
    let a = link("shop", "a");
    registry.want(&a, wanted(&[NAME]), start, at(0));
    let mut turns = Vec::new();
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    for (second, address) in (0..1800).step_by(5).zip(addresses.iter().cycle()) {
        let found = answer(address, 5);
        if !registry.record(NAME, found, start, at(second)).is_empty() {
            turns.push(second);
        }
    }
    assert_eq!(turns[..6], [0, 5, 10, 15, 20, 25], "the first changes count at once");
    let in_ten_minutes_from = |start| turns.iter().filter(|turn| (start..start + 600).contains(*turn)).count();
    for start in (60..=1200).step_by(60) {
        let count = in_ten_minutes_from(start);
        assert!((9..=11).contains(&count), "{count} from {start}: {turns:?}");
    }
}

#[test]
fn a_new_name_is_due_at_once_and_again_after_the_time_to_live() {
    let (mut registry, now) = (Registry::default(), Instant::now());
    let a = link("shop", "a");
    assert_eq!(
        registry.want(&a, wanted(&[NAME]), now, at(0)).0[NAME],
        ExternalName::Pending
    );
    assert_eq!(registry.pop(now).as_deref(), Some(NAME));
    assert_eq!(registry.pop(now), None);
    assert_eq!(
        registry.record(NAME, answer("192.0.2.1", 60), now, at(0)),
        std::slice::from_ref(&a)
    );
    assert_eq!(
        registry.want(&a, wanted(&[NAME]), now, at(0)).0[NAME],
        known("192.0.2.1")
    );
    assert_eq!(registry.pop(now + Duration::from_secs(59)), None);
    let later = now + Duration::from_mins(1);
    assert_eq!(registry.pop(later).as_deref(), Some(NAME));
    assert!(
        registry.record(NAME, answer("192.0.2.1", 60), later, at(60)).is_empty(),
        "nothing changed"
    );
    assert_eq!(registry.record(NAME, answer("192.0.2.2", 60), later, at(61)), [a]);
}

#[test]
fn a_name_is_looked_up_once_for_all_its_links_and_no_longer_when_none_leads_to_it() {
    let (mut registry, now) = (Registry::default(), Instant::now());
    let (a, b) = (link("shop", "a"), link("data", "b"));
    for link in [&a, &b] {
        registry.want(link, wanted(&[NAME]), now, at(0));
    }
    registry.pop(now);
    assert_eq!(
        registry.record(NAME, answer("192.0.2.1", 5), now, at(0)),
        [b.clone(), a.clone()]
    );
    registry.forget(&b);
    registry.want(&a, wanted(&["other.example.com"]), now, at(0));
    assert!(!registry.entries.contains_key(NAME));
    registry.forget(&a);
    assert!(registry.entries.is_empty() && registry.timers.is_empty() && registry.names.is_empty());
    assert!(registry.record(NAME, answer("192.0.2.1", 5), now, at(0)).is_empty());
}

#[test]
fn a_namespace_with_very_many_names_has_some_refused_until_there_is_room() {
    let (mut registry, now) = (Registry::default(), Instant::now());
    for n in 0..PER_NAMESPACE {
        let key = link("greedy", &format!("link-{n}"));
        let known = registry
            .want(&key, wanted(&[&format!("n{n}.example.com")]), now, at(0))
            .0;
        assert!(known.values().all(|known| *known == ExternalName::Pending));
    }
    let late = link("greedy", "late");
    let refused = |registry: &mut Registry, key: &LinkKey, name: &str| {
        registry.want(key, wanted(&[name]), now, at(0)).0[name] == ExternalName::TooMany
    };
    assert!(refused(&mut registry, &late, "late.example.com"));
    assert!(!refused(&mut registry, &link("greedy", "same"), "n0.example.com"));
    assert!(!refused(&mut registry, &link("modest", "a"), "late.example.com"));
    registry.forget(&link("greedy", "same"));
    assert_eq!(registry.forget(&link("greedy", "link-0")), std::slice::from_ref(&late));
    assert!(!refused(&mut registry, &late, "late.example.com"));
}
