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
use crate::progress::say;
use crate::{command, paths};

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
#[derive(Debug, Default)]
pub(crate) struct Plan {
    options: Options,
    /// Where the result is to be remembered: of what.
    subject: Option<Subject>,
    /// It passed before with the same inputs.
    is_proven: bool,
}

impl Plan {
    pub(crate) fn new(options: &Options, proofs: &Proofs) -> Result<Self> {
        let mut plan = Self {
            options: options.clone(),
            ..Self::default()
        };
        // Another cluster, or a part of the scenarios, proves less.
        if options.scenario.is_some() || std::env::var_os("KUBECONFIG").is_some() {
            return Ok(plan);
        }
        let subject = proofs.subject(NAME.to_owned(), needs())?;
        if let Some(proof) = proofs.find(&subject) {
            say(&format!("conformance: {}", proof.since()));
            record::repeat(NAME, &proof.figures.rows, &proof.since())?;
            plan.is_proven = true;
        }
        plan.subject = Some(subject);
        Ok(plan)
    }
}

fn needs() -> Needs {
    let mut needs = Needs::of_test(PACKAGE, TEST);
    needs.servers();
    needs.read(&["xtask/src/cluster", "xtask/src/dev"]);
    needs
}

pub(crate) fn run(options: &Options) -> Result<()> {
    record::clear()?;
    let proofs = Proofs::open(options.proofs)?;
    let result = run_plan(&Plan::new(options, &proofs)?, &proofs);
    record::print()?;
    result
}

/// Runs it unless it is proven. The caller prints the table.
pub(crate) fn run_plan(plan: &Plan, proofs: &Proofs) -> Result<()> {
    if plan.is_proven {
        return Ok(());
    }
    if let Some(file) = std::env::var_os("KUBECONFIG") {
        return test(Path::new(&file), &plan.options);
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
    Cluster::down(NAME)?;
    outcome?;
    match &plan.subject {
        Some(subject) => proofs.remember(
            subject,
            Figures {
                rows: record::rows(NAME)?,
                tests: 0,
            },
        ),
        None => Ok(()),
    }
}

fn test(kubeconfig: &Path, options: &Options) -> Result<()> {
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
    command::run(&mut cargo)
}
