//! What campaigns did: a row each in a file that all of them append to, and the table that is made of it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use instancelink_testkit::campaign::Row;

use crate::paths;

/// The file that campaigns append their rows to, wherever they run.
pub(crate) fn record() -> Result<PathBuf> {
    Ok(paths::target()?.join("campaigns.jsonl"))
}

/// Forgets the rows of an earlier run.
pub(crate) fn forget() -> Result<()> {
    let file = record()?;
    for old in [file.clone(), file.with_extension("violations")] {
        if old.exists() {
            fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    Ok(())
}

/// Adds the row of what is no test of a crate, and what it violated.
pub(crate) fn append(row: &Row, violations: &[String]) -> Result<()> {
    let file = record()?;
    let lines = violations.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    for (file, text) in [
        (file.with_extension("violations"), lines),
        (file, serde_json::to_string(row)? + "\n"),
    ] {
        let opened = OpenOptions::new().create(true).append(true).open(&file);
        let written = opened.and_then(|mut file| file.write_all(String::as_bytes(&text)));
        written.with_context(|| format!("cannot append to {}", file.display()))?;
    }
    Ok(())
}

fn rows() -> Result<Vec<Row>> {
    let record = record()?;
    let text = fs::read_to_string(&record).unwrap_or_default();
    let rows = text.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>()
        .with_context(|| format!("cannot read {}", record.display()))
}

/// Prints the table of what was run since the rows were forgotten.
pub(crate) fn print() -> Result<()> {
    let rows = rows()?;
    let mut out = io::stdout().lock();
    let width = rows.iter().map(|row| row.campaign.len()).max().unwrap_or(0).max(8);
    writeln!(
        out,
        "\n{:<width$} {:>12} {:>12} {:>10} {:>8}  seed",
        "campaign", "plans", "faults", "violations", "seconds"
    )?;
    for row in &rows {
        writeln!(
            out,
            "{:<width$} {:>12} {:>12} {:>10} {:>8.1}  {}",
            row.campaign, row.plans, row.faults, row.violations, row.seconds, row.seed
        )?;
    }
    let violations: u64 = rows.iter().map(|row| row.violations).sum();
    writeln!(out, "violations: {violations}")?;
    Ok(())
}
