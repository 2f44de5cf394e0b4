//! kubectl for one cluster. The kubeconfig of the developer is never used.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::artifacts::cluster_binaries as binaries;
use crate::{command, paths};

/// The program and the cluster.
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(kubeconfig: &Path) -> Result<Self> {
        Ok(Self {
            program: binaries::path(binaries::KUBECTL)?,
            kubeconfig: kubeconfig.to_owned(),
        })
    }

    pub(crate) fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(args);
        // Its cache ends with the cluster and leaves nothing in the home folder.
        if let (Some(folder), Ok(cache)) = (self.kubeconfig.parent(), paths::cache())
            && folder.starts_with(cache)
        {
            command.env("KUBECACHEDIR", folder.join("kubectl-cache"));
        }
        command
    }

    /// Runs it and returns what it prints.
    pub(crate) fn ask<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Result<String> {
        command::capture(&mut self.command(args))
    }

    pub(crate) fn apply(&self, manifests: &str) -> Result<()> {
        command::feed(&mut self.command(["apply", "--filename=-"]), manifests)?;
        Ok(())
    }

    /// A kustomization as one text.
    pub(crate) fn kustomize(&self, folder: &Path) -> Result<String> {
        command::capture(self.command(["kustomize"]).arg(folder))
    }

    /// Waits until a Deployment is rolled out. The error contains the events and the log of its pods.
    pub(crate) fn rollout(&self, namespace: &str, deployment: &str) -> Result<()> {
        let name = format!("deployment/{deployment}");
        let status = self.ask(["--namespace", namespace, "rollout", "status", &name, "--timeout=120s"]);
        status.map(drop).with_context(|| {
            let events = self.ask(["--namespace", namespace, "get", "events", "--sort-by=.lastTimestamp"]);
            let logs = self.ask(["--namespace", namespace, "logs", &name, "--tail=10", "--all-containers"]);
            format!(
                "{deployment} in {namespace} does not become available\n  events:\n{}\n  log:\n{}",
                command::tail(&events.unwrap_or_default()),
                command::tail(&logs.unwrap_or_default())
            )
        })
    }
}
