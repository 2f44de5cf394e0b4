//! The action annotation: any value is a request, a value outside the grammar, or nothing, and can be shown safely
//! (threat T9 of `docs/security.md`).

use instancelink_api::{Verb, Verdict, keys};
use instancelink_core::action::{Request, parse};
use instancelink_core::fixture::World;
use instancelink_core::text;

use super::worlds;

/// The input is the value of the annotation.
pub fn action(data: &[u8]) {
    let value = String::from_utf8_lossy(data);
    let parsed = parse(&value);
    assert_eq!(
        matches!(parsed, Some(Request::Action { .. })),
        is_of_the_grammar(&value),
        "contract#action-grammar"
    );
    assert_eq!(parsed.is_none(), value.is_empty(), "empty means absent");
    if let Some(Request::Invalid { shown, mark }) = &parsed {
        assert!(
            shown.chars().count() <= 80 && shown.chars().all(text::is_harmless),
            "80 printable characters"
        );
        assert!(mark.len() == 9 && mark.starts_with('#'));
    }
    for make in [worlds::active as fn() -> World, worlds::removed] {
        taken_once(make(), &value);
    }
}

/// A value counts once, and stays in the annotation only if it is outside the grammar (lifecycle#take-in-one-write,
/// lifecycle#handled-values).
fn taken_once(mut world: World, value: &str) {
    let before = world.status().last_action.as_ref().map_or(0, |a| a.intent.seq);
    world.act(value);
    let seq = |world: &World| world.status().last_action.as_ref().map_or(0, |a| a.intent.seq);
    assert_eq!(seq(&world), before + u64::from(!value.is_empty()));
    if !value.is_empty() {
        let intent = &world.last_action().intent;
        assert!(intent.handled.len() <= 16);
        assert_eq!(intent.verdict == Verdict::Rejected, !intent.reason.is_empty());
        let in_place = world
            .s
            .link
            .object
            .metadata
            .annotations
            .as_ref()
            .unwrap()
            .contains_key(keys::ACTION);
        assert_eq!(in_place, !is_of_the_grammar(value));
    }
    world.writes.clear();
    world.settle();
    assert!(world.writes.is_empty(), "a value is handled once");
    if value.contains('/') {
        world.act(value);
        assert!(world.writes.is_empty(), "an id counts once");
    }
}

/// `verb` or `verb/id`, an id being `[A-Za-z0-9._:-]{1,63}`.
fn is_of_the_grammar(value: &str) -> bool {
    Verb::ALL
        .into_iter()
        .any(|verb| match value.strip_prefix(verb.as_str()) {
            Some("") => true,
            Some(rest) => rest.strip_prefix('/').is_some_and(|id| {
                (1..=63).contains(&id.chars().count())
                    && id
                        .chars()
                        .all(|c| matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | ':' | '-'))
            }),
            None => false,
        })
}
