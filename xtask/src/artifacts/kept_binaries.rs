//! The static binaries that are shipped, kept in the cache under a digest of everything that they are built from. A fresh
//! checkout, and a change of tests or documents, then do not link them again, which takes minutes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::digest::{self, digest_of};
use crate::inputs::{Needs, Workspace};
use crate::progress::{explained, say};
use crate::{command, paths};

/// How many builds are kept.
const KEPT: usize = 3;

/// Where the binary of a package is. If there is none of this digest, it is made with all of `packages`, which are built
/// together.
pub(super) fn binary(
    package: &str,
    packages: &[&'static str],
    target: &str,
    make: impl FnOnce() -> Result<PathBuf>,
) -> Result<PathBuf> {
    let now = digest_now(packages, target)?;
    let builds = paths::cache()?.join("binaries");
    let kept = builds.join(digest::short(&now, 16)).join(package);
    if command::is_program(&kept) {
        return Ok(kept);
    }
    let new = make()?;
    // A file that changed during the build can be in the binary or not.
    if digest_now(packages, target)? != now {
        return Ok(new);
    }
    if let Err(error) = keep(&builds, digest::short(&now, 16), packages, &new) {
        say(&explained("the binary is built again next time", &error));
        return Ok(new);
    }
    Ok(kept)
}

fn digest_now(packages: &[&'static str], target: &str) -> Result<String> {
    let mut needs = Needs {
        programs: packages.to_vec(),
        facts: vec![("target".to_owned(), target.to_owned())],
        ..Needs::default()
    };
    needs.read(&["xtask/src/artifacts/static_binaries.rs"]);
    let inputs = Workspace::here()?.inputs(&needs)?;
    Ok(digest_of(
        inputs
            .iter()
            .flat_map(|(name, digest)| [name.as_str(), digest.as_str()]),
    ))
}

/// Copies the binaries of all packages, which are beside this one.
fn keep(builds: &Path, name: &str, packages: &[&str], made: &Path) -> Result<()> {
    let keeping = || format!("cannot keep {} in {}", made.display(), builds.display());
    // Renamed when complete, so that no other task finds half a binary.
    let partial = builds.join(format!("{name}.{}.partial", std::process::id()));
    fs::create_dir_all(&partial).with_context(keeping)?;
    for package in packages {
        fs::copy(made.with_file_name(package), partial.join(package)).with_context(keeping)?;
    }
    if fs::rename(&partial, builds.join(name)).is_err() {
        // Another task was faster.
        let _ = fs::remove_dir_all(&partial);
    }
    prune(builds);
    Ok(())
}

/// Removes the oldest builds.
fn prune(builds: &Path) {
    let entries = fs::read_dir(builds).into_iter().flatten().flatten();
    let mut folders: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    folders.sort();
    for (_, folder) in folders.iter().rev().skip(KEPT) {
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGES: [&str; 2] = ["operator", "workload"];

    #[test]
    fn the_newest_builds_are_kept() {
        let folder = std::env::temp_dir().join(format!("xtask-binaries-{}", std::process::id()));
        let built = folder.join("built");
        fs::create_dir_all(&built).unwrap();
        for package in PACKAGES {
            fs::write(built.join(package), package).unwrap();
        }
        let builds = folder.join("builds");
        for name in ["1", "2", "3", "4"] {
            keep(&builds, name, &PACKAGES, &built.join("operator")).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let kept: Vec<bool> = ["1", "2", "3", "4"]
            .iter()
            .map(|name| builds.join(name).exists())
            .collect();
        let complete = PACKAGES.iter().all(|package| builds.join("4").join(package).is_file());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(kept, [false, true, true, true]);
        assert!(complete);
    }
}
