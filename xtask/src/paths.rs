//! Where things are: the checkout, the build folder, and the cache outside the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command;

/// The root of the checkout this program was built from.
pub(crate) fn checkout() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// What is kept between runs, outside the checkout, so that `git clean` and a second checkout do not cost ten minutes.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::home_dir()
            .context("there is no home folder to keep built binaries in; set XDG_CACHE_HOME")?
            .join(".cache"),
    };
    Ok(base.join("instancelink"))
}

/// Cargo's target folder, wherever configuration and environment put it.
pub(crate) fn target() -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let metadata = command::capture(cargo().args(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cannot read what cargo metadata says")?;
    Ok(metadata.target_directory)
}

/// Where Cargo keeps what it downloads.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    let home = std::env::home_dir().context("there is no home folder in which Cargo keeps crates; set CARGO_HOME")?;
    Ok(home.join(".cargo"))
}

/// Cargo, in the checkout. The one that runs this task when there is one, so that toolchains agree.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(checkout());
    // What the Cargo that started this task says of this package. Build scripts that look at it would run again, and
    // with them half of the dependencies be compiled, each time a task and a shell take turns.
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

/// Whether network namespaces, mounts and packages are ours to make.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
