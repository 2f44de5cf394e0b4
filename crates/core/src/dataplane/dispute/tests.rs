use std::collections::BTreeSet;

use instancelink_api::{State, keys};

use super::*;
use crate::child::Kind;
use crate::dataplane::{TeardownNow, bring_up, build, problems, teardown_now};
use crate::fixture::{self, World, key, pod, shown};

fn due(s: &Snapshot) -> Vec<Effect> {
    bring_up(s, &build(s, &BTreeSet::new()).unwrap())
}

fn reasons(s: &Snapshot) -> Vec<Reason> {
    let plan = build(s, &BTreeSet::new()).unwrap();
    problems(s, &plan).into_iter().map(|problem| problem.reason).collect()
}

/// A policy that rewrites the managed-by label of everything.
fn rewrites_managed_by(child: &mut ObservedChild) {
    crate::child::with_observed!(child, K(found) => {
        found.object.labels.insert(keys::MANAGED_BY.to_owned(), "helm".to_owned());
    });
}

/// A policy that takes all marks from everything.
fn takes_all_marks(child: &mut ObservedChild) {
    crate::child::with_observed!(child, K(found) => {
        found.object.labels.clear();
        found.object.annotations.clear();
    });
}

fn under(mut s: Snapshot, admission: fn(&mut ObservedChild)) -> Snapshot {
    for _ in 0..10 {
        let effects = due(&s);
        if effects.is_empty() {
            return s;
        }
        s.execute_under(&effects, admission);
    }
    panic!("the pass does not end: {:?}", shown(&due(&s)));
}

/// lifecycle#disputes
#[test]
fn what_admission_alters_is_written_once_in_a_pass_and_is_said() {
    for admission in [rewrites_managed_by, takes_all_marks] {
        let s = under(fixture::snapshot(), admission);
        assert_eq!(s.children.all().count(), 3, "nothing waits for it");
        assert_eq!(reasons(&s), [Reason::AlteredByOthers; 3]);
    }
}

/// lifecycle#disputes
#[test]
fn the_next_pass_waits_and_then_writes_again_and_without_the_policy_all_is_right() {
    let mut s = under(fixture::snapshot(), rewrites_managed_by);
    s.begin_pass();
    assert_eq!(shown(&due(&s)), [""; 0]);
    assert_eq!(reasons(&s), [Reason::AlteredByOthers; 3], "it is said while it waits");
    let mut s = s.later(1);
    s.begin_pass();
    assert_eq!(
        shown(&due(&s)),
        ["replace Service shop/web-links", "replace ConfigMap shop/web-links"]
    );
    let s = s.up();
    assert_eq!(reasons(&s), []);
}

/// lifecycle#disputes
#[test]
fn a_change_of_the_pods_does_not_wait() {
    let mut s = under(fixture::snapshot(), rewrites_managed_by).with_target_deployment(vec![pod("pg-9", "10.0.0.19")]);
    s.begin_pass();
    assert!(shown(&due(&s)).iter().all(|write| write.starts_with("replace")));
    let s = under(s, rewrites_managed_by);
    assert_eq!(
        s.children.slices[0].object.body.endpoints[0].address.to_string(),
        "10.0.0.19"
    );
}

/// Another client changes the slice after each write.
fn edited(s: &mut Snapshot, version: u32) {
    let slice = &mut s.children.slices[0];
    slice.resource_version = (1000 * version).to_string();
    slice.object.labels.remove(keys::SLICE_MANAGED_BY);
}

/// lifecycle#disputes
#[test]
fn repairs_of_an_edit_that_comes_back_wait_longer_and_longer() {
    let mut world = World::active();
    let mut repaired_at = Vec::new();
    let began = world.s.now;
    for turn in 1..2000 {
        edited(&mut world.s, turn);
        world.settle();
        let found = &world.s.children.slices[0].object;
        if found.labels.contains_key(keys::SLICE_MANAGED_BY) {
            repaired_at.push(world.s.now.duration_since(began).as_millis());
        }
        world.s.now += jiff::SignedDuration::from_millis(250);
    }
    let late: Vec<_> = repaired_at.iter().filter(|at| **at > 60_000).collect();
    assert!((5..=12).contains(&(repaired_at.len() - late.len())), "{repaired_at:?}");
    assert!(late.windows(2).all(|pair| pair[1] - pair[0] >= 60_000), "{late:?}");
    assert!(late.len() >= 6, "{late:?}");
    assert_eq!(world.condition("Programmed"), ("False", "AlteredByOthers"));
    world.pass_time(61);
    world.settle();
    world.pass_time(61);
    world.settle();
    assert_eq!(world.condition("Programmed"), ("True", "Programmed"));
}

/// lifecycle#disputes
#[test]
fn who_edits_a_child_is_asked_for_with_the_repair_after_which_it_is_said() {
    let mut world = World::active();
    let mut said = Vec::new();
    for turn in 1..=4 {
        edited(&mut world.s, turn);
        let is_asked = due(&world.s).iter().any(|effect| is_repeated(&world.s, effect));
        world.settle();
        said.push((is_asked, world.condition("Programmed").1 == "AlteredByOthers"));
        world.pass_time(1);
    }
    // The first repair is the first write in this state.
    assert_eq!(said, [(false, false), (false, false), (false, false), (true, true)]);
}

/// lifecycle#disputes
#[test]
fn a_child_that_is_deleted_again_and_again_does_not_keep_the_operator_busy() {
    let mut world = World::active();
    let mut created = 0;
    for _ in 0..600 {
        world.s.children.slices.clear();
        world.settle();
        created += world.s.children.slices.len();
        world.s.now += jiff::SignedDuration::from_millis(100);
    }
    assert!((4..=12).contains(&created), "{created} in a minute");
    let (reason, message) = world.condition("Programmed");
    assert_eq!((reason, message), ("False", "AlteredByOthers"));
}

/// lifecycle#disputes
#[test]
fn a_link_is_taken_down_whatever_admission_alters() {
    for admission in [rewrites_managed_by, takes_all_marks, restores_entries] {
        let mut s = under(fixture::snapshot(), admission);
        s.link.object.status.get_or_insert_default().state = State::Deactivating;
        s.begin_pass();
        for _ in 0..10 {
            match teardown_now(&s) {
                TeardownNow::Act(effects) => s.execute_under(&effects, admission),
                other => {
                    assert_eq!(other, TeardownNow::Done);
                    break;
                }
            }
        }
        assert_eq!(s.children.slices, []);
    }
}

/// A policy that writes the entry of this link into each environment.
fn restores_entries(child: &mut ObservedChild) {
    if let ObservedChild::Environment(found) = child {
        let entries = format!(r#"{{"{}":[],"{}":[]}}"#, fixture::LINK_UID, fixture::SIBLING_UID);
        found.object.annotations.insert(keys::ENTRIES.to_owned(), entries);
    }
}

/// contract#repair
#[test]
fn a_child_that_is_not_updated_is_deleted_and_created_again() {
    let mut s = fixture::snapshot()
        .up()
        .with_target_deployment(vec![pod("pg-9", "10.0.0.19")]);
    let slice = key(Kind::Slice, "web-db-v4");
    s.fold(Answer::Unchangeable(slice, "field is immutable".to_owned()));
    assert_eq!(shown(&due(&s)), ["delete EndpointSlice shop/web-db-v4"]);
    s.execute(&due(&s));
    assert_eq!(shown(&due(&s)), ["create EndpointSlice shop/web-db-v4"]);
}

/// contract#repair
#[test]
fn a_virtual_ip_that_clients_use_is_not_deleted_and_the_command_is_said() {
    let by_virtual_ip = fixture::snapshot().edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 80, targetPort: 5432}]").unwrap();
    });
    let mut s = by_virtual_ip.up();
    s.children.virtual_ips[0].object.body.damaged = true;
    let service = key(Kind::VirtualIp, "web-db-vip");
    s.fold(Answer::Unchangeable(service, "spec.x: field is immutable".to_owned()));
    assert_eq!(shown(&due(&s)), [""; 0]);
    let plan = build(&s, &BTreeSet::new()).unwrap();
    let problem = problems(&s, &plan).remove(0);
    assert_eq!(problem.reason, Reason::AlteredByOthers);
    assert!(
        problem.message.ends_with("kubectl -n shop delete services web-db-vip"),
        "{}",
        problem.message
    );
    s.children.slices.clear();
    assert_eq!(shown(&due(&s)), ["delete Service shop/web-db-vip"], "nobody uses it");
}

/// The link by virtual IP, after another client has changed the Service's fields.
fn with_damaged_virtual_ip() -> Snapshot {
    let by_virtual_ip = fixture::snapshot().edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 80, targetPort: 5432}]").unwrap();
    });
    let mut s = by_virtual_ip.up();
    s.children.virtual_ips[0].object.body.damaged = true;
    s
}

fn add_address(child: &mut ObservedChild) {
    if let ObservedChild::VirtualIp(found) = child {
        found.object.body.addresses.push("fd00::77".parse().unwrap());
    }
}

fn replace_address(child: &mut ObservedChild) {
    if let ObservedChild::VirtualIp(found) = child {
        found.object.body.addresses = vec!["10.96.0.99".parse().unwrap()];
    }
}

fn take_address(child: &mut ObservedChild) {
    if let ObservedChild::VirtualIp(found) = child {
        found.object.body.addresses.clear();
        found.object.body.damaged = true;
    }
}

/// lifecycle#disputes
#[test]
fn an_address_that_kubernetes_adds_to_a_virtual_ip_is_no_alteration() {
    let altered = |admission: fn(&mut ObservedChild)| {
        let mut s = with_damaged_virtual_ip();
        let write = due(&s);
        assert_eq!(shown(&write), ["replace Service shop/web-db-vip"]);
        s.execute_under(&write, admission);
        s.disputes.written[&key(Kind::VirtualIp, "web-db-vip")].altered
    };
    assert!(
        !altered(add_address),
        "a Service of one family gets an address of the other one again"
    );
    assert!(altered(replace_address));
    assert!(altered(take_address));
}

#[test]
fn a_virtual_ip_that_admission_leaves_without_an_address_is_said() {
    let mut s = fixture::snapshot().edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 80, targetPort: 5432}]").unwrap();
    });
    s = under(s, take_address);
    assert_eq!(reasons(&s), [Reason::AlteredByOthers]);
}

#[test]
fn writes_that_are_asked_for_anew_are_not_repeated_ones() {
    let s = fixture::snapshot().up();
    let slice = |s: &Snapshot| s.disputes.written[&key(Kind::Slice, "web-db-v4")].clone();
    assert_eq!((slice(&s).times, slice(&s).altered), (0, false));
    let mut other = s.with_target_deployment(vec![pod("pg-9", "10.0.0.19")]);
    other.begin_pass();
    let other = other.up();
    assert_eq!((slice(&other).times, slice(&other).edits), (0, 0));
}

/// A policy that makes a virtual IP headless, and changes all other children.
fn takes_the_address_and_rewrites_the_rest(child: &mut ObservedChild) {
    take_address(child);
    if !matches!(child, ObservedChild::VirtualIp(_)) {
        rewrites_managed_by(child);
    }
}

/// lifecycle#disputes
#[test]
fn a_child_that_is_deleted_and_created_again_and_again_shortens_the_pauses_of_no_other() {
    let mut s = fixture::snapshot().edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 80, targetPort: 5432}]").unwrap();
    });
    let began = s.now;
    let mut late = 0;
    while s.now.duration_since(began).as_secs() < 900 {
        s.begin_pass();
        for _ in 0..10 {
            let effects = due(&s);
            if effects.is_empty() {
                break;
            }
            let is_late = s.now.duration_since(began).as_secs() > 70;
            // A deletion and the creation after it are one repair.
            let repairs = effects.iter().filter(|effect| !matches!(effect, Effect::Delete { .. }));
            late += if is_late { repairs.count() } else { 0 };
            s.execute_under(&effects, takes_the_address_and_rewrites_the_rest);
        }
        s.now += jiff::SignedDuration::from_millis(500);
    }
    assert!((10..=14).contains(&late), "{late} in almost fourteen minutes");
}
