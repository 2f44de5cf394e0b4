//! `cargo xtask bench`: what the operator costs, beside a raw writer of the same requests and beside its peers.

use anyhow::Result;
use clap::Args;

use crate::{campaigns, command, places};

#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Scenarios and options of the harness, see `cargo xtask bench -- --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut cargo = places::cargo();
    cargo.args(["run", "--quiet", "--release", "--package=instancelink-bench", "--"]);
    cargo.args(&options.arguments).envs(campaigns::programs()?);
    command::run(&mut cargo)
}
