//! The operator of an earlier commit, to run beside today's.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::static_binaries::{self, BuildPaths, Profile};
use crate::{command, paths};

/// Builds the operator of a commit, once, in a separate folder. In a shared folder, Cargo would mix the files of two
/// commits.
pub(crate) fn operator(commit: &str) -> Result<PathBuf> {
    let git = || {
        let mut git = Command::new("git");
        git.current_dir(paths::checkout());
        git
    };
    let named = format!("{commit}^{{commit}}");
    let commit = command::capture(git().args(["rev-parse", "--verify", "--short=12", &named]))
        .with_context(|| format!("commit {commit} is not in this repository; a shallow clone has only the last commit: run `git fetch --unshallow`"))?;
    let commit = commit.trim();
    let folder = paths::target()?.join("earlier");
    let kept = folder.join(format!("instancelink-{commit}"));
    if kept.exists() {
        return Ok(kept);
    }
    let (sources, build) = (folder.join("sources"), folder.join("build"));
    for old in [&sources, &build] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    fs::create_dir_all(&sources).with_context(|| format!("cannot make {}", sources.display()))?;
    let archive = folder.join("sources.tar");
    command::run(git().arg("archive").arg("--output").arg(&archive).arg(commit))?;
    command::run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&sources))?;
    let mut cargo = paths::cargo();
    cargo.current_dir(&sources).env("CARGO_TARGET_DIR", &build);
    let home = paths::cargo_home()?;
    let folders = BuildPaths {
        folder: &build,
        home: &home,
    };
    let binary = static_binaries::build("instancelink", Profile::Release, cargo, &folders)?;
    fs::copy(&binary, &kept).with_context(|| format!("cannot keep {}", binary.display()))?;
    for done in [&sources, &build] {
        fs::remove_dir_all(done).with_context(|| format!("cannot remove {}", done.display()))?;
    }
    Ok(kept)
}
