use std::collections::BTreeSet;

use super::*;
use crate::dataplane::{Teardown, build, is_up, problems, take_down};
use crate::fixture::{self, SIBLING_UID};
use crate::snapshot::Snapshot;
use instancelink_api::State;
use instancelink_api::condition::Reason;

const OTHER: &str = "99999999-ffff-4fff-8fff-000000000001";

/// An environment of the source `web` in which the sibling has these keys.
fn with_keys_of_sibling(keys: &[&str]) -> Snapshot {
    with_keys_of(SIBLING_UID, keys)
}

fn with_keys_of(uid: &str, keys: &[&str]) -> Snapshot {
    let mut s = fixture::snapshot()
        .with_sibling(fixture::sibling(State::Active, true))
        .up();
    let found = &mut s.children.environments[0];
    let entries = Entries::from([(uid, keys.to_vec())]);
    found.object.annotations = annotations("shop/web-cache".to_owned(), Some("Deployment/web".to_owned()), &entries);
    found.object.body.data = keys
        .iter()
        .map(|key| ((*key).to_owned(), "theirs".to_owned()))
        .collect();
    s
}

fn environment(s: &Snapshot) -> &ChildSpec<Environment> {
    &s.children.environments[0].object
}

#[test]
fn the_environment_lists_the_keys_of_each_link() {
    let s = fixture::snapshot().up();
    let environment = environment(&s);
    assert_eq!(environment.body.data["DB_PORT_5432_TCP_ADDR"], "db.web-links.shop.svc");
    let keys: Vec<String> = environment.body.data.keys().cloned().collect();
    assert_eq!(environment.entries()[fixture::LINK_UID], keys);
    assert!(!environment.annotations[keys::ENTRIES].contains(' '), "compact");
}

#[test]
fn a_link_adds_its_keys_and_keeps_those_of_others() {
    let s = with_keys_of_sibling(&["CACHE_NAME"]).up();
    assert_eq!(environment(&s).body.data["CACHE_NAME"], "theirs");
    assert_eq!(environment(&s).body.data["DB_NAME"], "/web/db");
    assert_eq!(environment(&s).entries().len(), 2);
}

#[test]
fn an_older_links_key_is_not_overwritten() {
    let s = with_keys_of_sibling(&["DB_PORT"]).up_after(&[SIBLING_UID]);
    assert_eq!(environment(&s).body.data["DB_PORT"], "theirs");
    assert!(!environment(&s).entries()[fixture::LINK_UID].contains(&"DB_PORT"));
}

#[test]
fn a_younger_links_key_is_taken_over() {
    let s = with_keys_of_sibling(&["DB_PORT", "CACHE_NAME"]).up();
    assert_eq!(environment(&s).body.data["DB_PORT"], "tcp://db.web-links.shop.svc:5432");
    assert_eq!(environment(&s).entries()[SIBLING_UID], ["CACHE_NAME"]);
}

/// An active link in whose environment others have written a key.
fn with_added_key() -> Snapshot {
    let mut s = fixture::snapshot().up();
    let data = &mut s.children.environments[0].object.body.data;
    data.insert("ADDED".to_owned(), "1".to_owned());
    s
}

/// contract#additions
#[test]
fn a_key_that_others_added_is_left_alone_and_goes_with_the_environment() {
    let s = with_added_key();
    assert!(is_up(&s, &build(&s, &BTreeSet::new()).unwrap()));
    let changed = s
        .clone()
        .edited(|spec| spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 99}]").unwrap());
    let changed = changed.up();
    assert_eq!(environment(&changed).body.data["ADDED"], "1");
    assert!(!environment(&changed).entries()[fixture::LINK_UID].contains(&"ADDED"));
    assert!(s.down().children.environments.is_empty());
}

/// contract#additions
#[test]
fn a_key_that_the_operator_listed_goes_with_its_link_and_others_stay() {
    let mut s = with_keys_of_sibling(&["CACHE_NAME"]).up();
    let data = &mut s.children.environments[0].object.body.data;
    data.insert("ADDED".to_owned(), "1".to_owned());
    let down = s.down_as_far_as_possible();
    let left: Vec<&String> = environment(&down).body.data.keys().collect();
    assert_eq!(left, ["ADDED", "CACHE_NAME"]);
}

/// contract#additions
#[test]
fn without_its_list_no_key_is_known_to_be_of_others() {
    let mut s = with_added_key();
    s.children.environments[0].object.annotations.remove(keys::ENTRIES);
    assert!(!environment(&s.up()).body.data.contains_key("ADDED"));
}

#[test]
fn an_unreadable_list_is_rewritten() {
    let mut s = fixture::snapshot().up();
    s.children.environments[0]
        .object
        .annotations
        .insert(keys::ENTRIES.to_owned(), "{".to_owned());
    let s = s.up();
    assert_eq!(environment(&s).entries().len(), 1);
    assert_eq!(environment(&s).body.data["DB_NAME"], "/web/db");
}

#[test]
fn a_link_without_an_environment_keeps_the_entries_of_others() {
    let s = with_keys_of_sibling(&["CACHE_NAME"]).up().edited(|spec| {
        spec.outputs = serde_yaml_ng::from_str("{environment: None}").unwrap();
    });
    let s = s.up();
    assert_eq!(environment(&s).body.data.len(), 1);
    assert!(!environment(&s).mentions(fixture::LINK_UID));
}

#[test]
fn siblings_agree_on_the_link_that_a_shared_child_names() {
    let s = with_keys_of_sibling(&["CACHE_NAME"]).up();
    assert_eq!(
        environment(&s).annotations[keys::LINK],
        "shop/web-cache",
        "a named sibling stays"
    );
    let orphaned = Snapshot { siblings: vec![], ..s };
    assert_eq!(
        environment(&orphaned.up()).annotations[keys::LINK],
        "shop/web-db",
        "without one, the link itself"
    );
}

#[test]
fn a_link_that_is_taken_down_removes_only_its_own_entry() {
    let mut s = with_keys_of(OTHER, &["CACHE_NAME"]).up();
    s.children.slices.clear();
    let Teardown::Act(effects) = take_down(&s, None) else {
        panic!()
    };
    s.execute(&effects);
    assert_eq!(environment(&s).entries().into_keys().collect::<Vec<_>>(), [OTHER]);
    assert_eq!(environment(&s).body.data.len(), 1);
    assert_eq!(take_down(&s, None), Teardown::Done);
}

#[test]
fn a_foreign_environment_is_not_read() {
    let mut s = with_keys_of_sibling(&["DB_PORT"]);
    s.children.environments[0].object.labels.clear();
    s.children.environments[0].object.annotations.remove(keys::LINK);
    let plan = build(&s, &BTreeSet::from([SIBLING_UID.to_owned()])).unwrap();
    let desired = plan.environment.get().unwrap();
    assert!(desired.body.data.contains_key("DB_PORT"));
}

#[test]
fn an_environment_that_named_the_removed_link_names_one_that_has_an_entry() {
    let mut bystander = fixture::sibling(State::Active, true);
    let metadata = &mut std::sync::Arc::make_mut(&mut bystander.object).metadata;
    metadata.name = Some("web-queue".to_owned());
    metadata.uid = Some(OTHER.to_owned());
    let mut s = with_keys_of_sibling(&["CACHE_NAME"]).up();
    s.siblings.insert(0, bystander);
    let found = &mut s.children.environments[0];
    found
        .object
        .annotations
        .insert(keys::LINK.to_owned(), "shop/web-db".to_owned());
    let rest = without_link(&s, &s.children.environments[0]).unwrap();
    assert_eq!(rest.annotations[keys::LINK], "shop/web-cache");
}

/// Keys of a sibling that take this many bytes in the annotation.
fn keys_of_size(bytes: usize) -> Vec<String> {
    (0..bytes / 16).map(|n| format!("CACHE_N{n:06}")).collect()
}

/// contract#environment-size
#[test]
fn a_link_whose_variables_do_not_fit_leaves_the_environment_as_it_is_and_says_so() {
    let with = |bytes: usize| {
        let keys = keys_of_size(bytes);
        with_keys_of_sibling(&keys.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let fits = with(260_000).up();
    assert!(environment(&fits).mentions(fixture::LINK_UID));
    assert_eq!(problems(&fits, &build(&fits, &BTreeSet::new()).unwrap()), []);

    let before = with(262_000);
    let after = before.clone().up();
    assert_eq!(environment(&after), environment(&before));
    let plan = build(&after, &BTreeSet::new()).unwrap();
    let problems = problems(&after, &plan);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].reason, Reason::TooLarge);
    assert!(problems[0].message.contains("outputs: {environment: None}"));
    assert!(is_up(&after, &plan), "the alias works");
}

/// contract#environment-size
#[test]
fn a_link_that_leaves_an_environment_that_is_too_large_makes_room() {
    let keys = keys_of_size(300_000);
    let mut s = with_keys_of_sibling(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let own = s.children.environments[0].clone();
    let mut entries = own.object.entries();
    entries.insert(fixture::LINK_UID, Vec::new());
    s.children.environments[0].object.annotations =
        annotations("shop/web-cache".to_owned(), Some("Deployment/web".to_owned()), &entries);
    let rest = without_link(&s, &s.children.environments[0]).unwrap();
    assert!(!rest.mentions(fixture::LINK_UID));
}

/// Anyone who edits the ConfigMap can add entries of links that never existed. Each was compared with each sibling.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test measures how long a decision takes")]
fn very_many_entries_and_very_many_siblings_cost_one_look_at_each() {
    let mut s = with_keys_of_sibling(&["CACHE_NAME"]);
    let sibling = s.siblings[0].object.as_ref().clone();
    for number in 0..1000 {
        let mut other = sibling.clone();
        other.metadata.uid = Some(format!("sibling-{number}"));
        s.siblings.push(fixture::as_sibling(other, State::Active, true));
    }
    let uids: Vec<String> = (0..10_000).map(|number| format!("nobody-{number}")).collect();
    let mut entries: Entries<'_> = uids.iter().map(|uid| (uid.as_str(), Vec::new())).collect();
    entries.insert(SIBLING_UID, vec!["CACHE_NAME"]);
    s.children.environments[0].object.annotations =
        annotations("shop/nobody".to_owned(), Some("Deployment/web".to_owned()), &entries);
    let started = std::time::Instant::now();
    let rest = without_link(&s, &s.children.environments[0]).unwrap();
    assert_eq!(rest.annotations[keys::LINK], "shop/web-cache");
    assert!(started.elapsed().as_secs() < 3, "{:?}", started.elapsed());
}
