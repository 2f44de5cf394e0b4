//! Generates files of the repository from the operator's code: `cargo xtask crds` and `cargo xtask docs` run it.
//!
//! It is a separate program because it is compiled with the whole API of Kubernetes. `cargo xtask up` does not wait for
//! that.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod crds;
mod file;
mod messages;
mod states;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Args {
    what: What,
    /// Only fail when a committed file differs
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// The manifests in crds/
    Crds,
    /// The tables and the messages in docs/
    Docs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args.what, args.check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: What, check: bool) -> Result<()> {
    match what {
        What::Crds => crds::run(check),
        What::Docs => {
            states::run(check)?;
            messages::run(check)
        }
    }
}
