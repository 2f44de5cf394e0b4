//! `cargo xtask conformance`: the double of the API server against a real one, on a cluster without an operator, which
//! would answer what the scenarios write.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;
use instancelink_testkit::campaign;

use super::campaigns;
use crate::cluster::{Cluster, Wanted};
use crate::dev::up;
use crate::{command, paths};

/// The cluster that is started for it, and ended after it.
const NAME: &str = "conformance";

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Only scenarios whose names or files have this text in them
    scenario: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(file) = std::env::var_os("KUBECONFIG") {
        return test(Path::new(&file), options);
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
    let outcome = test(&cluster.record.kubeconfig, options);
    Cluster::down(NAME)?;
    outcome
}

fn test(kubeconfig: &Path, options: &Options) -> Result<()> {
    let mut cargo = paths::cargo();
    cargo
        .env("KUBECONFIG", kubeconfig)
        .env(campaign::RECORD, campaigns::record()?)
        .env("SCENARIO", options.scenario.as_deref().unwrap_or_default())
        .args([
            "test",
            "--quiet",
            "--package",
            "instancelink-conformance",
            "--features=cluster",
        ])
        .args(["--test", "real", "--", "--nocapture"]);
    command::run(&mut cargo)
}
