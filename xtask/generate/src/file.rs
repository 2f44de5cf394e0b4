//! A generated file of the checkout: writes it, or compares it with the committed file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// Reads a file by its path from the root of the checkout.
pub(crate) fn read(name: &str) -> Result<String> {
    let path = path(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes it, unless it has this text already. With `check` it fails instead, and says what it is generated from and which
/// task does that.
pub(crate) fn write(name: &str, text: &str, check: bool, source: &str, task: &str) -> Result<()> {
    let path = path(name);
    if fs::read_to_string(&path).is_ok_and(|written| written == text) {
        return Ok(());
    }
    if check {
        bail!("{name} differs from {source}; run `cargo xtask {task}` and commit the result");
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    let _ = writeln!(io::stderr(), "wrote {name}");
    Ok(())
}

/// The files with this extension in a folder and below it, sorted; none where there is no such folder.
pub(crate) fn below(folder: &str, extension: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(path(folder)) else {
        return Ok(found);
    };
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {folder}"))?;
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(below(&name, extension)?);
        } else if entry.path().extension().is_some_and(|found| found == extension) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}
