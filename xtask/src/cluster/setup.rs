//! What a cluster is started with, as one digest: the pinned programs and the code that builds and starts them.
//!
//! The record of a cluster has the digest of its start. A cluster that started with other programs than those of the
//! checkout proves nothing about the checkout, so results on it are not remembered.

use anyhow::Result;

use crate::digest::digest_of;
use crate::inputs::{ASSETS, Files};
use crate::paths;

/// The versions of the programs, how they are built, and how they are started.
const SETUP: [&str; 4] = [
    "tools/cluster",
    "tools/policies",
    "xtask/src/artifacts",
    "xtask/src/cluster",
];

/// The digest of a cluster that starts now.
pub(super) fn digest() -> Result<String> {
    let files = Files::read(&paths::checkout())?;
    let assets = std::env::var(ASSETS).unwrap_or_default();
    of(&files, assets)
}

fn of(files: &Files, assets: String) -> Result<String> {
    let mut parts = vec![assets];
    for path in SETUP {
        parts.push(files.digest(path)?);
    }
    Ok(digest_of(parts.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_with_the_programs_counts() {
        let files = Files::read(&paths::checkout()).unwrap();
        let with = |assets: &str| of(&files, assets.to_owned()).unwrap();
        assert_eq!(with("/programs"), with("/programs"));
        assert_ne!(with(""), with("/programs"));
    }
}
