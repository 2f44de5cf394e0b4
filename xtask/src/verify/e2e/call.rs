//! Calls a test binary of the end-to-end tests, shows its output, and counts the tests that passed.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::groups::{Run, prefix_of};
use crate::artifacts::cluster_binaries;
use crate::paths;
use crate::progress::say;
use crate::verify::campaigns;

/// Runs the tests. Returns how many tests of each group passed; an error when one failed. A group that says that its tests
/// are not counted, because this cluster cannot prove what they are about, is not among them.
pub(super) fn run(run: &Run, kubeconfig: &Path, operator: &Path) -> Result<BTreeMap<String, usize>> {
    let mut cargo = cargo_test(kubeconfig, operator, run.binary)?;
    cargo
        .arg(format!("--test-threads={}", run.threads))
        .args(run.filters())
        .stdout(Stdio::piped());
    let mut child = cargo.spawn().context("cannot start cargo")?;
    let output = child.stdout.take().context("the standard output is a pipe")?;
    let (mut passed, mut uncounted) = (Vec::new(), BTreeMap::new());
    let mut shown = io::stdout();
    for line in BufReader::new(output).lines() {
        let line = line?;
        writeln!(shown, "{line}")?;
        passed.extend(passed_test(&line).map(str::to_owned));
        uncounted.extend(uncounted_group(&line).map(|(group, why)| (group.to_owned(), why.to_owned())));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the tests of {} ended with {status}", run.binary);
    }
    for (group, why) in &uncounted {
        say(&format!("end to end: {group}: not counted, because {why}"));
    }
    let mut counts = counts(&run.groups, &passed);
    counts.retain(|group, _| !uncounted.contains_key(group));
    // A part of test names can be in the tests of other groups only.
    if run.part.is_none() {
        require_tests(&counts)?;
    }
    Ok(counts)
}

fn require_tests(counts: &BTreeMap<String, usize>) -> Result<()> {
    let empty = counts.iter().filter(|(_, tests)| **tests == 0);
    let empty: Vec<&str> = empty.map(|(group, _)| group.as_str()).collect();
    if !empty.is_empty() {
        bail!("no test ran of {}, so nothing was tested", empty.join(", "));
    }
    Ok(())
}

/// The name of the test that passed, in a line of a test binary.
fn passed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... ok")
}

/// A line of `harness::not_counted`: a group, and why its tests prove nothing here.
fn uncounted_group(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("not counted: ")?.split_once(": ")
}

fn counts(groups: &[String], passed: &[String]) -> BTreeMap<String, usize> {
    let count = |group: &String| {
        let prefix = prefix_of(group);
        passed.iter().filter(|test| test.starts_with(&prefix)).count()
    };
    groups.iter().map(|group| (group.clone(), count(group))).collect()
}

/// Up to the `--` after which the options of the test binary follow.
fn cargo_test(kubeconfig: &Path, operator: &Path, binary: &str) -> Result<Command> {
    let mut cargo = paths::cargo();
    cargo
        .env("KUBECONFIG", kubeconfig)
        .env("KUBECTL", cluster_binaries::path(cluster_binaries::KUBECTL)?)
        .env(campaigns::OPERATOR, operator)
        // Plain `cargo test` has no cluster and leaves them out.
        .args(["test", "--package", "e2e", "--test", binary, "--", "--include-ignored"]);
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_says_that_its_tests_are_not_counted() {
        let line = "not counted: packets: the cluster does not enforce NetworkPolicies";
        let said = ("packets", "the cluster does not enforce NetworkPolicies");
        assert_eq!(uncounted_group(line), Some(said));
        assert_eq!(uncounted_group("test packets::a_pod_is_shut_out ... ok"), None);
    }

    #[test]
    fn the_tests_that_passed_are_counted_by_group() {
        let lines = [
            "running 4 tests",
            "test walk::a_link_becomes_active ... ok",
            "test walk::a_link_ends ... FAILED",
            "test crds::reference_grants::a_grant_counts ... ok",
            "test result: ok. 2 passed",
        ];
        let passed: Vec<String> = lines.into_iter().filter_map(passed_test).map(str::to_owned).collect();
        let groups = ["crds", "holds", "walk"].map(str::to_owned);
        let counts = counts(&groups, &passed);
        let expected = [("crds", 1), ("holds", 0), ("walk", 1)].map(|(group, tests)| (group.to_owned(), tests));
        assert_eq!(counts, BTreeMap::from(expected));
        let error = require_tests(&counts).unwrap_err().to_string();
        assert_eq!(error, "no test ran of holds, so nothing was tested");
    }
}
