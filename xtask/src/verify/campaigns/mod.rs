//! `cargo xtask campaigns`: the tests that run thousands of plans, optimised, and one table of what they did.
//!
//! Each campaign is a test file (`groups`). A plan says which of them run now; the others passed before with the same
//! inputs (`plan`). The tests write rows into files, which become the table (`record`).

mod groups;
mod plan;
pub(crate) mod record;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;
use instancelink_testkit::campaign;

use super::proofs::{ProofOptions, Proofs};
use crate::artifacts::{cluster_binaries, earlier_operator, static_binaries};
use crate::packages;
use crate::progress::{explained, say};
use crate::verify::counted;
use crate::verify::runner::Done;
use crate::verify::single;

use groups::Group;
pub(crate) use plan::Plan;

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Only test files whose names begin with one of these
    pub(crate) groups: Vec<String>,
    /// The long campaigns: more plans, hours instead of minutes
    #[arg(long)]
    pub(crate) long: bool,
    /// Draw other plans
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Take the operator of this earlier commit for one of the leaders that replace each other
    #[arg(long)]
    pub(crate) beside: Option<String>,
    #[command(flatten)]
    pub(crate) proofs: ProofOptions,
}

/// Which groups of a plan are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    /// Those that start etcd, an API server and the operator, and mostly wait for them.
    OnServers,
    /// All others, which only need processors.
    WithoutServers,
}

impl Part {
    fn has(self, group: &Group) -> bool {
        match self {
            Self::All => true,
            Self::OnServers => group.needs_servers(),
            Self::WithoutServers => !group.needs_servers(),
        }
    }
}

/// When the output of a group is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// While it runs.
    Live,
    /// When it has ended, since other tests run at the same time. What needs only processors has the lowest priority then.
    Collected,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    single::run(options.proofs, |proofs| {
        run_part(&Plan::new(options, proofs)?, Part::All, Output::Live, proofs)
    })
}

/// Runs groups of a plan. The caller prints the table.
pub(crate) fn run_part(plan: &Plan, part: Part, output: Output, proofs: &Proofs) -> Result<Done> {
    if !plan.needs(part) {
        return Ok(Done::Unchanged);
    }
    for planned in plan.groups.iter().filter(|planned| part.has(&planned.group)) {
        planned.begin(proofs);
    }
    let groups: Vec<&Group> = plan.groups.iter().map(|planned| &planned.group).collect();
    // All groups of the plan, whatever the part, so that each dependency is built once and the time of a campaign is its own.
    let executables = groups::build(&groups)?;
    let chosen: Vec<_> = plan
        .groups
        .iter()
        .zip(executables)
        .filter(|(planned, _)| part.has(&planned.group))
        .collect();
    let groups: Vec<&Group> = chosen.iter().map(|(planned, _)| &planned.group).collect();
    let settings = settings(&groups, &plan.options)?;
    let mut failed = Vec::new();
    for (planned, executable) in &chosen {
        let group = &planned.group;
        let mut test = test(group, executable, output)?;
        test.envs(settings.iter().map(|(variable, value)| (variable, value)));
        match run_one(group, &mut test, output) {
            Ok(tests) => planned.remember(tests, proofs),
            Err(error) => {
                say(&explained(&group.to_string(), &error));
                planned.failed(proofs);
                failed.push(group.to_string());
            }
        }
    }
    if failed.is_empty() {
        return Ok(Done::Ran);
    }
    bail!("campaigns failed: {}", failed.join(", "))
}

/// Returns how many tests passed.
fn run_one(group: &Group, test: &mut Command, output: Output) -> Result<usize> {
    let title = format!("\n== campaigns: {group}");
    match output {
        Output::Collected => counted::run_aside(&title, test),
        Output::Live => {
            say(&title);
            counted::run(test)
        }
    }
}

fn test(group: &Group, executable: &Path, output: Output) -> Result<Command> {
    let mut test = if output == Output::Collected && !group.needs_servers() {
        let mut nice = Command::new("nice");
        nice.args(["-n", "19"]).arg(executable);
        nice
    } else {
        Command::new(executable)
    };
    // One at a time: each uses as many cores as it can, and its row has its own time.
    test.args(["--test-threads=1", "--nocapture"])
        .current_dir(group.folder())
        .env(campaign::RECORD, record::file(&group.to_string())?);
    Ok(test)
}

/// What the campaigns read from their environment.
fn settings(groups: &[&Group], options: &Options) -> Result<Vec<(String, PathBuf)>> {
    let mut settings = Vec::new();
    if groups.iter().any(|group| group.needs_servers()) {
        settings.extend(programs()?);
    }
    if groups.iter().any(|group| group.needs_callgrind()) {
        packages::ensure(packages::CALLGRIND)?;
    }
    if let Some(commit) = &options.beside {
        settings.push((
            "INSTANCELINK_OTHER_OPERATOR".to_owned(),
            earlier_operator::operator(commit)?,
        ));
    }
    if options.long {
        settings.push((campaign::LONG.to_owned(), "1".into()));
    }
    if let Some(seed) = options.seed {
        settings.push((campaign::SEED.to_owned(), seed.to_string().into()));
    }
    Ok(settings)
}

/// The variable that says where the operator's binary is, the one that is shipped.
pub(crate) const OPERATOR: &str = "INSTANCELINK_OPERATOR";

/// The programs that campaigns and measurements with a control plane of their own start: for each the variable that says
/// where it is, and the path.
pub(crate) fn programs() -> Result<Vec<(String, PathBuf)>> {
    cluster_binaries::ensure(cluster_binaries::CONTROL_PLANE)?;
    let operator = static_binaries::static_binary("instancelink")?;
    let mut programs = vec![(OPERATOR.to_owned(), operator)];
    for tool in cluster_binaries::CONTROL_PLANE {
        let variable = tool.name.to_uppercase().replace('-', "_");
        programs.push((variable, cluster_binaries::path(*tool)?));
    }
    Ok(programs)
}
