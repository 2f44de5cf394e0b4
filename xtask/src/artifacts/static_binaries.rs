//! Our own binaries as static files: an image is then one file, and runs on any node.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::progress::step;
use crate::{command, packages, paths};

/// What runs in pods. Built by one call, whichever is asked for: built apart, their shared dependencies would be compiled
/// twice, with the features of either.
const PACKAGES: [&str; 2] = ["instancelink", "workload"];

/// The folders a build knows by their whole paths; our own sources it knows by their paths in the checkout. Neither may be
/// told of in what is built.
pub(crate) struct BuildPaths<'a> {
    pub(crate) folder: &'a Path,
    /// Cargo's own, in which dependencies are unpacked.
    pub(crate) home: &'a Path,
}

/// The profile of what is shipped.
pub(crate) const SHIPPED: &str = "dist";

/// Builds our packages for musl and returns where the binary of this one is.
pub(crate) fn static_binary(package: &str) -> Result<PathBuf> {
    let folders = BuildPaths {
        folder: &paths::target()?,
        home: &paths::cargo_home()?,
    };
    build(package, SHIPPED, paths::cargo(), &folders)
}

/// The same with this profile and a Cargo that builds in these folders.
pub(crate) fn build(package: &str, profile: &str, mut cargo: Command, folders: &BuildPaths<'_>) -> Result<PathBuf> {
    packages::ensure(packages::STATIC)?;
    let target = target();
    ensure_target(&target)?;
    let compiler = format!("CC_{}", target.replace('-', "_"));
    cargo.env(compiler, "musl-gcc");
    cargo.args([
        "build",
        "--quiet",
        "--profile",
        profile,
        "--target",
        &target,
        "--config",
    ]);
    cargo.arg(format!("target.{target}.rustflags={:?}", folders.flags()));
    cargo.args(packages());
    step(&format!("build {} as static binaries", PACKAGES.join(" and ")), || {
        command::run(&mut cargo)
    })?;
    Ok(folders.folder.join(target).join(profile).join(package))
}

/// What the binaries run on.
pub(crate) fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// The packages as arguments of Cargo.
pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
    PACKAGES.iter().flat_map(|package| ["--package", package])
}

impl BuildPaths<'_> {
    /// Paths stand in the places of panics: shortened to what is the same on every machine. Of two that fit, the last
    /// one counts. Where pointers are to be moved to is said in bits: a hundredth of the words that it takes otherwise.
    fn flags(&self) -> Vec<String> {
        let names = [(self.folder, "/target"), (self.home, "/cargo")];
        let remapped = names
            .iter()
            .map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
        let packed = "-Clink-arg=-Wl,-z,pack-relative-relocs".to_owned();
        remapped.chain([packed]).collect()
    }
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
