//! A cluster in containers, which kind starts.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command;
use crate::progress::{say, step};

/// Whether a cluster can be started here.
pub(crate) fn is_possible() -> bool {
    require().is_ok()
}

/// Fails with what is missing.
pub(crate) fn require() -> Result<()> {
    if command::find("kind").is_none() {
        bail!("kind is not installed. Put it on PATH, or use --cluster native");
    }
    if !command::succeeds(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"])) {
        bail!("Docker does not answer. Start it, set DOCKER_HOST, or use --cluster native");
    }
    Ok(())
}

/// Starts the cluster if it does not exist, and writes its kubeconfig.
pub(crate) fn up(name: &str, image: Option<&str>, kubeconfig: &Path) -> Result<()> {
    if let Some(folder) = kubeconfig.parent() {
        fs::create_dir_all(folder)?;
    }
    if exists(name)? {
        say(&format!("kind cluster '{}' exists already", named(name)));
        let text = command::capture(kind().args(["get", "kubeconfig", "--name", &named(name)]))?;
        fs::write(kubeconfig, text)?;
        return Ok(());
    }
    step("create the kind cluster", || {
        let mut create = kind();
        create.args(["create", "cluster", "--wait", "120s", "--name", &named(name)]);
        create.arg("--kubeconfig").arg(kubeconfig);
        if let Some(image) = image {
            create.args(["--image", image]);
        }
        command::capture(&mut create)?;
        Ok(())
    })
}

/// Deletes the cluster if it exists.
pub(crate) fn down(name: &str) -> Result<()> {
    if exists(name)? {
        command::capture(kind().args(["delete", "cluster", "--name", &named(name)]))?;
    }
    Ok(())
}

/// Loads an image into the nodes.
pub(crate) fn load(name: &str, archive: &Path) -> Result<()> {
    command::capture(
        kind()
            .args(["load", "image-archive", "--name", &named(name)])
            .arg(archive),
    )?;
    Ok(())
}

fn exists(name: &str) -> Result<bool> {
    let names = command::capture(kind().args(["get", "clusters"]))?;
    Ok(names.lines().any(|line| line == named(name)))
}

/// With a prefix, so that a kind cluster for another purpose is neither used nor deleted.
fn named(name: &str) -> String {
    format!("instancelink-{name}")
}

fn kind() -> Command {
    Command::new("kind")
}
