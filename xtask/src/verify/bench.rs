//! `cargo xtask bench`: measures the operator, a raw writer of the same requests, and the same operator written with other
//! frameworks.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use super::campaigns;
use crate::artifacts::peers;
use crate::{command, paths};

#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Scenarios (default: all) and options of the harness, see `cargo xtask bench -- --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Measures, and writes `docs/benchmarks.md` from all measurements, those of earlier runs included.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = paths::checkout().join("docs/benchmarks");
    let mut git = Command::new("git");
    let commit = command::capture(
        git.args(["describe", "--always", "--dirty"])
            .current_dir(paths::checkout()),
    )?;
    let mut run = harness(&["run", "--out"], &folder);
    run.args(&options.arguments).env("INSTANCELINK_COMMIT", commit.trim());
    run.envs(campaigns::programs()?).envs(peers::named(&options.arguments)?);
    command::run(&mut run)?;
    command::run(&mut harness(&["report"], &folder))
}

/// The harness, optimised, with its folder of results.
fn harness(arguments: &[&str], folder: &Path) -> Command {
    let mut cargo = paths::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package=instancelink-bench",
        "--features=harness",
        "--",
    ]);
    cargo.args(arguments).arg(folder);
    cargo
}
