//! The files of a checkout with a digest of each, as they are on disk: uncommitted and untracked files count, ignored
//! files do not.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::digest::digest_of;
use crate::{command, digest};

/// Digests by path. Paths are relative to the root of the checkout, so nothing here depends on where the checkout is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files(BTreeMap<String, String>);

impl Files {
    /// Reads every file that git tracks or would track.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut git = Command::new("git");
        git.current_dir(root)
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = command::capture(&mut git).context("git cannot list the files of the checkout")?;
        let mut files = BTreeMap::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // A file that was deleted and not committed is listed, too.
            if let Some(digest) = digest_of_file(&root.join(path))? {
                files.insert(path.to_owned(), digest);
            }
        }
        if files.is_empty() {
            bail!(
                "git lists no files in {}, so it is not known what tests depend on",
                root.display()
            );
        }
        Ok(Self(files))
    }

    /// One digest of all files at this path or below it. A path without files is an error: a wrong path in a list of inputs
    /// would never change.
    pub(crate) fn digest(&self, path: &str) -> Result<String> {
        let lines: Vec<&str> = self.below(path).flat_map(|(file, digest)| [file, digest]).collect();
        if lines.is_empty() {
            bail!(
                "tests depend on {path}, but the checkout has no file there; correct the list of inputs in xtask/src"
            );
        }
        Ok(digest_of(lines))
    }

    /// The files that are at this path or below it.
    pub(crate) fn below(&self, path: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(move |(file, _)| is_below(file, path))
            .map(|(file, digest)| (file.as_str(), digest.as_str()))
    }
}

/// Whether a file is this path or below this folder. The empty path is the root.
pub(crate) fn is_below(file: &str, path: &str) -> bool {
    path.is_empty()
        || file
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Content and kind of a file, as git distinguishes them: symbolic link, program, other.
fn digest_of_file(path: &Path) -> Result<Option<String>> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(None);
    };
    let (kind, content) = if metadata.is_symlink() {
        let target = fs::read_link(path)?;
        (&b"link "[..], target.as_os_str().as_bytes().to_vec())
    } else if metadata.is_file() {
        let kind = if metadata.permissions().mode() & 0o100 == 0 {
            &b"file "[..]
        } else {
            &b"program "[..]
        };
        (
            kind,
            fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
        )
    } else {
        // The folder of another repository: git lists it as one entry and tracks nothing in it.
        return Ok(None);
    };
    Ok(Some(digest::sha256([kind, content.as_slice()])))
}
