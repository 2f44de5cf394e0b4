//! Our own binaries as static files: an image is then one file, and runs on any node.

use std::path::PathBuf;

use anyhow::Result;

use crate::progress::step;
use crate::{command, packages, places};

/// Builds a workspace package for musl and returns where its binary is.
pub(crate) fn static_binary(package: &str) -> Result<PathBuf> {
    packages::ensure(packages::STATIC)?;
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let compiler = format!("CC_{}", target.replace('-', "_"));
    step(&format!("build {package} as a static binary"), || {
        command::run(
            places::cargo()
                .env(compiler, "musl-gcc")
                .args(["build", "--quiet", "--release", "--target", &target])
                .args(["--package", package]),
        )
    })?;
    Ok(places::target()?.join(target).join("release").join(package))
}
