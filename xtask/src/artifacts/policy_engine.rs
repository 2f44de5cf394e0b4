//! The program that enforces NetworkPolicies in a native cluster (`tools/policies`). It is kept in the cache under a digest
//! of its own: a change of it does not build the cluster's programs again, and a cluster that enforces nothing does not
//! need it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::go_build;
use crate::progress::step;
use crate::{command, digest, paths};

const NAME: &str = "policies";

/// Where it is once it is built.
pub(crate) fn path() -> Result<PathBuf> {
    let hash = digest::sha256(source()?.iter().map(Vec::as_slice));
    let folder = format!("{NAME}-{}", digest::short(&hash, 8));
    Ok(paths::cache()?.join(folder).join(NAME))
}

/// Builds it if it is not in the cache.
pub(crate) fn ensure() -> Result<()> {
    let binary = path()?;
    if command::is_program(&binary) {
        return Ok(());
    }
    let folder = binary.parent().context("the binary is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // Renamed when it is complete: a build that is killed leaves no half program. Two tasks can build at the same time.
    let partial = folder.join(format!("{NAME}.{}.partial", std::process::id()));
    step("build tools/policies (once)", || {
        go_build::build(&module(), go_build::LINKER, &["."], &partial, || {})
    })?;
    fs::rename(&partial, &binary).with_context(|| format!("cannot keep {}", binary.display()))
}

/// The contents of the module's files, in the order of their names.
fn source() -> Result<Vec<Vec<u8>>> {
    let module = module();
    let entries = fs::read_dir(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read = |file: &PathBuf| fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    files.iter().map(read).collect()
}

fn module() -> PathBuf {
    paths::checkout().join("tools").join(NAME)
}
