//! The tests: the stages of `cargo xtask check` and `cargo xtask test`, and the suites that are more than `cargo test`.

pub(crate) mod bench;
pub(crate) mod campaigns;
pub(crate) mod check;
pub(crate) mod conformance;
mod counted;
pub(crate) mod e2e;
mod layers;
pub(crate) mod mutants;
pub(crate) mod proofs;
mod runner;
pub(crate) mod seeded;
mod single;
mod sizes;
pub(crate) mod stages;
pub(crate) mod structure;
