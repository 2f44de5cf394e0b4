//! The model finds seeded bugs in `step` or in the operator around it.

#![allow(clippy::indexing_slicing)]

use instancelink_model::{Budget, Change, Edit, Explored, Mutant, Promise, Scope, Takeover, User, explore, scopes};

fn with(mutant: Mutant, scope: Scope) -> Explored {
    explore(Scope {
        mutant: Some(mutant),
        ..scope
    })
}

/// The model finds the bug by the promise that it breaks, and finds nothing without it.
#[track_caller]
fn assert_found(mutant: Mutant, promise: Promise, scope: &Scope) {
    let found = with(mutant, scope.clone());
    let broken: Vec<Promise> = found.violations.iter().map(|(broken, _)| *broken).collect();
    assert!(
        broken.contains(&promise),
        "{mutant:?} breaks {broken:?} within {} states",
        found.states
    );
    let sound = explore(scope.clone());
    assert!(sound.violations.is_empty(), "{}", sound.violations[0].1);
}

fn small(users: Vec<User>, budget: Budget) -> Scope {
    Scope {
        starts: vec![vec![]],
        users,
        changes: Vec::new(),
        budget,
        ..scopes::race(false)
    }
}

const fn user(link: usize, edit: Edit) -> User {
    User { link, edit }
}

const fn budget(users: u8, changes: u8, faults: u8) -> Budget {
    Budget {
        users,
        changes,
        faults,
        failovers: 0,
    }
}

#[test]
fn the_model_finds_a_step_that_ignores_other_links_of_the_alias() {
    assert_found(Mutant::IgnoresSiblings, Promise::Alias, &small(vec![], budget(0, 0, 0)));
}

#[test]
fn the_model_finds_a_request_that_is_taken_without_a_precondition() {
    let users = vec![user(0, Edit::Act("deactivate")), user(0, Edit::Act("remove"))];
    assert_found(Mutant::TakesBlindly, Promise::Actions, &small(users, budget(2, 0, 0)));
}

#[test]
fn the_model_finds_a_finalizer_that_is_removed_before_the_children() {
    let users = vec![user(0, Edit::Delete)];
    assert_found(
        Mutant::DropsFinalizerEarly,
        Promise::Finalizer,
        &small(users, budget(1, 0, 0)),
    );
}

#[test]
fn the_model_finds_a_link_that_rests_before_its_children_are_gone() {
    let users = vec![user(0, Edit::Act("deactivate"))];
    assert_found(Mutant::RestsEarly, Promise::NoChildren, &small(users, budget(1, 0, 0)));
}

#[test]
fn the_model_finds_a_forgotten_write_without_an_answer() {
    let users = vec![user(0, Edit::Act("remove"))];
    assert_found(
        Mutant::ForgetsUnanswered,
        Promise::NoChildren,
        &small(users, budget(1, 0, 1)),
    );
}

#[test]
fn the_model_finds_a_step_that_ignores_revoked_consent() {
    let scope = Scope {
        users: vec![],
        changes: vec![Change::Revoked],
        budget: budget(0, 1, 0),
        ..scopes::consent(false)
    };
    assert_found(Mutant::IgnoresConsent, Promise::Consent, &scope);
}

#[test]
fn the_model_finds_an_operator_that_takes_over_with_old_caches() {
    let users = vec![user(0, Edit::Act("deactivate"))];
    let scope = Scope {
        budget: Budget {
            failovers: 1,
            ..budget(1, 0, 0)
        },
        ..small(users, Budget::default())
    };
    let current = explore(scope.clone());
    assert!(current.violations.is_empty(), "{}", current.violations[0].1);
    let old = explore(Scope {
        takeover: Takeover::Old,
        ..scope
    });
    assert!(old.violations.iter().any(|(broken, _)| *broken == Promise::NoChildren));
}
