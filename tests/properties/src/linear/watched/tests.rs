use instancelink_core::fixture::{self, World};

use super::*;

/// Every version of a link that is deactivated, activated, and gets a request that is rejected.
fn versions_of_a_link() -> Vec<InstanceLink> {
    let mut world = World::new(fixture::snapshot());
    let mut versions = vec![world.s.link.object.clone()];
    let rest = |world: &mut World, versions: &mut Vec<InstanceLink>| {
        while world.step().is_ok() {
            versions.push(world.s.link.object.clone());
        }
    };
    rest(&mut world, &mut versions);
    for action in ["deactivate/1", "activate/2", "purge/3", "deactivate"] {
        world.annotate(action);
        versions.push(world.s.link.object.clone());
        rest(&mut world, &mut versions);
    }
    versions
}

fn watched(versions: &[InstanceLink]) -> Watched {
    let mut watched = Watched::default();
    for version in versions {
        watched.version(version, true);
    }
    watched.rested();
    watched
}

fn has_order(versions: &[InstanceLink]) -> bool {
    watched(versions).violations.is_empty()
}

fn last(version: &mut InstanceLink) -> Option<&mut Intent> {
    let action = version.status.as_mut()?.last_action.as_mut()?;
    Some(&mut action.intent)
}

fn seq(version: &InstanceLink) -> u64 {
    Seen::of(version).shown()
}

#[test]
fn the_history_of_a_link_has_an_order() {
    let watched = watched(&versions_of_a_link());
    assert_eq!((watched.asked, watched.ambiguous), (4, 0));
    assert_eq!(watched.violations, Vec::<String>::new());
}

#[test]
fn an_action_that_is_taken_but_never_answered_is_a_violation() {
    let mut versions = versions_of_a_link();
    let answered = versions.iter().position(|version| seq(version) == 3).unwrap();
    let unanswered = versions[answered - 1].status.clone();
    for version in &mut versions[answered..] {
        version.status.clone_from(&unanswered);
    }
    versions.retain(|version| Seen::of(version).action.is_none_or(|action| action != "deactivate"));
    assert!(!has_order(&versions));
}

#[test]
fn an_action_that_is_still_there_at_the_end_is_a_violation() {
    let mut versions = versions_of_a_link();
    let asked = versions
        .iter()
        .position(|version| Seen::of(version).action.as_deref() == Some("activate/2"));
    versions.truncate(asked.unwrap() + 1);
    assert!(!has_order(&versions));
}

#[test]
fn a_history_with_an_action_that_is_answered_twice_has_no_order() {
    let mut versions = versions_of_a_link();
    let mut again = versions.last().unwrap().clone();
    last(&mut again).unwrap().seq += 1;
    versions.push(again);
    assert!(!has_order(&versions));
}

#[test]
fn actions_that_are_answered_in_another_order_than_they_were_requested_have_no_order() {
    let mut versions = versions_of_a_link();
    for version in &mut versions {
        let Some(intent) = last(version) else { continue };
        // Each request was written after the one before was answered, so they cannot be taken in another order.
        let (action, id) = match intent.seq {
            1 => ("activate", "2"),
            2 => ("deactivate", "1"),
            _ => continue,
        };
        (intent.action, intent.id) = (action.to_owned(), id.to_owned());
    }
    assert!(!has_order(&versions));
}

#[test]
fn an_action_that_is_overwritten_before_it_is_taken_is_ambiguous_and_not_a_violation() {
    let mut versions = versions_of_a_link();
    let asked = versions
        .iter()
        .position(|version| Seen::of(version).action.as_deref() == Some("activate/2"));
    let asked = asked.unwrap();
    let mut before = versions[asked].clone();
    let annotations = before.metadata.annotations.as_mut().unwrap();
    annotations.insert(keys::ACTION.to_owned(), "remove/0".to_owned());
    versions.insert(asked, before);
    let watched = watched(&versions);
    assert_eq!((watched.asked, watched.ambiguous), (5, 1));
    assert_eq!(watched.violations, Vec::<String>::new());
}

#[test]
fn a_history_ends_when_another_client_drops_the_status_and_a_new_one_starts_with_the_rest() {
    let mut versions = versions_of_a_link();
    let mut wiped = versions.last().unwrap().clone();
    wiped.status = None;
    let mut watched = Watched::default();
    versions.drain(..).for_each(|version| watched.version(&version, true));
    watched.version(&wiped, false);
    watched.cut();
    assert_eq!(watched.histories, 2);
    assert_eq!(watched.violations, Vec::<String>::new());
}

#[test]
fn a_lost_action_is_a_violation_even_if_the_link_is_deleted_afterwards() {
    let mut versions = versions_of_a_link();
    let asked = versions
        .iter()
        .position(|version| Seen::of(version).action.as_deref() == Some("purge/3"));
    let asked = asked.unwrap();
    let mut taken = versions[asked].clone();
    taken.metadata.annotations.as_mut().unwrap().remove(keys::ACTION);
    let mut answered = taken.clone();
    answered.status.as_mut().unwrap().state = State::Deactivating;
    versions.truncate(asked + 1);
    versions.extend([taken, answered]);
    let mut watched = Watched::default();
    for version in &versions {
        watched.version(version, true);
    }
    watched.cut();
    assert_eq!(watched.violations.len(), 1);
}
