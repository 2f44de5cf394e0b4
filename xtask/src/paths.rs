//! Where things are: the checkout, the build folder, and the cache outside the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command;

/// The root of the checkout from which this program was built.
pub(crate) fn checkout() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// What is kept between runs. It is outside of the checkout, so that neither `git clean` nor a second checkout costs minutes.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::home_dir()
            .context("there is no home folder for the cache of built binaries; set XDG_CACHE_HOME")?
            .join(".cache"),
    };
    Ok(base.join("instancelink"))
}

/// Cargo's target folder, as configuration and environment set it.
pub(crate) fn target() -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let metadata = command::capture(cargo().args(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cannot read the output of cargo metadata")?;
    Ok(metadata.target_directory)
}

/// The folder of Cargo's downloads.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    let home = std::env::home_dir().context("there is no home folder for Cargo's downloads; set CARGO_HOME")?;
    Ok(home.join(".cargo"))
}

/// Cargo, in the checkout: the one that started this task, so that the toolchain is the same.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(checkout());
    // Cargo sets variables about the package of this task. Some build scripts read them, and would run again, with half of
    // the dependencies, each time a task runs Cargo after a shell did.
    for (name, _) in std::env::vars_os() {
        if is_of_a_package(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"]
        .iter()
        .any(|of| variable.starts_with(of))
}

/// Whether this task may make network namespaces and mounts, and install packages.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
