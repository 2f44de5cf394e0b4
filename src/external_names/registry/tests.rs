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
