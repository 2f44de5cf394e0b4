//! Texts without what differs from run to run: UIDs, hashes of UIDs, cluster addresses and times. And the number of panics.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

const UID: &str = "00000000-0000-4000-8000-";
const ADDRESS: &str = "10.96.";
/// Digits of a hash in a name.
const HASH: usize = 10;
const TIME: &str = "2026-01-01T00:00:00";

/// The text with placeholders.
pub(super) fn scrubbed(text: &str) -> String {
    let mut scrubbed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (length, placeholder) = if rest.starts_with(UID) {
            (36, "<uid>")
        } else if rest.starts_with(ADDRESS) {
            let digits = |c: char| c.is_ascii_digit() || c == '.';
            (rest.find(|c| !digits(c)).unwrap_or(rest.len()), "<ip>")
        } else if is_hash(rest) {
            (HASH + 1, "-<hash>")
        } else if rest.starts_with("2026-01-01T") && rest.len() >= TIME.len() {
            let fraction = |c: char| c.is_ascii_digit() || c == '.';
            let after = &rest[TIME.len()..];
            (
                TIME.len() + after.find(|c| !fraction(c)).unwrap_or(after.len()),
                "<time>",
            )
        } else {
            scrubbed.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        scrubbed.push_str(placeholder);
        rest = rest.get(length..).unwrap_or_default();
    }
    scrubbed
}

/// A hyphen, and ten hexadecimal digits up to the end of the name.
fn is_hash(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('-') else {
        return false;
    };
    let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    let follows = rest.as_bytes().get(digits);
    digits == HASH && !follows.is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'-')
}

thread_local! {
    static PANICS: Cell<u64> = const { Cell::new(0) };
}

/// The number of panics in this thread. A task of the operator that panics is started again, so nothing else shows them.
pub(super) fn panics() -> u64 {
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.with(|panics| panics.set(panics.get() + 1));
            before(info);
        }));
    });
    PANICS.with(Cell::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_replaced() {
        let text =
            "db-7433f98c6d of 00000000-0000-4000-8000-00000000002a at 10.96.3.1:80 since 2026-01-01T00:00:05.5Z é";
        assert_eq!(scrubbed(text), "db-<hash> of <uid> at <ip>:80 since <time>Z é");
        assert_eq!(scrubbed("a-7433f98c6d-v4 pg-2-1-0"), "a-7433f98c6d-v4 pg-2-1-0");
    }
}
