//! `cargo xtask e2e`: the end-to-end tests, which know nothing of the cluster but its kubeconfig.
//!
//! `groups` says which tests there are, `plan` which of them run now, `call` runs a test binary. While tests run,
//! `histories` watches all links.

mod call;
mod groups;
mod histories;
mod plan;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::proofs::{ProofOptions, Proofs};
use crate::artifacts::cluster_binaries;
use crate::artifacts::static_binaries::{self, Profile};
use crate::cluster::record::Provider;
use crate::cluster::{Cluster, DEFAULT, SINGLE_STACK, Wanted};
use crate::dev::up;
use crate::image;
use crate::progress::{explained, say};
use crate::verify::runner::Done;
use crate::verify::single;

use groups::{NEED_POSTGRES, NEED_RESOLVER};
use histories::Histories;
pub(crate) use plan::Plan;

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
    /// On a native cluster of their own that has no IPv6. It is ended when they have passed
    #[arg(long)]
    single_stack: bool,
    #[command(flatten)]
    pub(crate) proofs: ProofOptions,
}

impl Options {
    /// All of them on a cluster without IPv6.
    pub(crate) fn single_stack() -> Self {
        Self {
            single_stack: true,
            ..Self::default()
        }
    }

    fn is_whole(&self) -> bool {
        self.group.is_none() && !self.serial && !self.parallel && !self.single_stack
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    single::run(options.proofs, |proofs| run_plan(&Plan::new(options, proofs)?, proofs))
}

/// Runs the tests of a plan. The caller prints the table.
pub(crate) fn run_plan(plan: &Plan, proofs: &Proofs) -> Result<Done> {
    if plan.is_empty() {
        return Ok(Done::Unchanged);
    }
    plan.begin(proofs)?;
    let (kubeconfig, is_current) = match std::env::var_os("KUBECONFIG") {
        Some(file) if !plan.single_stack => (given(file.into(), plan)?, false),
        _ => native(plan)?,
    };
    let operator = static_binaries::static_binary("instancelink")?;
    let histories = Histories::watch(&kubeconfig)?;
    let mut passed = BTreeMap::new();
    let mut failed = Vec::new();
    for run in &plan.runs {
        match call::run(run, &kubeconfig, &operator) {
            Ok(counts) => passed.extend(counts.into_iter().map(|(group, tests)| ((run.binary, group), tests))),
            Err(error) => {
                say(&explained("end to end", &error));
                plan.failed(run, proofs);
                failed.push(format!("{} {}", run.binary, run.filters().join(" ")));
            }
        }
    }
    // Links whose actions have no order belong to any of the groups, so no group is proven.
    match histories.judge(plan.sees_actions) {
        Ok(row) if is_current => plan.remember(&passed, row, proofs)?,
        Ok(_) => {}
        Err(error) => {
            plan.histories_failed(proofs)?;
            say(&explained("histories", &error));
            failed.push("the histories of links".to_owned());
        }
    }
    if failed.is_empty() {
        if plan.single_stack {
            Cluster::down(SINGLE_STACK)?;
        }
        return Ok(Done::Ran);
    }
    bail!(
        "end-to-end tests failed among: {}; the cluster still runs (KUBECONFIG={})",
        failed.join(", "),
        kubeconfig.display()
    );
}

/// Prepares the cluster of `KUBECONFIG`.
fn given(kubeconfig: PathBuf, plan: &Plan) -> Result<PathBuf> {
    cluster_binaries::ensure(&[cluster_binaries::KUBECTL])?;
    match Cluster::of_kubeconfig(&kubeconfig)? {
        Some(cluster) if cluster.has_node() => {
            cluster.load(&image::workload(Profile::Dist)?)?;
            load_more(&cluster, plan)?;
        }
        _ => say(&format!(
            "the cluster of KUBECONFIG was not started by cargo xtask; it must be able to pull {} and the other images of \
             `cargo xtask image`",
            image::WORKLOAD
        )),
    }
    Ok(kubeconfig)
}

/// Loads the images that only some groups need.
fn load_more(cluster: &Cluster, plan: &Plan) -> Result<()> {
    if plan.runs_any(NEED_POSTGRES) {
        cluster.load(&image::postgres()?)?;
    }
    if plan.runs_any(NEED_RESOLVER) {
        cluster.load(&image::resolver()?)?;
    }
    Ok(())
}

/// Starts the native cluster, or finds it, and installs the operator of this checkout. Returns also whether the cluster was
/// started with the programs of this checkout.
fn native(plan: &Plan) -> Result<(PathBuf, bool)> {
    let name = if plan.single_stack { SINGLE_STACK } else { DEFAULT };
    let provider = Cluster::find(name)?.map_or(Provider::Native, |cluster| cluster.record.provider);
    let options = up::Options {
        wanted: Wanted {
            cluster: Some(provider),
            name: name.to_owned(),
            single_stack: plan.single_stack,
            network_policies: provider == Provider::Native,
            ..Wanted::native()
        },
        ..up::Options::native()
    };
    up::run(&options)?;
    let cluster = Cluster::find(name)?.context("the cluster that was just started is gone")?;
    if !cluster.has_node() {
        bail!("the end-to-end tests need a cluster in which pods run: run this as root, or set KUBECONFIG");
    }
    load_more(&cluster, plan)?;
    let is_current = cluster.is_current();
    if !is_current && cluster.record.provider == Provider::Native {
        say(&format!(
            "end-to-end tests are not remembered: cluster '{0}' was started with other programs. `cargo xtask down --name {0}` ends it",
            cluster.name
        ));
    }
    Ok((cluster.record.kubeconfig, is_current))
}
