//! `cargo xtask bench`: what the operator costs, beside a raw writer of the same requests and beside its peers.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use super::campaigns;
use crate::artifacts::peers;
use crate::{command, paths};

#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Scenarios (all where none is named) and options of the harness, see `cargo xtask bench -- --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs them, and writes `docs/benchmarks.md` from what was measured, now and before.
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

/// The harness, built for speed, about this folder.
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
