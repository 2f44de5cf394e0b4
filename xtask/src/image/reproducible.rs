//! Builds the operator twice: here, and in a copy of the sources with another build folder and another Cargo home. If the two
//! binaries differ, the image depends on the machine that made it, and a user cannot check that it was built from the
//! sources.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::artifacts::static_binaries::{self, BuildPaths, Profile};
use crate::progress::say;
use crate::{command, digest, paths};

pub(crate) fn check() -> Result<()> {
    let elsewhere = paths::target()?.join("twice");
    let (sources, home) = (elsewhere.join("a/copy/of/the/sources"), elsewhere.join("home"));
    copy(&sources)?;
    same_registry(&home)?;
    let here = built(&paths::checkout(), &paths::target()?, &paths::cargo_home()?)?;
    let there = built(&sources, &elsewhere.join("build"), &home)?;
    if here != there {
        let at = here.iter().zip(&there).position(|(a, b)| a != b).unwrap_or(0);
        bail!(
            "the same sources gave two binaries, of {} and {} bytes, that differ first at byte {at}: something of where \
             they were built is in them; look for it with `strings`",
            here.len(),
            there.len()
        );
    }
    say(&format!(
        "built twice, the same {} bytes: sha256:{}",
        here.len(),
        digest::sha256([here.as_slice()])
    ));
    Ok(())
}

/// Not incremental: the result of an incremental build depends on the builds before it.
fn built(sources: &Path, folder: &Path, home: &Path) -> Result<Vec<u8>> {
    let mut cargo = paths::cargo();
    cargo.current_dir(sources);
    cargo
        .env("CARGO_TARGET_DIR", folder)
        .env("CARGO_HOME", home)
        .env("CARGO_INCREMENTAL", "0");
    let binary = static_binaries::build("instancelink", Profile::Dist, cargo, &BuildPaths { folder, home })?;
    fs::read(&binary).with_context(|| format!("cannot read {}", binary.display()))
}

/// Copies the files of the checkout that git tracks or would track, with their current content.
fn copy(to: &Path) -> Result<()> {
    let from = paths::checkout();
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("cannot remove {}", to.display()))?;
    }
    let mut git = std::process::Command::new("git");
    git.current_dir(&from)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let files = command::capture(&mut git)?;
    let files: Vec<PathBuf> = files
        .split('\0')
        .filter(|file| !file.is_empty())
        .map(PathBuf::from)
        .collect();
    for file in files.iter().filter(|file| from.join(file).is_file()) {
        let copy = to.join(file);
        let made = copy.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::copy(from.join(file), &copy))
            .with_context(|| format!("cannot copy to {}", copy.display()))?;
    }
    Ok(())
}

/// Makes a Cargo home with another path and the same crates.
fn same_registry(home: &Path) -> Result<()> {
    fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
    for name in ["registry", "config.toml"] {
        let (real, link) = (paths::cargo_home()?.join(name), home.join(name));
        if real.exists() && !link.exists() {
            symlink(&real, &link).with_context(|| format!("cannot link {}", link.display()))?;
        }
    }
    Ok(())
}
