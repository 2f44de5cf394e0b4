//! Where clusters have their files: a folder of the cluster's name, and a lock beside it, in the cache.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::paths;
use crate::progress::say;

/// The folder of all clusters.
pub(super) fn all() -> Result<PathBuf> {
    Ok(paths::cache()?.join("clusters"))
}

/// The folder of the cluster of this name.
pub(super) fn of(name: &str) -> Result<PathBuf> {
    Ok(all()?.join(name))
}

fn lock_file(name: &str) -> Result<PathBuf> {
    Ok(all()?.join(format!("{name}.lock")))
}

/// Held while a cluster is started or ended. Two tasks at once would each remove what the other has started so far.
pub(super) fn lock(name: &str) -> Result<fs::File> {
    let folder = all()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = fs::File::create(lock_file(name)?)?;
    if file.try_lock().is_err() {
        say(&format!("waiting until another task is done with cluster '{name}'"));
        file.lock()?;
    }
    Ok(file)
}

/// Removes the lock of a cluster that is gone.
pub(super) fn unlock(name: &str, held: fs::File) -> Result<()> {
    drop(held);
    let _ = fs::remove_file(lock_file(name)?);
    Ok(())
}
