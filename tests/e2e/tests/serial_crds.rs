//! Kinds that are there for the whole cluster or not at all, and come and go while the operator runs. What is asked of one
//! of them is asked of a CRD that stands once: each of these tests has its own to itself, and they run together.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

#[path = "crds/reference_grants.rs"]
mod reference_grants;
#[path = "crds/scaled_kinds.rs"]
mod scaled_kinds;
