//! Our own Go programs, under `tools/`: the resolver of the end-to-end tests, and a peer of the operator. Unlike the
//! cluster's programs they are built each time, which takes a second.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::go_build;
use crate::paths;
use crate::progress::step;

/// Builds the program of this name and returns where it is.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let folder = paths::target()?.join("tools");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let binary = folder.join(name);
    let module = paths::checkout().join("tools").join(name);
    step(&format!("build tools/{name}"), || {
        go_build::build(&module, go_build::LINKER, &["."], &binary, || {})
    })?;
    Ok(binary)
}
