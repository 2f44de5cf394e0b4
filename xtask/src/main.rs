//! `cargo xtask …`: clusters to work against, the tests, and generated files.
//!
//! `main` reads the arguments and calls one task. `dev` has the tasks that a developer uses with a cluster, `verify` the
//! tests, `generate` the generated files. Below them: `cluster` starts and ends clusters, `image` packs images,
//! `artifacts` builds binaries, and `inputs` says what a build or a test depends on. Nothing else in the workspace depends on this crate.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod artifacts;
mod cluster;
mod command;
mod dev;
mod digest;
mod generate;
mod image;
mod inputs;
mod packages;
mod paths;
mod progress;
mod seeds;
mod verify;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use artifacts::cluster_binaries;
use cluster::{Cluster, DEFAULT};
use dev::{status, up};
use verify::proofs::ProofOptions;
use verify::{bench, campaigns, check, conformance, e2e, mutants, seeded, stages, structure};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start a cluster, install the operator from this checkout, and run the demo
    Up(up::Options),
    /// End a cluster and remove all of it
    Down {
        #[arg(long, default_value = DEFAULT)]
        name: String,
    },
    /// Show what runs
    Status {
        #[arg(long, default_value = DEFAULT)]
        name: String,
    },
    /// Print the path of a cluster's kubeconfig
    Kubeconfig {
        #[arg(long, default_value = DEFAULT)]
        name: String,
    },
    /// Load an image archive into a cluster's nodes
    Load {
        archive: PathBuf,
        #[arg(long, default_value = DEFAULT)]
        name: String,
    },
    /// Build the cluster's binaries (a step of `up`)
    BuildCluster {
        /// Only what a cluster without a node needs
        #[arg(long)]
        no_node: bool,
    },
    /// Build image archives (default: of the operator and of the test workload)
    Image(image::Options),
    /// Generate crds/ from the types in crates/api
    Crds {
        /// Write nothing; fail if a file differs
        #[arg(long)]
        check: bool,
    },
    /// Generate the tables of the documentation: states, actions, messages, seeded bugs
    Docs {
        /// Write nothing; fail if a file differs
        #[arg(long)]
        check: bool,
    },
    /// Run the end-to-end tests, on the cluster of KUBECONFIG or else on the native cluster
    E2e(e2e::Options),
    /// Run the tests that try thousands of plans of faults
    Campaigns(campaigns::Options),
    /// Measure the operator, and for comparison a raw writer of the same requests and the peers
    Bench(bench::Options),
    /// Change the decisions of core one at a time; a test must fail for each change
    Mutants(mutants::Options),
    /// Put bugs that other controllers had into the operator, one at a time; a test must fail for each
    Seeded(seeded::Options),
    /// Compare the double of the API server with a real API server: of KUBECONFIG, where no operator may run, or else a new one
    Conformance(conformance::Options),
    /// List problems of the structure: dependencies that cross layers, long files, circles of files
    Structure,
    /// Check what every change must pass: format, lints, unit tests, licences, generated files. Needs no root and no cluster
    Check(ProofOptions),
    /// Run everything: the check, the documentation, campaigns, conformance and the end-to-end tests.
    /// Groups of tests do not run again if nothing that they depend on has changed since they passed
    Test(stages::Options),
}

fn main() -> ExitCode {
    match run(Args::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(&progress::explained("error", &error));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Up(options) => up::run(&options),
        Task::Down { name } => Cluster::down(&name),
        Task::Status { name } => status::run(&name),
        Task::Kubeconfig { name } => {
            writeln!(io::stdout(), "{}", existing(&name)?.record.kubeconfig.display())?;
            Ok(())
        }
        Task::Load { archive, name } => existing(&name)?.load_archive(&archive),
        Task::BuildCluster { no_node } => cluster_binaries::ensure(if no_node {
            cluster_binaries::CONTROL_PLANE
        } else {
            cluster_binaries::WITH_NODE
        }),
        Task::Image(options) => image::run(&options),
        Task::Crds { check } => generate::crds(check),
        Task::Docs { check } => generate::docs(check),
        Task::E2e(options) => e2e::run(&options),
        Task::Campaigns(options) => campaigns::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Mutants(options) => mutants::run(&options),
        Task::Conformance(options) => conformance::run(&options),
        Task::Seeded(options) => seeded::run(&options),
        Task::Structure => structure::run(),
        Task::Check(options) => check::run(options),
        Task::Test(options) => stages::run(options),
    }
}

fn existing(name: &str) -> Result<Cluster> {
    Cluster::find(name)?
        .with_context(|| format!("there is no cluster '{name}'; start it with `cargo xtask up --name {name}`"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Args::command().debug_assert();
    }
}
