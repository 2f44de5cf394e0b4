//! Runs one suite by itself, as `cargo xtask conformance` and `cargo xtask e2e` do: opens the proofs, runs what is not
//! proven, and prints the table.

use anyhow::Result;

use super::campaigns::record;
use super::proofs::{ProofOptions, Proofs};
use super::runner::Done;

pub(crate) fn run(options: ProofOptions, suite: impl FnOnce(&Proofs) -> Result<Done>) -> Result<()> {
    record::clear()?;
    let proofs = Proofs::open(options)?;
    let result = suite(&proofs);
    // The rows of what ran are of use after a failure, too.
    record::print()?;
    result.map(drop)
}
