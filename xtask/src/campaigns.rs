//! `cargo xtask campaigns`: the tests that run thousands of plans, optimised, and one table of what they did.
//!
//! Every crate under `tests/` with a feature `campaigns` has some; each of its test files is a group. Some
//! start control planes of their own, and need the cluster's binaries and the operator's.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use instancelink_testkit::campaign::{self, Row};
use serde::Deserialize;

use crate::progress::say;
use crate::{build, command, places};

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Only test files whose names begin so
    pub(crate) groups: Vec<String>,
    /// The long ones: more plans, hours instead of minutes
    #[arg(long)]
    pub(crate) long: bool,
    /// Draw other plans
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Let one of the leaders that replace each other be the operator of this earlier commit
    #[arg(long)]
    pub(crate) beside: Option<String>,
}

/// The packages whose campaigns start etcd, an API server and the operator.
const NEED_PROGRAMS: [&str; 2] = ["faults", "instancelink-bench"];

/// The package whose campaigns count instructions.
const NEEDS_CALLGRIND: &str = "instancelink-bench";

/// A test file of campaigns.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    package: String,
    test: String,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    forget()?;
    let result = run_all(options);
    print()?;
    result
}

/// Runs them, and leaves the table to who asked.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    let failed = run_groups(&chosen(groups()?, &options.groups)?, options)?;
    if failed.is_empty() {
        return Ok(());
    }
    bail!("campaigns failed: {}", failed.join(", "))
}

fn run_groups(groups: &[Group], options: &Options) -> Result<Vec<String>> {
    let packages: BTreeSet<&str> = groups.iter().map(|group| group.package.as_str()).collect();
    // Of several packages' files of one name cargo runs all.
    let tests: BTreeSet<&str> = groups.iter().map(|group| group.test.as_str()).collect();
    // Built together first, so that the time of a campaign is its own.
    let mut build = places::cargo();
    build.args([
        "test",
        "--quiet",
        "--profile=campaign",
        "--features=campaigns",
        "--no-run",
    ]);
    for package in &packages {
        build.args(["--package", package]);
    }
    command::run(&mut build)?;
    if packages.contains(NEEDS_CALLGRIND) {
        crate::packages::ensure(crate::packages::CALLGRIND)?;
    }
    let programs = if NEED_PROGRAMS.iter().any(|name| packages.contains(name)) {
        programs()?
    } else {
        Vec::new()
    };
    let beside = options.beside.as_deref().map(build::earlier::operator).transpose()?;
    let mut failed = Vec::new();
    for test in tests {
        say(&format!("\n== campaigns: {test}"));
        let mut cargo = places::cargo();
        cargo.args(["test", "--quiet", "--profile=campaign", "--features=campaigns"]);
        for package in &packages {
            cargo.args(["--package", package]);
        }
        // One at a time: each uses the cores as it sees fit, and its row tells a time.
        cargo.args(["--test", test, "--", "--test-threads=1", "--nocapture"]);
        cargo.env(campaign::RECORD, record()?);
        cargo.envs(programs.iter().map(|(variable, path)| (variable, path)));
        if let Some(beside) = &beside {
            cargo.env("INSTANCELINK_OTHER_OPERATOR", beside);
        }
        if options.long {
            cargo.env(campaign::LONG, "1");
        }
        if let Some(seed) = options.seed {
            cargo.env(campaign::SEED, seed.to_string());
        }
        if command::run(&mut cargo).is_err() {
            failed.push(test.to_owned());
        }
    }
    Ok(failed)
}

/// What campaigns and measurements with a control plane of their own start: the variable that says where it is, and the path.
pub(crate) fn programs() -> Result<Vec<(String, PathBuf)>> {
    build::cluster::ensure(build::cluster::CONTROL_PLANE)?;
    // The one that is shipped, which the end-to-end tests need as well.
    let operator = build::ours::static_binary("instancelink")?;
    let mut programs = vec![("INSTANCELINK_OPERATOR".to_owned(), operator)];
    for tool in build::cluster::CONTROL_PLANE {
        let variable = tool.name.to_uppercase().replace('-', "_");
        programs.push((variable, build::cluster::path(*tool)?));
    }
    Ok(programs)
}

/// All test files that are built only with the feature `campaigns`.
fn groups() -> Result<Vec<Group>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
        #[serde(default, rename = "required-features")]
        required_features: Vec<String>,
    }
    let metadata = command::capture(places::cargo().args(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cannot read what cargo metadata says")?;
    let mut groups = Vec::new();
    for package in metadata.packages {
        for target in package.targets {
            if target.kind.iter().any(|kind| kind == "test")
                && target.required_features.contains(&"campaigns".to_owned())
            {
                groups.push(Group {
                    package: package.name.clone(),
                    test: target.name,
                });
            }
        }
    }
    groups.sort_by(|a, b| (&a.test, &a.package).cmp(&(&b.test, &b.package)));
    Ok(groups)
}

fn chosen(mut groups: Vec<Group>, asked: &[String]) -> Result<Vec<Group>> {
    let all: Vec<String> = groups.iter().map(|group| group.test.clone()).collect();
    groups.retain(|group| asked.is_empty() || asked.iter().any(|name| group.test.starts_with(name.as_str())));
    if groups.is_empty() {
        bail!(
            "no campaigns begin with {}; there are: {}",
            asked.join(", "),
            all.join(", ")
        );
    }
    Ok(groups)
}

/// The file that campaigns append their rows to, wherever they run.
pub(crate) fn record() -> Result<PathBuf> {
    Ok(places::target()?.join("campaigns.jsonl"))
}

/// Forgets the rows of an earlier run.
pub(crate) fn forget() -> Result<()> {
    let file = record()?;
    for old in [file.clone(), file.with_extension("violations")] {
        if old.exists() {
            fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    Ok(())
}

/// Adds the row of what is no test of a crate, and what it violated.
pub(crate) fn append(row: &Row, violations: &[String]) -> Result<()> {
    let file = record()?;
    let lines = violations.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    for (file, text) in [
        (file.with_extension("violations"), lines),
        (file, serde_json::to_string(row)? + "\n"),
    ] {
        let opened = OpenOptions::new().create(true).append(true).open(&file);
        let written = opened.and_then(|mut file| file.write_all(String::as_bytes(&text)));
        written.with_context(|| format!("cannot append to {}", file.display()))?;
    }
    Ok(())
}

fn rows() -> Result<Vec<Row>> {
    let record = record()?;
    let text = fs::read_to_string(&record).unwrap_or_default();
    let rows = text.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>()
        .with_context(|| format!("cannot read {}", record.display()))
}

/// Prints the table of what was run since the rows were forgotten.
pub(crate) fn print() -> Result<()> {
    let rows = rows()?;
    let mut out = io::stdout().lock();
    let width = rows.iter().map(|row| row.campaign.len()).max().unwrap_or(0).max(8);
    writeln!(
        out,
        "\n{:<width$} {:>12} {:>12} {:>10} {:>8}  seed",
        "campaign", "plans", "faults", "violations", "seconds"
    )?;
    for row in &rows {
        writeln!(
            out,
            "{:<width$} {:>12} {:>12} {:>10} {:>8.1}  {}",
            row.campaign, row.plans, row.faults, row.violations, row.seconds, row.seed
        )?;
    }
    let violations: u64 = rows.iter().map(|row| row.violations).sum();
    writeln!(out, "violations: {violations}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(test: &str) -> Group {
        Group {
            package: "p".to_owned(),
            test: test.to_owned(),
        }
    }

    #[test]
    fn groups_are_chosen_by_the_beginning_of_their_names() {
        let all = vec![group("crash"), group("model"), group("model_long")];
        assert_eq!(chosen(all.clone(), &[]).unwrap(), all);
        let model = chosen(all.clone(), &["model".to_owned()]).unwrap();
        assert_eq!(model, [group("model"), group("model_long")]);
        let error = chosen(all, &["nothing".to_owned()]).unwrap_err().to_string();
        assert!(error.ends_with("there are: crash, model, model_long"), "{error}");
    }
}
