//! `cargo xtask structure`: the layers, the sizes of the source files, and the circles among them.

use std::io::{self, Write as _};

use anyhow::{Result, bail};

use super::{circles, layers, sizes};

/// Prints what is found. Fails where a layer is crossed, a file is too long, or files form a circle.
pub(crate) fn run() -> Result<()> {
    let sizes = sizes::Sizes::here()?;
    let circles = circles::here()?;
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
