//! How a binding is deleted, with and without the right to.

use super::*;

#[test]
fn the_teardown_waits_until_the_secret_in_the_status_is_known_to_be_gone() {
    let down = |s: &Snapshot| take_down(s, None);
    for s in [
        unknown_secrets(confirmed(fixture::snapshot())),
        forbidden_secrets(confirmed(fixture::snapshot())),
    ] {
        assert!(matches!(down(&s), Teardown::Waiting(_)), "{:?}", s.secrets);
        assert_eq!(in_status(&s).unwrap().name, "web-db-binding");
    }
    assert_eq!(down(&confirmed(fixture::snapshot())), Teardown::Done);
    assert_eq!(down(&forbidden_secrets(fixture::snapshot())), Teardown::Done);
    let terminating = terminating_namespace(forbidden_secrets(confirmed(fixture::snapshot())));
    assert_eq!(down(&terminating), Teardown::Done, "it is deleted with the namespace");
}

#[test]
fn a_secret_that_may_not_be_deleted_is_reported() {
    let mut s = forbidden_secrets(confirmed(postgresql().up()));
    let binding = key(Kind::Binding, "web-db-binding");
    let refused = Refusal::forbidden("delete", &binding, "no right");
    s.refusals.insert(binding, refused);
    let s = s.down_as_far_as_possible();
    let Teardown::Waiting(message) = take_down(&s, None) else {
        panic!("waiting");
    };
    assert!(message.contains("Secret shop/web-db-binding"), "{message}");
}

#[test]
fn an_observed_secret_is_deleted_unless_the_namespace_is_deleted_and_the_right_is_gone() {
    let last_write = |s: Snapshot| {
        let mut s = s;
        let mut last = Vec::new();
        while let Teardown::Act(effects) = take_down(&s, None) {
            last.extend(shown(&effects));
            s.execute(&effects);
        }
        last.contains(&"delete Secret shop/web-db-binding".to_owned())
    };
    let up = postgresql().up();
    assert!(
        last_write(forbidden_secrets(up.clone())),
        "the operator tries, because the right may be back"
    );
    assert!(last_write(terminating_namespace(up.clone())));
    assert!(!last_write(terminating_namespace(forbidden_secrets(up))));
}
