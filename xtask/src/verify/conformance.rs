//! `cargo xtask conformance`: compares the double of the API server with a real API server, on a cluster without an
//! operator, which would react to what the scenarios write.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;
use instancelink_testkit::campaign;

use super::campaigns::record;
use super::proofs::{Figures, ProofOptions, Proofs, Subject};
use crate::cluster::{Cluster, Wanted};
use crate::dev::up;
use crate::inputs::Needs;
use crate::paths;
use crate::progress::say;
use crate::verify::counted;
use crate::verify::runner::Done;
use crate::verify::single;

/// The cluster that is started for this suite and ended after it.
const NAME: &str = "conformance";
const PACKAGE: &str = "instancelink-conformance";
const TEST: &str = "real";

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Only scenarios with this text in their names or files
    scenario: Option<String>,
    #[command(flatten)]
    pub(crate) proofs: ProofOptions,
}

/// What is to be done, decided before it begins.
#[derive(Debug)]
pub(crate) struct Plan {
    options: Options,
    subject: Subject,
    /// It passed before with the same inputs.
    is_proven: bool,
}

impl Plan {
    pub(crate) fn new(options: &Options, proofs: &Proofs) -> Result<Self> {
        // Another cluster, or a part of the scenarios, proves less.
        let is_whole = options.scenario.is_none() && std::env::var_os("KUBECONFIG").is_none();
        let subject = proofs.subject(NAME.to_owned(), needs(), is_whole)?;
        let proof = proofs.find(&subject);
        if let Some(proof) = &proof {
            say(&format!("conformance: {}", proof.since()));
            record::repeat(NAME, &proof.figures.rows, &proof.since())?;
        }
        Ok(Self {
            options: options.clone(),
            subject,
            is_proven: proof.is_some(),
        })
    }
}

fn needs() -> Needs {
    let mut needs = Needs::of_test(PACKAGE, TEST);
    needs.servers();
    needs.read(&["xtask/src/cluster", "xtask/src/dev", "xtask/src/verify/conformance.rs"]);
    needs
}

pub(crate) fn run(options: &Options) -> Result<()> {
    single::run(options.proofs, |proofs| run_plan(&Plan::new(options, proofs)?, proofs))
}

/// Runs it unless it is proven. The caller prints the table.
pub(crate) fn run_plan(plan: &Plan, proofs: &Proofs) -> Result<Done> {
    if plan.is_proven {
        return Ok(Done::Unchanged);
    }
    proofs.begin(&plan.subject);
    run_all(plan, proofs).inspect_err(|_| proofs.failed(&plan.subject))?;
    Ok(Done::Ran)
}

fn run_all(plan: &Plan, proofs: &Proofs) -> Result<()> {
    if let Some(file) = std::env::var_os("KUBECONFIG") {
        return test(Path::new(&file), &plan.options).map(drop);
    }
    up::run(&up::Options {
        wanted: Wanted {
            name: NAME.to_owned(),
            no_node: true,
            ..Wanted::native()
        },
        ..up::Options::native()
    })?;
    let cluster = Cluster::find(NAME)?.context("the cluster that was just started is gone")?;
    let outcome = test(&cluster.record.kubeconfig, &plan.options);
    let is_current = cluster.is_current();
    Cluster::down(NAME)?;
    let tests = outcome?;
    if is_current {
        let rows = record::rows(NAME)?;
        proofs.remember(&plan.subject, Figures { rows, tests });
    } else {
        say("conformance is not remembered: its cluster was started earlier, with other programs");
    }
    Ok(())
}

/// Returns how many tests passed.
fn test(kubeconfig: &Path, options: &Options) -> Result<usize> {
    let mut cargo = paths::cargo();
    cargo
        .env("KUBECONFIG", kubeconfig)
        .env(campaign::RECORD, record::file(NAME)?)
        .env("SCENARIO", options.scenario.as_deref().unwrap_or_default())
        .args([
            "test",
            "--quiet",
            "--package",
            PACKAGE,
            "--features=cluster",
            "--test",
            TEST,
        ])
        .args(["--", "--nocapture"]);
    counted::run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Workspace;

    #[test]
    fn the_code_that_runs_the_suite_is_among_its_inputs() {
        let inputs = Workspace::here().unwrap().inputs(&needs()).unwrap();
        assert!(inputs.contains_key("xtask/src/verify/conformance.rs"));
    }
}
