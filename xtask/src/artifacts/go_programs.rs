//! Go programs of our own, under `tools/`: what asks for names in the end-to-end tests, and the operator's peers. Apart
//! from the cluster's binaries: those are kept under a digest of what pins them, and these are built anew in a second.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::progress::step;
use crate::{command, paths};

/// Builds the program of this name and returns where it is.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let folder = paths::target()?.join("tools");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let binary = folder.join(name);
    step(&format!("build tools/{name}"), || {
        command::capture(
            Command::new("go")
                .current_dir(paths::checkout().join("tools").join(name))
                .env("CGO_ENABLED", "0")
                .args(["build", "-trimpath", "-ldflags", "-s -w", "-o"])
                .arg(&binary),
        )
    })?;
    Ok(binary)
}
