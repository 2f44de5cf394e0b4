//! Kinds that are there for the whole cluster or not at all, and come and go while the operator runs. What is asked of one
//! of them is asked of a CRD that stands once: each of these tests has its own to itself, and they run together.

mod reference_grants;
mod scaled_kinds;
