//! `cargo xtask e2e`: the end-to-end tests, which know nothing of the cluster but its kubeconfig.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::cluster::{Cluster, DEFAULT, Wanted};
use crate::progress::say;
use crate::{build, command, image, places, up};

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// A test file's name, or else a part of test names
    group: Option<String>,
    /// Only the tests that need the cluster for themselves
    #[arg(long, conflicts_with = "parallel")]
    serial: bool,
    /// Only the tests that may run side by side
    #[arg(long)]
    parallel: bool,
}

/// Which test binaries run how.
struct Plan {
    side_by_side: Vec<String>,
    /// They disturb others (they end the operator, for one), so they come afterwards and one at a time.
    serial: Vec<String>,
    filter: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let plan = plan(options)?;
    let kubeconfig = match std::env::var_os("KUBECONFIG") {
        Some(file) => given(file.into())?,
        None => native()?,
    };
    let mut failed = Vec::new();
    if !plan.side_by_side.is_empty() {
        let mut cargo = cargo_test(&kubeconfig, &plan.side_by_side)?;
        if command::run(cargo.arg("--test-threads=4").args(&plan.filter)).is_err() {
            failed.extend(plan.side_by_side.clone());
        }
    }
    for test in &plan.serial {
        let mut cargo = cargo_test(&kubeconfig, std::slice::from_ref(test))?;
        if command::run(cargo.arg("--test-threads=1").args(&plan.filter)).is_err() {
            failed.push(test.clone());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "end-to-end tests failed among: {}; the cluster still runs (KUBECONFIG={})",
        failed.join(", "),
        kubeconfig.display()
    );
}

fn given(kubeconfig: PathBuf) -> Result<PathBuf> {
    build::cluster::ensure(&[build::cluster::KUBECTL])?;
    match Cluster::of_kubeconfig(&kubeconfig)? {
        Some(cluster) if cluster.has_node() => cluster.load(&image::workload()?)?,
        _ => say(&format!(
            "the cluster of KUBECONFIG is not ours; it must be able to pull {}",
            image::WORKLOAD
        )),
    }
    Ok(kubeconfig)
}

/// Brings it up with the operator of this checkout: a test of yesterday's operator proves nothing.
fn native() -> Result<PathBuf> {
    let options = match Cluster::find(DEFAULT)? {
        Some(cluster) => up::Options {
            wanted: Wanted {
                cluster: Some(cluster.record.provider),
                ..Wanted::native()
            },
            ..up::Options::native()
        },
        None => up::Options::native(),
    };
    up::run(&options)?;
    let cluster = Cluster::find(DEFAULT)?.context("the cluster that was just started is gone")?;
    if !cluster.has_node() {
        bail!("the end-to-end tests need a cluster in which pods run: run this as root, or set KUBECONFIG");
    }
    Ok(cluster.record.kubeconfig)
}

fn plan(options: &Options) -> Result<Plan> {
    let folder = places::checkout().join("tests/e2e/tests");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut tests: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    tests.sort();
    let mut filter = options.group.clone();
    if let Some(group) = &options.group {
        let named = |test: &String| test == group || test.strip_prefix("serial_") == Some(group.as_str());
        if tests.iter().any(named) {
            tests.retain(named);
            filter = None;
        }
    }
    let (mut serial, mut side_by_side): (Vec<_>, Vec<_>) =
        tests.into_iter().partition(|test| test.starts_with("serial_"));
    if options.serial {
        side_by_side.clear();
    }
    if options.parallel {
        serial.clear();
    }
    Ok(Plan {
        side_by_side,
        serial,
        filter,
    })
}

/// Up to the `--` after which the test binaries' own options follow.
fn cargo_test(kubeconfig: &PathBuf, tests: &[String]) -> Result<Command> {
    let mut cargo = places::cargo();
    cargo
        .env("KUBECONFIG", kubeconfig)
        .env("KUBECTL", build::cluster::path(build::cluster::KUBECTL)?)
        .args(["test", "--package", "e2e", "--no-fail-fast"]);
    for test in tests {
        cargo.args(["--test", test]);
    }
    // Plain `cargo test` has no cluster and leaves them out.
    cargo.args(["--", "--include-ignored"]);
    Ok(cargo)
}
