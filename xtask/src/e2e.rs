//! `cargo xtask e2e`: the end-to-end tests, which know nothing of the cluster but its kubeconfig.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use instancelink_testkit::campaign;

use crate::cluster::{Cluster, DEFAULT, Wanted};
use crate::histories::Histories;
use crate::progress::{explained, say};
use crate::{build, campaigns, command, image, places, up};

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// A test file's name or its first words (`dataplane` is every `dataplane_…`), or else a part of test names
    group: Option<String>,
    /// Only the tests that need the cluster for themselves
    #[arg(long, conflicts_with = "parallel")]
    serial: bool,
    /// Only the tests that may run side by side
    #[arg(long)]
    parallel: bool,
}

/// The tests whose pods run PostgreSQL or its client.
const NEED_POSTGRES: &[&str] = &["dataplane_postgres", "dataplane_resolvers"];
/// The tests whose pods ask for names as Go does.
const NEED_RESOLVER: &[&str] = &["dataplane_resolvers"];

/// Those that need the cluster for themselves, but whose tests do not disturb each other.
const TOGETHER: &[&str] = &["serial_crds"];

/// Which test binaries run how.
struct Plan {
    side_by_side: Vec<String>,
    /// They disturb others (they end the operator, for one), so they come afterwards and one at a time.
    serial: Vec<String>,
    filter: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let plan = plan(test_files()?, options);
    let kubeconfig = match std::env::var_os("KUBECONFIG") {
        Some(file) => given(file.into(), &plan)?,
        None => native(&plan)?,
    };
    let histories = Histories::watch(&kubeconfig)?;
    let mut failed = Vec::new();
    if !plan.side_by_side.is_empty() {
        let mut cargo = cargo_test(&kubeconfig, &plan.side_by_side)?;
        if command::run(cargo.arg("--test-threads=4").args(&plan.filter)).is_err() {
            failed.extend(plan.side_by_side.clone());
        }
    }
    for test in &plan.serial {
        let mut cargo = cargo_test(&kubeconfig, std::slice::from_ref(test))?;
        let threads = if TOGETHER.contains(&test.as_str()) { 4 } else { 1 };
        let cargo = cargo.arg(format!("--test-threads={threads}"));
        if command::run(cargo.args(&plan.filter)).is_err() {
            failed.push(test.clone());
        }
    }
    if let Err(error) = histories.judge(options.group.is_none()) {
        say(&explained("histories", &error));
        failed.push("the histories of links".to_owned());
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

fn given(kubeconfig: PathBuf, plan: &Plan) -> Result<PathBuf> {
    build::cluster::ensure(&[build::cluster::KUBECTL])?;
    match Cluster::of_kubeconfig(&kubeconfig)? {
        Some(cluster) if cluster.has_node() => {
            cluster.load(&image::workload()?)?;
            load_more(&cluster, plan)?;
        }
        _ => say(&format!(
            "the cluster of KUBECONFIG is not ours; it must be able to pull {} and what else `cargo xtask image` makes",
            image::WORKLOAD
        )),
    }
    Ok(kubeconfig)
}

/// What only some tests need: who runs another group does not wait for it.
fn load_more(cluster: &Cluster, plan: &Plan) -> Result<()> {
    let tests = || plan.side_by_side.iter().chain(&plan.serial);
    if tests().any(|test| NEED_POSTGRES.contains(&test.as_str())) {
        cluster.load(&image::postgres()?)?;
    }
    if tests().any(|test| NEED_RESOLVER.contains(&test.as_str())) {
        cluster.load(&image::resolver()?)?;
    }
    Ok(())
}

/// Brings it up with the operator of this checkout: a test of yesterday's operator proves nothing.
fn native(plan: &Plan) -> Result<PathBuf> {
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
    load_more(&cluster, plan)?;
    Ok(cluster.record.kubeconfig)
}

fn test_files() -> Result<Vec<String>> {
    let folder = places::checkout().join("tests/e2e/tests");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut tests: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    tests.sort();
    Ok(tests)
}

fn plan(mut tests: Vec<String>, options: &Options) -> Plan {
    let mut filter = options.group.clone();
    if let Some(group) = &options.group {
        let named = |test: &String| is_in_group(test, group) || is_in_group(test.trim_start_matches("serial_"), group);
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
    Plan {
        side_by_side,
        serial,
        filter,
    }
}

/// A file is in the group of its whole name and in those of its first words.
fn is_in_group(test: &str, group: &str) -> bool {
    test.strip_prefix(group)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Up to the `--` after which the test binaries' own options follow.
fn cargo_test(kubeconfig: &PathBuf, tests: &[String]) -> Result<Command> {
    let mut cargo = places::cargo();
    cargo
        .env("KUBECONFIG", kubeconfig)
        .env("KUBECTL", build::cluster::path(build::cluster::KUBECTL)?)
        .env(campaign::RECORD, campaigns::record()?)
        .args(["test", "--package", "e2e", "--no-fail-fast"]);
    for test in tests {
        cargo.args(["--test", test]);
    }
    // Plain `cargo test` has no cluster and leaves them out.
    cargo.args(["--", "--include-ignored"]);
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(group: &str) -> (Vec<String>, Vec<String>, Option<String>) {
        let files = [
            "actions",
            "action_table",
            "dataplane_follow",
            "dataplane_kinds",
            "serial_faults",
            "walk",
        ];
        let options = Options {
            group: Some(group.to_owned()),
            ..Options::default()
        };
        let plan = plan(files.map(str::to_owned).to_vec(), &options);
        (plan.side_by_side, plan.serial, plan.filter)
    }

    #[test]
    fn a_group_is_a_file_or_all_files_whose_names_begin_with_its_words() {
        let side_by_side = |group| planned(group).0;
        assert_eq!(side_by_side("walk"), ["walk"]);
        assert_eq!(side_by_side("dataplane"), ["dataplane_follow", "dataplane_kinds"]);
        assert_eq!(side_by_side("dataplane_kinds"), ["dataplane_kinds"]);
        assert_eq!(side_by_side("action"), ["action_table"], "and not `actions`");
        assert_eq!(planned("faults").1, ["serial_faults"]);
    }

    #[test]
    fn what_no_file_is_called_is_looked_for_in_the_names_of_all_tests() {
        let (side_by_side, serial, filter) = planned("retarget");
        assert_eq!((side_by_side.len(), serial.len()), (5, 1));
        assert_eq!(filter.as_deref(), Some("retarget"));
    }

    #[test]
    fn tests_that_need_something_of_their_own_are_files_that_exist() {
        let files = test_files().unwrap();
        for test in NEED_POSTGRES.iter().chain(NEED_RESOLVER).chain(TOGETHER) {
            assert!(files.iter().any(|file| file == test), "{test}");
        }
    }
}
