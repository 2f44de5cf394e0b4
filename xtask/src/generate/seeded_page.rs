//! The table of seeded bugs in the documentation, from the headers of the patches.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::paths;
use crate::progress::say;
use crate::seeds::Seed;

const PAGE: &str = "docs/seeded-bugs.md";
const START: &str = "<!-- generated: seeds -->\n";
const END: &str = "<!-- end -->";

/// Writes the table. With `check` it fails if the table differs.
pub(crate) fn write(seeds: &[Seed], check: bool) -> Result<()> {
    let path = paths::checkout().join(PAGE);
    let old = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let parts = old.split_once(START).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.with_context(|| format!("{PAGE} has no section for the seeds"))?;
    let new = format!("{before}{START}{}{END}{after}", table(seeds));
    if new == old {
        return Ok(());
    }
    if check {
        bail!("{PAGE} differs from the patches in tests/seeded; run `cargo xtask docs` and commit the result");
    }
    fs::write(&path, new).with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("wrote {PAGE}"));
    Ok(())
}

fn table(seeds: &[Seed]) -> String {
    let mut text = String::from("| seed | kind | the bug | caught by |\n|---|---|---|---|\n");
    for seed in seeds {
        let Seed {
            name,
            kind,
            bug,
            caught_by,
            ..
        } = seed;
        let _ = writeln!(
            text,
            "| [{name}](../tests/seeded/{name}.patch) | {kind} | {bug} | `{caught_by}` |"
        );
    }
    text
}
