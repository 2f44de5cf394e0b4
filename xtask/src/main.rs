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
    /// End a cluster and leave nothing of it
    Down {
        #[arg(long, default_value = DEFAULT)]
        name: String,
    },
    /// What runs
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
    /// Build image archives: of the operator and the test workload, or those that are named
    Image(image::Options),
    /// Write crds/ from the types in crates/api
    Crds {
        /// Only fail when they differ
        #[arg(long)]
        check: bool,
    },
    /// Render core's tables and the catalogue of seeded bugs into the book
    Docs {
        /// Only fail when they differ
        #[arg(long)]
        check: bool,
    },
    /// The end-to-end tests, against KUBECONFIG or else the native cluster
    E2e(e2e::Options),
    /// The tests that run thousands of plans
    Campaigns(campaigns::Options),
    /// Measure the operator beside a raw writer of the same requests and beside its peers
    Bench(bench::Options),
    /// Change the decisions one by one, and ask whether a test notices
    Mutants(mutants::Options),
    /// Bugs that others had, put into the operator one by one: a test has to notice each
    Seeded(seeded::Options),
    /// The double of the API server against a real one: KUBECONFIG's, in which no operator runs, or else one of its own
    Conformance(conformance::Options),
    /// List what is wrong with the structure: layers that are crossed, files that are too long, circles of files
    Structure,
    /// What holds for every change: format, lints, unit tests, licences, generated files. Needs neither root nor a cluster
    Check(ProofOptions),
    /// Everything: the check, the documentation, campaigns, conformance and the end-to-end tests. Groups of tests on whose
    /// inputs nothing has changed since they passed do not run again
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
