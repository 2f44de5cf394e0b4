//! The results of campaigns: files of rows, one for each group of tests, and the table of these rows.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use instancelink_testkit::campaign::Row;
use serde::{Deserialize, Serialize};

use crate::paths;

/// A row of the table.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    row: Row,
    /// Where the row is of an earlier run: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// The file that the tests of a group append their rows to, wherever they run.
pub(crate) fn file(group: &str) -> Result<PathBuf> {
    let folder = folder()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.join(format!("{}.jsonl", group.replace([' ', '/', ':'], "-"))))
}

/// The folder of all runs in this target folder.
fn runs() -> Result<PathBuf> {
    Ok(paths::target()?.join("campaigns"))
}

/// The folder of this run. Two runs at the same time must not take the rows of the other as their own.
fn folder() -> Result<PathBuf> {
    Ok(runs()?.join(std::process::id().to_string()))
}

/// Removes the rows of earlier runs.
pub(crate) fn clear() -> Result<()> {
    clear_in(&runs()?, std::process::id())
}

/// Leaves the rows of other runs that have not ended.
fn clear_in(runs: &Path, own: u32) -> Result<()> {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_string_lossy().parse::<u32>().ok();
        let runs_now = number.is_some_and(|pid| pid != own && Path::new(&format!("/proc/{pid}")).exists());
        if runs_now {
            continue;
        }
        let path = entry.path();
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        // Another run may remove the same folder at this moment.
        if path.exists() {
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Adds a row that `xtask` computes, because no campaign writes it, and the violations that belong to the row.
pub(crate) fn append(group: &str, row: &Row, violations: &[String]) -> Result<()> {
    let file = file(group)?;
    let violations: String = violations.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    append_to(&file.with_extension("violations"), &violations)?;
    let line = Line {
        row: row.clone(),
        note: None,
    };
    append_to(&file, &(serde_json::to_string(&line)? + "\n"))
}

/// Adds the rows of a group that did not run, since nothing that it depends on has changed.
pub(crate) fn repeat(group: &str, rows: &[Row], note: &str) -> Result<()> {
    let file = file(group)?;
    for row in rows {
        let line = Line {
            row: row.clone(),
            note: Some(note.to_owned()),
        };
        append_to(&file, &(serde_json::to_string(&line)? + "\n"))?;
    }
    Ok(())
}

fn append_to(file: &Path, text: &str) -> Result<()> {
    let opened = OpenOptions::new().create(true).append(true).open(file);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot append to {}", file.display()))
}

/// The rows of a group that ran.
pub(crate) fn rows(group: &str) -> Result<Vec<Row>> {
    Ok(read(&file(group)?)?.into_iter().map(|line| line.row).collect())
}

fn read(file: &Path) -> Result<Vec<Line>> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .with_context(|| format!("cannot read {}", file.display()))
}

/// Prints the table of everything since [`clear`].
pub(crate) fn print() -> Result<()> {
    let mut files: Vec<_> = fs::read_dir(folder()?)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "jsonl"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let mut lines = Vec::new();
    for (_, file) in files {
        lines.extend(read(&file)?);
    }
    write!(io::stdout().lock(), "{}", table(&lines))?;
    Ok(())
}

fn table(lines: &[Line]) -> String {
    let width = lines
        .iter()
        .map(|line| line.row.campaign.len())
        .max()
        .unwrap_or(0)
        .max(8);
    let mut text = format!(
        "\n{:<width$} {:>12} {:>12} {:>10} {:>8}  seed\n",
        "campaign", "plans", "faults", "violations", "seconds"
    );
    for Line { row, note } in lines {
        let note = note.as_ref().map_or(String::new(), |note| format!("  {note}"));
        let _ = writeln!(
            text,
            "{:<width$} {:>12} {:>12} {:>10} {:>8.1}  {}{note}",
            row.campaign, row.plans, row.faults, row.violations, row.seconds, row.seed
        );
    }
    let violations: u64 = lines.iter().map(|line| line.row.violations).sum();
    text + &format!("violations: {violations}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(campaign: &str, note: Option<&str>) -> Line {
        Line {
            row: Row {
                campaign: campaign.to_owned(),
                plans: 10,
                faults: 2,
                violations: 0,
                seconds: 1.25,
                seed: 1,
            },
            note: note.map(str::to_owned),
        }
    }

    #[test]
    fn a_row_of_an_earlier_run_says_of_which() {
        let text = table(&[
            line("model", None),
            line("requests", Some("unchanged since abc, 2026-01-31")),
        ]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("model ") && line.ends_with("  1")),
            "{text}"
        );
        let unchanged = |line: &&str| line.ends_with("  1  unchanged since abc, 2026-01-31");
        assert!(lines.iter().any(unchanged), "{text}");
        assert!(text.ends_with("violations: 0\n"), "{text}");
    }

    #[test]
    fn the_rows_of_another_run_are_kept_until_it_has_ended() {
        let runs = std::env::temp_dir().join(format!("xtask-rows-{}", std::process::id()));
        // Process 1 always runs, and no process has the number 0.
        let (own, other, ended) = (std::process::id(), 1, 0);
        for run in [own, other, ended] {
            let folder = runs.join(run.to_string());
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("model.jsonl"), "").unwrap();
        }
        clear_in(&runs, own).unwrap();
        let left = [own, other, ended].map(|run| runs.join(run.to_string()).exists());
        fs::remove_dir_all(&runs).unwrap();
        assert_eq!(left, [false, true, false]);
    }

    #[test]
    fn a_row_that_a_campaign_wrote_has_no_note() {
        let written = serde_json::to_string(&line("model", None).row).unwrap();
        let read: Line = serde_json::from_str(&written).unwrap();
        assert_eq!(read.note, None);
    }
}
