//! `cargo xtask status`: what of a cluster runs.

use std::io::{self, Write as _};

use anyhow::Result;

use crate::cluster::Cluster;

/// Prints, and never fails over a cluster that is ill: that is what one wants to see.
pub(crate) fn run(name: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let Some(cluster) = Cluster::find(name)? else {
        writeln!(out, "there is no cluster '{name}'")?;
        return Ok(());
    };
    writeln!(out, "cluster '{name}': {}", cluster.record.described())?;
    for part in cluster.parts()? {
        writeln!(out, "  {part}")?;
    }
    writeln!(out, "kubeconfig: {}", cluster.record.kubeconfig.display())?;
    let kubectl = cluster.kubectl()?;
    for question in [
        &["get", "nodes"][..],
        &["get", "pods", "--all-namespaces"],
        &["get", "instancelinks", "--all-namespaces"],
    ] {
        let asked = question.iter().copied().chain(["--request-timeout=5s"]);
        match kubectl.ask(asked) {
            Ok(answer) if answer.trim().is_empty() => {}
            Ok(answer) => writeln!(out, "\n{}", answer.trim_end())?,
            Err(error) => writeln!(out, "\n{error}")?,
        }
    }
    Ok(())
}
