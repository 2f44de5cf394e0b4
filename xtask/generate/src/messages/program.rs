//! The texts that the operator's program prints, from its source: help, log lines, output and errors of commands.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Row, literals};
use crate::file;

/// Where the source of the program is.
const FOLDERS: [&str; 2] = ["src", "crates/cluster/src"];

/// What `--help` says of commands, options and values.
pub(super) fn help() -> Result<BTreeSet<Row>> {
    let sources = sources()?.into_iter().filter(|source| source.contains("clap::"));
    Ok(sources.flat_map(|source| help_in(&source)).collect())
}

/// What is logged, by level. Debug lines are for developers.
pub(super) fn logs() -> Result<BTreeSet<Row>> {
    said(&[
        ("tracing::error!", "error"),
        ("tracing::warn!", "warn"),
        ("tracing::info!", "info"),
    ])
}

/// What commands print, and why they end without success.
pub(super) fn output() -> Result<BTreeSet<Row>> {
    said(&[
        ("println!", "output"),
        ("print!", "output"),
        ("bail!", "error"),
        ("anyhow!", "error"),
        (".context", "error"),
        (".with_context(|| format!", "error"),
    ])
}

fn said(calls: &[(&str, &str)]) -> Result<BTreeSet<Row>> {
    let mut rows = BTreeSet::new();
    for source in sources()? {
        for (call, place) in calls {
            let found = literals::in_calls(&source, call);
            let texts = found.into_iter().filter_map(|texts| texts.into_iter().next_back());
            let spoken = texts.filter(|text| text.contains(char::is_alphabetic) && text != "{}");
            rows.extend(spoken.map(|text| ((*place).to_owned(), text)));
        }
    }
    Ok(rows)
}

/// All sources, without their tests.
fn sources() -> Result<Vec<String>> {
    let mut sources = Vec::new();
    for folder in FOLDERS {
        for name in file::below(folder, "rs")? {
            if name.contains("/tests/") || name.ends_with("/tests.rs") {
                continue;
            }
            let text = file::read(&name)?;
            let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            sources.push(shipped.to_owned());
        }
    }
    Ok(sources)
}

/// clap takes the help from the comments of fields and variants.
fn help_in(source: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut is_option = false;
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            comment.push(text.trim());
            continue;
        }
        is_option |= line.contains("arg(long") || line == "long,";
        match line_of(line, is_option) {
            Line::Attribute => continue,
            Line::Help(place) if !comment.is_empty() => rows.push((place, comment.join(" "))),
            Line::Help(_) | Line::Code => {}
        }
        comment.clear();
        is_option = false;
    }
    rows
}

/// What a line after a comment is.
enum Line {
    /// An attribute, or a part of one: what the comment is about follows.
    Attribute,
    /// Code that no help shows.
    Code,
    /// A command, an option or a value: the comment is its help.
    Help(String),
}

fn line_of(line: &str, is_option: bool) -> Line {
    let name: String = line
        .trim_start_matches("pub ")
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    if line.starts_with('#') || line.starts_with(')') || line.starts_with("long") || name.is_empty() {
        return Line::Attribute;
    }
    let is_field = line.starts_with("pub ") && line.contains(": ") && !line.contains("fn ");
    let is_variant = name.starts_with(char::is_uppercase) && (line.ends_with("),") || line == format!("{name},"));
    if is_field && is_option {
        return Line::Help(format!("--{}", name.replace('_', "-")));
    }
    if is_variant {
        return Line::Help(name.to_lowercase());
    }
    if line.starts_with("pub struct Command") {
        return Line::Help("instancelink".to_owned());
    }
    if line.contains(['{', ';', '(']) || is_field {
        Line::Code
    } else {
        Line::Attribute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_what_the_comments_of_options_commands_and_values_say() {
        let source = "
/// What it does.
#[command(name = \"x\")]
pub struct Command {
    /// No option.
    pub verb: Verb,
    /// Two
    /// lines.
    #[arg(
        long,
        default_value = \"a\"
    )]
    pub log_format: Format,
}
/// Not shown.
pub enum Verb {
    /// Runs it.
    Run(Options),
    /// A value.
    Json,
}
";
        let row = |place: &str, text: &str| (place.to_owned(), text.to_owned());
        assert_eq!(
            help_in(source),
            [
                row("instancelink", "What it does."),
                row("--log-format", "Two lines."),
                row("run", "Runs it."),
                row("json", "A value.")
            ]
        );
    }

    #[test]
    fn the_program_logs_and_prints_and_has_help() {
        assert!(logs().unwrap().len() > 20);
        assert!(output().unwrap().len() > 10);
        assert!(help().unwrap().iter().any(|(place, _)| place == "--cluster-domain"));
    }
}
