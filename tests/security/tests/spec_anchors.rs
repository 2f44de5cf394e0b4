//! Comments, tests and pages cite rules of the specification as `contract#<anchor>` or `lifecycle#<anchor>`. Each cited
//! anchor must be in `docs/spec`, and each anchor there must be unique.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use security::{root, text};

/// The pages of the specification, as citations name them.
const PAGES: [&str; 2] = ["contract", "lifecycle"];
/// Files in which rules are cited.
const EXTENSIONS: [&str; 7] = ["rs", "md", "yaml", "yml", "sh", "toml", "patch"];

/// One citation, and where it is.
#[derive(Debug, PartialEq, Eq)]
struct Citation {
    line: usize,
    page: &'static str,
    anchor: String,
}

#[test]
fn each_cited_rule_is_in_the_specification() {
    let anchors: BTreeMap<&str, BTreeSet<String>> = PAGES
        .into_iter()
        .map(|page| {
            (
                page,
                anchors(&text(&format!("docs/spec/{page}.md"))).into_iter().collect(),
            )
        })
        .collect();
    let mut cited = 0;
    let mut wrong = Vec::new();
    for file in files() {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let own = PAGES.into_iter().find(|page| name == format!("docs/spec/{page}.md"));
        for citation in citations(&text, own) {
            cited += 1;
            if !anchors[citation.page].contains(&citation.anchor) {
                wrong.push(format!(
                    "{name}:{}: {}#{}",
                    citation.line, citation.page, citation.anchor
                ));
            }
        }
    }
    assert!(cited > 100, "the files were not found: {cited} citations");
    assert!(wrong.is_empty(), "no such rule in docs/spec:\n{}", wrong.join("\n"));
}

#[test]
fn each_anchor_of_the_specification_is_unique() {
    for page in PAGES {
        let mut seen = BTreeSet::new();
        for anchor in anchors(&text(&format!("docs/spec/{page}.md"))) {
            assert!(is_descriptive(&anchor), "{page}#{anchor}: write words in kebab-case");
            assert!(seen.insert(anchor.clone()), "{page}#{anchor} is there twice");
        }
        assert!(seen.len() > 50, "{page}: {} anchors", seen.len());
    }
}

#[test]
fn citations_are_found_in_comments_and_in_links() {
    let page = "contract";
    let text =
        format!("// {page}#goal: why\nsee [x](../spec/{page}.md#holds), [y](#own)\nsub{page}#no {page}#<anchor>");
    let citation = |line, anchor: &str| Citation {
        line,
        page: "contract",
        anchor: anchor.to_owned(),
    };
    assert_eq!(citations(&text, None), [citation(1, "goal"), citation(2, "holds")]);
    assert_eq!(
        citations(&text, Some("contract")),
        [citation(1, "goal"), citation(2, "holds"), citation(2, "own")]
    );
}

/// The anchors of a page, in its order.
fn anchors(text: &str) -> Vec<String> {
    let starts = text.split("<a id=\"").skip(1);
    starts
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect()
}

/// Words in lower case, and no number of a rule.
fn is_descriptive(anchor: &str) -> bool {
    let mut words = anchor.split('-');
    anchor.contains(|c: char| c.is_ascii_lowercase())
        && words.all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
}

/// The citations in a text; on a page of the specification also the links to its own rules.
fn citations(text: &str, own: Option<&'static str>) -> Vec<Citation> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut add = |page, rest: &str| {
            let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let anchor: String = rest.chars().take_while(|c| is_part(*c)).collect();
            if !anchor.is_empty() {
                found.push(Citation {
                    line: number + 1,
                    page,
                    anchor,
                });
            }
        };
        for page in PAGES {
            for marker in [format!("{page}#"), format!("{page}.md#")] {
                for (at, _) in line.match_indices(&marker) {
                    let (before, rest) = line.split_at(at);
                    if !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                        add(page, rest.strip_prefix(&marker).unwrap());
                    }
                }
            }
        }
        if let Some(page) = own {
            line.split("](#").skip(1).for_each(|rest| add(page, rest));
        }
    }
    found
}

/// The files of this repository in which rules may be cited.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                let is_ours = !name.starts_with('.') && !["target", "node_modules"].contains(&&*name);
                if is_ours || name == ".github" {
                    folders.push(path);
                }
            } else if has_citations(&path) {
                found.push(path);
            }
        }
    }
    found
}

fn has_citations(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
}
