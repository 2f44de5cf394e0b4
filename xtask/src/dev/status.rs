//! `cargo xtask status`: which parts of a cluster run.

use std::io::{self, Write as _};

use anyhow::Result;

use crate::cluster::Cluster;

/// Prints what runs. It does not fail if a part of the cluster does not answer: that is what the developer wants to see.
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
