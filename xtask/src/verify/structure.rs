//! `cargo xtask structure`: the layers, the sizes of the source files, and the circles among them.

use std::io::{self, Write as _};

use anyhow::{Result, bail};

use super::{layers, sizes};
use crate::inputs::Members;
use crate::{command, paths};

/// Prints the findings. Fails if a dependency crosses a layer, a file is too long, or files form a circle.
pub(crate) fn run() -> Result<()> {
    let sizes = sizes::Sizes::here()?;
    let circles = circles()?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", sizes.summary())?;
    writeln!(out, "circles of files: {}", circles.len())?;
    let mut problems = sizes.broken();
    problems.extend(circles);
    for problem in &problems {
        writeln!(out, "  {problem}")?;
    }
    layers::check()?;
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{} problems with the structure of the source files", problems.len())
}

/// The circles of files that import each other, a line each.
fn circles() -> Result<Vec<String>> {
    let mut find = paths::cargo();
    find.args(["run", "--quiet", "--package", "xtask-circles", "--"]);
    for (name, member) in Members::here()?.iter() {
        for target in member.targets.iter().filter(|target| !target.is("custom-build")) {
            find.arg(name).arg(&target.src_path);
        }
    }
    Ok(command::answer(&mut find)?.lines().map(str::to_owned).collect())
}
