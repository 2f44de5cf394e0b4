//! `cargo xtask campaigns`: the tests that run thousands of plans, optimised, and one table of what they did.

mod groups;
mod record;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;
use instancelink_testkit::campaign;

use crate::artifacts::{cluster_binaries, earlier_operator, static_binaries};
use crate::command;
use crate::progress::say;

use groups::Group;
pub(crate) use record::{append, forget, print, record};

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
    #[arg(skip)]
    pub(crate) part: Part,
    /// With the processors that nobody else wants, and without a word before a group has ended
    #[arg(skip)]
    pub(crate) aside: bool,
}

/// Which of those that were chosen are run now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Part {
    #[default]
    All,
    /// Those that start etcd, an API server and the operator, and mostly wait for them.
    OnServers,
    /// All others, which only need processors.
    WithoutServers,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    forget()?;
    let result = run_all(options);
    print()?;
    result
}

/// Runs them, and leaves the table to who asked.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    // Built together whatever the part, so that each is built once, and the time of a campaign is its own.
    let mut groups = groups::built(&options.groups)?;
    groups.retain(|group| match options.part {
        Part::All => true,
        Part::OnServers => group.needs_servers(),
        Part::WithoutServers => !group.needs_servers(),
    });
    let settings = settings(&groups, options)?;
    let mut failed = Vec::new();
    for group in &groups {
        let mut test = command(group, options.aside);
        test.envs(settings.iter().map(|(variable, value)| (variable, value)));
        if run_one(group, &mut test, options.aside).is_err() {
            failed.push(group.to_string());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("campaigns failed: {}", failed.join(", "))
}

fn run_one(group: &Group, test: &mut Command, aside: bool) -> Result<()> {
    let title = format!("\n== campaigns: {group}");
    if aside {
        return command::run_aside(&title, test);
    }
    say(&title);
    command::run(test)
}

fn command(group: &Group, aside: bool) -> Command {
    let mut test = if aside {
        let mut nice = Command::new("nice");
        nice.args(["-n", "19"]).arg(&group.executable);
        nice
    } else {
        Command::new(&group.executable)
    };
    // One at a time: each uses the cores as it sees fit, and its row tells a time.
    test.args(["--test-threads=1", "--nocapture"])
        .current_dir(&group.folder);
    test
}

/// What the campaigns are told by their environment.
fn settings(groups: &[Group], options: &Options) -> Result<Vec<(String, PathBuf)>> {
    let mut settings = vec![(campaign::RECORD.to_owned(), record()?)];
    if groups.iter().any(Group::needs_servers) {
        settings.extend(programs()?);
    }
    if groups.iter().any(Group::needs_callgrind) {
        crate::packages::ensure(crate::packages::CALLGRIND)?;
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

/// Where campaigns, measurements and the end-to-end tests are told the operator's binary is, the one that is shipped.
pub(crate) const OPERATOR: &str = "INSTANCELINK_OPERATOR";

/// What campaigns and measurements with a control plane of their own start: the variable that says where it is, and the path.
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
