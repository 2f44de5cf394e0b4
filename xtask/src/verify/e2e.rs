//! `cargo xtask e2e`: the end-to-end tests, which know nothing of the cluster but its kubeconfig.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use instancelink_testkit::campaign;

use super::campaigns;
use super::histories::Histories;
use crate::artifacts::{cluster_binaries, static_binaries};
use crate::cluster::{Cluster, DEFAULT, Wanted};
use crate::dev::up;
use crate::progress::{explained, say};
use crate::{command, image, paths};

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// A group's name or its first words (`dataplane` is every `dataplane_…`), or else a part of test names
    group: Option<String>,
    /// Only the tests that need the cluster for themselves
    #[arg(long, conflicts_with = "parallel")]
    serial: bool,
    /// Only the tests that may run side by side
    #[arg(long)]
    parallel: bool,
}

/// The groups whose pods run PostgreSQL or its client.
const NEED_POSTGRES: &[&str] = &["dataplane_postgres", "dataplane_resolvers"];
/// The groups whose pods ask for names as Go does.
const NEED_RESOLVER: &[&str] = &["dataplane_resolvers"];

/// The test binary, a folder of its own, in which each file or folder is a group.
const SIDE_BY_SIDE: &str = "side_by_side";
/// Theirs disturb others (they end the operator, for one): they come afterwards, a group at a time.
const SERIAL: &str = "serial";
/// The group of those whose tests do not disturb each other.
const TOGETHER: &str = "crds";

/// How many tests wait for the cluster at once.
const THREADS: usize = 4;

/// One call of a test binary.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    binary: &'static str,
    /// Of a test's path, such as `walk::`.
    filters: Vec<String>,
    threads: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let runs = runs(groups(SIDE_BY_SIDE)?, groups(SERIAL)?, options);
    let kubeconfig = match std::env::var_os("KUBECONFIG") {
        Some(file) => given(file.into(), &runs)?,
        None => native(&runs)?,
    };
    let operator = static_binaries::static_binary("instancelink")?;
    let histories = Histories::watch(&kubeconfig)?;
    let mut failed = Vec::new();
    for run in &runs {
        let mut cargo = cargo_test(&kubeconfig, &operator, run.binary)?;
        cargo.arg(format!("--test-threads={}", run.threads)).args(&run.filters);
        if command::run(&mut cargo).is_err() {
            failed.push(format!("{} {}", run.binary, run.filters.join(" ")));
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

fn given(kubeconfig: PathBuf, runs: &[Run]) -> Result<PathBuf> {
    cluster_binaries::ensure(&[cluster_binaries::KUBECTL])?;
    match Cluster::of_kubeconfig(&kubeconfig)? {
        Some(cluster) if cluster.has_node() => {
            cluster.load(&image::workload()?)?;
            load_more(&cluster, runs)?;
        }
        _ => say(&format!(
            "the cluster of KUBECONFIG is not ours; it must be able to pull {} and what else `cargo xtask image` makes",
            image::WORKLOAD
        )),
    }
    Ok(kubeconfig)
}

/// What only some tests need: who runs another group does not wait for it.
fn load_more(cluster: &Cluster, runs: &[Run]) -> Result<()> {
    let any_of = |groups: &[&str]| runs.iter().any(|run| groups.iter().any(|group| run.may_be_in(group)));
    if any_of(NEED_POSTGRES) {
        cluster.load(&image::postgres()?)?;
    }
    if any_of(NEED_RESOLVER) {
        cluster.load(&image::resolver()?)?;
    }
    Ok(())
}

/// Brings it up with the operator of this checkout: a test of yesterday's operator proves nothing.
fn native(runs: &[Run]) -> Result<PathBuf> {
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
    load_more(&cluster, runs)?;
    Ok(cluster.record.kubeconfig)
}

fn groups(binary: &str) -> Result<Vec<String>> {
    let folder = paths::checkout().join("tests/e2e/tests").join(binary);
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut groups: Vec<String> = names
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| name != "main")
        .collect();
    groups.sort();
    Ok(groups)
}

fn runs(mut side_by_side: Vec<String>, mut serial: Vec<String>, options: &Options) -> Vec<Run> {
    let mut part = options.group.clone();
    if let Some(group) = &options.group {
        let named = |name: &String| is_in_group(name, group);
        if side_by_side.iter().chain(&serial).any(named) {
            side_by_side.retain(named);
            serial.retain(named);
            part = None;
        }
    }
    if options.serial {
        side_by_side.clear();
    }
    if options.parallel {
        serial.clear();
    }
    let beside = Some((SIDE_BY_SIDE, side_by_side, THREADS));
    let alone = |group: String| {
        let threads = if group == TOGETHER { THREADS } else { 1 };
        (SERIAL, vec![group], threads)
    };
    let alone: Vec<_> = match &part {
        // A part of a name may be in any of them.
        Some(_) => vec![(SERIAL, serial, 1)],
        None => serial.into_iter().map(alone).collect(),
    };
    let calls = beside
        .into_iter()
        .chain(alone)
        .filter(|(_, groups, _)| !groups.is_empty());
    calls
        .map(|(binary, groups, threads)| Run {
            binary,
            filters: match &part {
                Some(part) => vec![part.clone()],
                None => groups.iter().map(|group| path_of(group)).collect(),
            },
            threads,
        })
        .collect()
}

impl Run {
    fn may_be_in(&self, group: &str) -> bool {
        let path = path_of(group);
        self.filters
            .iter()
            .any(|filter| !filter.ends_with("::") || *filter == path)
    }
}

/// What the paths of its tests begin with.
fn path_of(group: &str) -> String {
    format!("{group}::")
}

/// A file is in the group of its whole name and in those of its first words.
fn is_in_group(test: &str, group: &str) -> bool {
    test.strip_prefix(group)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Up to the `--` after which the test binary's own options follow.
fn cargo_test(kubeconfig: &Path, operator: &Path, binary: &str) -> Result<Command> {
    let mut cargo = paths::cargo();
    cargo
        .env("KUBECONFIG", kubeconfig)
        .env("KUBECTL", cluster_binaries::path(cluster_binaries::KUBECTL)?)
        .env(campaigns::OPERATOR, operator)
        .env(campaign::RECORD, campaigns::record()?)
        // Plain `cargo test` has no cluster and leaves them out.
        .args(["test", "--package", "e2e", "--test", binary, "--", "--include-ignored"]);
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(group: &str) -> Vec<Run> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let beside = owned(&["actions", "action_table", "dataplane_follow", "dataplane_kinds", "walk"]);
        let options = Options {
            group: Some(group.to_owned()).filter(|group| !group.is_empty()),
            ..Options::default()
        };
        runs(beside, owned(&["crds", "faults"]), &options)
    }

    fn call(binary: &'static str, filters: &[&str], threads: usize) -> Run {
        Run {
            binary,
            filters: filters.iter().map(|&filter| filter.to_owned()).collect(),
            threads,
        }
    }

    #[test]
    fn a_group_is_a_file_or_all_files_whose_names_begin_with_its_words() {
        let beside = |filters| [call(SIDE_BY_SIDE, filters, THREADS)];
        assert_eq!(planned("walk"), beside(&["walk::"]));
        assert_eq!(
            planned("dataplane"),
            beside(&["dataplane_follow::", "dataplane_kinds::"])
        );
        assert_eq!(planned("dataplane_kinds"), beside(&["dataplane_kinds::"]));
        assert_eq!(planned("action"), beside(&["action_table::"]), "and not `actions`");
        assert_eq!(planned("faults"), [call(SERIAL, &["faults::"], 1)]);
    }

    #[test]
    fn what_needs_the_cluster_for_itself_comes_afterwards_a_group_at_a_time() {
        let all = planned("");
        let (beside, alone) = all.split_first().unwrap();
        assert_eq!(beside.filters.len(), 5);
        assert_eq!(
            alone,
            [call(SERIAL, &["crds::"], THREADS), call(SERIAL, &["faults::"], 1)]
        );
    }

    #[test]
    fn what_no_file_is_called_is_looked_for_in_the_names_of_all_tests() {
        let both = [
            call(SIDE_BY_SIDE, &["retarget"], THREADS),
            call(SERIAL, &["retarget"], 1),
        ];
        assert_eq!(planned("retarget"), both);
        assert!(both.iter().all(|run| run.may_be_in("dataplane_postgres")));
    }

    #[test]
    fn each_group_is_part_of_its_binary_and_no_other_is_run_with_it() {
        for binary in [SIDE_BY_SIDE, SERIAL] {
            let main = paths::checkout().join("tests/e2e/tests").join(binary).join("main.rs");
            let main = fs::read_to_string(main).unwrap();
            let groups = groups(binary).unwrap();
            for group in &groups {
                assert!(main.contains(&format!("mod {group};")), "{binary} without {group}");
                let ends_so = groups.iter().filter(|other| other.ends_with(group.as_str()));
                assert_eq!(ends_so.count(), 1, "{group}:: is a part of another's path");
            }
        }
    }

    #[test]
    fn groups_of_which_something_is_known_are_there_and_uninstalling_is_the_last() {
        let beside = groups(SIDE_BY_SIDE).unwrap();
        for group in NEED_POSTGRES.iter().chain(NEED_RESOLVER) {
            assert!(beside.iter().any(|name| name == group), "{group}");
        }
        let serial = groups(SERIAL).unwrap();
        assert!(serial.iter().any(|name| name == TOGETHER));
        assert_eq!(serial.last().map(String::as_str), Some("uninstall"));
    }
}
