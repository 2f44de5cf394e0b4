//! Circles of source files: files of a package that import each other, directly or over others. Within a circle no file can
//! be understood or changed alone.
//!
//! A module and its own parent may use each other: the parent is the facade of its children. An import by way of a
//! re-export counts as an import of the file that the name is from.

mod graph;
mod imports;
mod modules;

use anyhow::Result;

use super::members::Members;
use crate::paths;

/// The circles of each package: lines that name the package and the files, from the largest circle to the smallest.
pub(crate) fn here() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (name, member) in Members::here()?.iter() {
        for target in member.targets.iter().filter(|target| !target.is("custom-build")) {
            let crate_files = modules::read(&paths::checkout().join(&target.src_path))?;
            let edges = imports::edges(&crate_files);
            for circle in graph::circles(&edges) {
                let files: Vec<&str> = circle.iter().map(|module| crate_files.name(*module)).collect();
                found.push((files.len(), format!("{name}: {}", files.join(" ⇄ "))));
            }
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.dedup();
    Ok(found.into_iter().map(|(_, line)| line).collect())
}
