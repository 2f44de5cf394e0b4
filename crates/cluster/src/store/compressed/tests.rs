use serde::Deserialize;

use super::recent::{BUSY, PARSED};
use super::*;

#[derive(Debug, Serialize, Deserialize)]
struct Text(String);

impl Compress for Text {
    const DICTIONARY: &'static [u8] = b"a text";
    const FIELD: &'static str = "text";

    fn size(&self) -> usize {
        self.0.len()
    }
}

fn text() -> Compressed<Text> {
    Compressed::new(Text("a text that says something".to_owned()))
}

/// A new object that [`Recent`] knows.
fn remembered(recent: &Recent) -> Compressed<Text> {
    let text = text();
    text.remember(recent).compress();
    text
}

fn is_parsed(text: &Compressed<Text>) -> bool {
    matches!(*text.0.0.lock(), Form::Parsed(_))
}

#[test]
fn the_least_recently_used_object_is_compressed_first() {
    let recent = Recent::default();
    let all: Vec<_> = (0..PARSED).map(|_| remembered(&recent)).collect();
    all[0].get(&recent);
    let one_more = remembered(&recent);
    let parsed: Vec<bool> = all.iter().take(3).map(is_parsed).collect();
    assert_eq!(
        parsed,
        [true, false, true],
        "the first was used again, the second was not"
    );
    assert!(is_parsed(&one_more));
}

#[test]
fn objects_of_other_caches_do_not_count() {
    let (ours, theirs) = (Recent::default(), Recent::default());
    let first = remembered(&ours);
    let others: Vec<_> = (0..=PARSED).map(|_| remembered(&theirs)).collect();
    assert!(is_parsed(&first) && !is_parsed(&others[0]));
}

#[test]
fn an_object_that_is_not_used_for_three_rounds_is_compressed() {
    let recent = Recent::default();
    let _first = remembered(&recent);
    assert_eq!(recent.begin_round().len(), 0);
    let _second = remembered(&recent);
    let compressed: Vec<_> = (0..4).map(|_| recent.begin_round().len()).collect();
    assert_eq!(compressed, [0, 1, 1, 0]);
}

#[test]
fn an_object_that_is_used_in_each_round_stays_parsed() {
    let recent = Recent::default();
    let text = remembered(&recent);
    for _ in 0..10 {
        recent.begin_round().compress();
        text.get(&recent);
    }
    assert!(is_parsed(&text));
}

#[test]
fn no_object_is_compressed_for_its_age_while_the_operator_is_busy() {
    let recent = Recent::default();
    let many = || [(); BUSY + 1].map(|()| remembered(&recent));
    let some = many();
    let compressed: Vec<_> = (0..2).map(|_| recent.begin_round().len()).collect();
    assert_eq!(compressed, [0, 0]);
    let more = many();
    let compressed: Vec<_> = (0..3).map(|_| recent.begin_round().len()).collect();
    assert_eq!(compressed, [0, some.len(), more.len()]);
}

#[test]
fn a_replaced_version_is_freed_at_once() {
    let recent = Recent::default();
    let text = remembered(&recent);
    let object = Arc::downgrade(&text.get(&recent));
    drop(text);
    assert!(object.upgrade().is_none());
}

#[test]
fn an_object_that_was_only_read_is_not_compressed_again() {
    let recent = Recent::default();
    let text = remembered(&recent);
    let address_of_bytes = || {
        text.0.compress();
        match &*text.0.0.lock() {
            Form::Compressed(bytes) => bytes.as_ptr(),
            Form::Parsed(_) => panic!("it is still parsed"),
        }
    };
    let before = address_of_bytes();
    text.get(&recent);
    assert_eq!(address_of_bytes(), before);
}
