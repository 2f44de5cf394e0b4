//! The diagram and the tables of states and actions in the documentation, from core's tables. They are written between
//! `<!-- generated: … -->` and `<!-- end -->`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use instancelink_api::{State, Verb};
use instancelink_core::action::{Legality, cell};
use instancelink_core::lifecycle::TABLE;

use crate::file;

const PAGE: &str = "docs/reference/states-and-actions.md";

/// Writes the page, or with `check` fails when the committed one differs.
pub(crate) fn run(check: bool) -> Result<()> {
    let mut page = file::read(PAGE)?;
    for (section, text) in [
        ("diagram", diagram()),
        ("processes", processes()),
        ("actions", actions()),
    ] {
        page = replace(&page, section, &text)?;
    }
    file::write(PAGE, &page, check, "the tables in crates/core", "docs")
}

fn replace(page: &str, section: &str, text: &str) -> Result<String> {
    let start = format!("<!-- generated: {section} -->\n");
    let (before, rest) = page
        .split_once(&start)
        .with_context(|| format!("{PAGE} has no section {section}"))?;
    let (_, after) = rest
        .split_once("<!-- end -->")
        .with_context(|| format!("section {section} has no end"))?;
    Ok(format!("{before}{start}{text}<!-- end -->{after}"))
}

fn diagram() -> String {
    let mut text = String::from("```mermaid\nstateDiagram-v2\n    [*] --> requested\n");
    for process in TABLE {
        for (from, to) in process.edges {
            let (from, to) = (id(*from), id(*to));
            let _ = writeln!(text, "    {from} --> {to} : {}", process.name);
        }
    }
    text.push_str("    purging --> [*]\n    purged --> [*]\n```\n");
    text
}

/// Mermaid takes a hyphen for an arrow.
fn id(state: State) -> String {
    state.as_str().replace('-', "_")
}

fn processes() -> String {
    let mut text = String::from("| process | from | to |\n|---|---|---|\n");
    for process in TABLE {
        for (from, to) in process.edges {
            let _ = writeln!(text, "| {} | {from} | {to} |", process.name);
        }
    }
    text
}

fn actions() -> String {
    let verbs: Vec<_> = Verb::ALL.iter().map(|verb| verb.as_str()).collect();
    let mut text = format!(
        "| state | {} |\n|---|{}\n",
        verbs.join(" | "),
        "---|".repeat(verbs.len())
    );
    for state in State::ALL {
        let cells: Vec<_> = Verb::ALL
            .into_iter()
            .map(|verb| match cell(state, verb) {
                Legality::Yes => "yes",
                Legality::NoOp => "no-op",
                Legality::No => "–",
            })
            .collect();
        let _ = writeln!(text, "| {state} | {} |", cells.join(" | "));
    }
    text
}
