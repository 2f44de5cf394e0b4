//! Fuzz targets: each takes any bytes, and panics if a promise is broken.
//!
//! `fuzz/` runs them under libFuzzer; `tests/corpus.rs` replays the saved inputs in every ordinary run.

mod action;
mod alias;
mod bytes;
mod intent;
mod object;
mod step;
mod worlds;

pub use action::action;
pub use alias::alias;
pub use intent::intent;
pub use object::object;
pub use step::step;

/// A fuzz target, with the name of its folder in `fuzz/corpus`.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 5] = [
    ("action", action),
    ("alias", alias),
    ("intent", intent),
    ("object", object),
    ("step", step),
];
