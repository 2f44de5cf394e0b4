//! The peer in Python: a virtual environment with its dependencies, and a program that starts it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::progress::step;
use crate::{command, paths};

/// Installs it and returns the program that starts it.
pub(super) fn program() -> Result<PathBuf> {
    let source = paths::checkout().join("tools/twin/kopf");
    let folder = paths::target()?.join("tools/kopf");
    step("install kopf", || {
        command::capture(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        command::capture(
            Command::new(folder.join("bin/pip"))
                .args(["install", "--quiet", "--requirement"])
                .arg(source.join("requirements.txt")),
        )
    })?;
    let program = folder.join("twin");
    let python = folder.join("bin/python");
    let text = format!(
        "#!/bin/sh\nexec {} {}\n",
        python.display(),
        source.join("twin.py").display()
    );
    fs::write(&program, text).with_context(|| format!("cannot write {}", program.display()))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    Ok(program)
}
