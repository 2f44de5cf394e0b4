//! Rollback (lifecycle#good-after-bad): a link whose spec was bad for a time and is good again ends like a new link
//! with the good spec.
//!
//! `fields` reads every field from the CRD, `values` has values for each, `surroundings` has the objects that the specs
//! name, `run` edits and compares.

mod end;
mod fields;
mod run;
mod surroundings;
mod values;

pub use fields::{Field, fields};
pub use run::{Trial, run_trial};
pub use surroundings::GOOD;
pub use values::values;
