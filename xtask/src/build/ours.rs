//! Our own binaries as static files: an image is then one file, and runs on any node.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::progress::step;
use crate::{command, packages, places};

/// What runs in pods. Built by one call, whichever is asked for: built apart, their shared dependencies would be compiled
/// twice, with the features of either.
const PACKAGES: [&str; 2] = ["instancelink", "workload"];

/// Builds our packages for musl and returns where the binary of this one is.
pub(crate) fn static_binary(package: &str) -> Result<PathBuf> {
    packages::ensure(packages::STATIC)?;
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    ensure_target(&target)?;
    let compiler = format!("CC_{}", target.replace('-', "_"));
    step(&format!("build {} as static binaries", PACKAGES.join(" and ")), || {
        command::run(
            places::cargo()
                .env(compiler, "musl-gcc")
                .args(["build", "--quiet", "--release", "--target", &target])
                .args(PACKAGES.iter().flat_map(|package| ["--package", package])),
        )
    })?;
    Ok(places::target()?.join(target).join("release").join(package))
}

/// `rust-toolchain.toml` names the target, but an older rustup does not install it by itself.
fn ensure_target(target: &str) -> Result<()> {
    let folder = command::capture(Command::new("rustc").args(["--print=target-libdir", "--target", target]))?;
    if Path::new(folder.trim()).exists() || command::find("rustup").is_none() {
        return Ok(());
    }
    step(&format!("install the Rust target {target}"), || {
        command::run(Command::new("rustup").args(["target", "add", target]))
    })
}
