//! The Go program that the tests ask for names. Apart from the cluster's binaries: those are kept under a digest of
//! what pins them, and this one is built anew in a second.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::progress::step;
use crate::{command, places};

/// Builds it and returns where it is.
pub(crate) fn binary() -> Result<PathBuf> {
    let folder = places::target()?.join("tools");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let binary = folder.join("resolver");
    step("build the Go resolver", || {
        command::capture(
            Command::new("go")
                .current_dir(places::checkout().join("tools/resolver"))
                .env("CGO_ENABLED", "0")
                .args(["build", "-trimpath", "-ldflags", "-s -w", "-o"])
                .arg(&binary),
        )
    })?;
    Ok(binary)
}
