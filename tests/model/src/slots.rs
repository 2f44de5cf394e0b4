//! The places of children: each child of the two links has a fixed slot.

use instancelink_core::child::{Key, Kind};
use instancelink_core::fixture;

/// Number of slots.
pub(crate) const SLOTS: usize = 6;
pub(crate) const DIRECTORY: usize = 0;
pub(crate) const ENVIRONMENT: usize = 1;
/// The slice of the first link; the slice of the second follows.
pub(crate) const SLICE: usize = 2;
/// The policy of the first link; the policy of the second follows. Policies are in the target's namespace.
pub(crate) const POLICY: usize = 4;

/// The namespace other than the links'.
pub(crate) const ELSEWHERE: &str = "data";

/// Names of the two links.
pub(crate) const LINKS: [&str; 2] = ["web-db", "web-db2"];

/// UID of a link. A recreated link has another life, so another UID.
pub(crate) fn uid_of(link: usize, life: u8) -> String {
    format!("11111111-aaaa-4aaa-8aaa-0000000000{life}{}", link + 1)
}

/// The lives of links whose UIDs are in a text, as bits.
pub(crate) fn lives_named_in(text: &str) -> u8 {
    let mut bits = 0;
    for link in 0..2 {
        for life in 0..2 {
            if text.contains(&uid_of(link, life)) {
                bits |= life_bit(link, life);
            }
        }
    }
    bits
}

/// The bit of a life of a link.
pub(crate) const fn life_bit(link: usize, life: u8) -> u8 {
    1 << (link * 2 + life as usize)
}

/// The slot of a child.
///
/// # Panics
/// If the model does not know the child.
pub(crate) fn slot_of(key: &Key) -> usize {
    let of_link = |suffix: &str| LINKS.iter().position(|link| key.name == format!("{link}{suffix}"));
    let slot = match key.kind {
        Kind::Directory if key.name == "web-links" => Some(DIRECTORY),
        Kind::Environment if key.name == "web-links" => Some(ENVIRONMENT),
        Kind::Slice => of_link("-v4").map(|link| SLICE + link),
        Kind::Policy if key.namespace == ELSEWHERE => LINKS
            .iter()
            .position(|link| key.name.rsplit_once('-').is_some_and(|(name, _)| name == *link))
            .map(|link| POLICY + link),
        _ => None,
    };
    slot.unwrap_or_else(|| panic!("the model has no slot for {key} (links of {})", fixture::NAMESPACE))
}
