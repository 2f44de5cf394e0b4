//! Rollback: a spec that was bad for a while and is good again ends like a new good one (lifecycle#good-after-bad).
//!
//! `fields` reads the CRD for every field there is, `values` has good and bad values for each, `stage` shows the operator
//! what the specs name, `run` edits and compares.

mod end;
mod fields;
mod run;
mod stage;
mod values;

pub use fields::{Field, fields};
pub use run::{Trial, holds};
pub use stage::GOOD;
pub use values::values;
