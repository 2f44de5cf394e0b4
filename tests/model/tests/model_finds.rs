//! The model finds bugs: each is put in around the real step, or into the operator around it, and is found.

#![allow(clippy::indexing_slicing)]

use instancelink_model::{Budget, Change, Edit, Explored, Mutant, Promise, Scope, Takeover, User, explore, scopes};

fn with(mutant: Mutant, scope: Scope) -> Explored {
    explore(Scope {
        mutant: Some(mutant),
        ..scope
    })
}

/// The bug is found by the promise it breaks, and nothing is found without it.
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
fn the_model_finds_that_nobody_looks_whether_another_link_has_the_alias() {
    assert_found(Mutant::IgnoresSiblings, Promise::Alias, &small(vec![], budget(0, 0, 0)));
}

#[test]
fn the_model_finds_that_a_request_is_taken_whatever_was_written_since() {
    let users = vec![user(0, Edit::Act("deactivate")), user(0, Edit::Act("remove"))];
    assert_found(Mutant::TakesBlindly, Promise::Actions, &small(users, budget(2, 0, 0)));
}

#[test]
fn the_model_finds_that_the_finalizer_goes_before_the_children() {
    let users = vec![user(0, Edit::Delete)];
    assert_found(
        Mutant::DropsFinalizerEarly,
        Promise::Finalizer,
        &small(users, budget(1, 0, 0)),
    );
}

#[test]
fn the_model_finds_that_a_link_rests_before_its_children_are_gone() {
    let users = vec![user(0, Edit::Act("deactivate"))];
    assert_found(Mutant::RestsEarly, Promise::Bare, &small(users, budget(1, 0, 0)));
}

#[test]
fn the_model_finds_that_a_write_without_an_answer_is_forgotten() {
    let users = vec![user(0, Edit::Act("remove"))];
    assert_found(Mutant::ForgetsUnanswered, Promise::Bare, &small(users, budget(1, 0, 1)));
}

#[test]
fn the_model_finds_that_consent_taken_back_is_not_noticed() {
    let scope = Scope {
        users: vec![],
        changes: vec![Change::Revoked],
        budget: budget(0, 1, 0),
        ..scopes::consent(false)
    };
    assert_found(Mutant::IgnoresConsent, Promise::Consent, &scope);
}

#[test]
fn the_model_finds_that_an_operator_takes_over_with_old_caches() {
    let users = vec![user(0, Edit::Act("deactivate"))];
    let scope = Scope {
        budget: Budget {
            failovers: 1,
            ..budget(1, 0, 0)
        },
        ..small(users, Budget::default())
    };
    let present = explore(scope.clone());
    assert!(present.violations.is_empty(), "{}", present.violations[0].1);
    let old = explore(Scope {
        takeover: Takeover::Old,
        ..scope
    });
    assert!(old.violations.iter().any(|(broken, _)| *broken == Promise::Bare));
}
