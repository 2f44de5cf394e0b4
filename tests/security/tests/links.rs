//! The links of the documentation: each relative link leads to a file of this repository, and each anchor to a heading
//! or an anchor of that page. Each file that a page names in backticks exists, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use security::{root, text};

/// The Markdown files at the root, in `docs` and in `.github`.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![root().join("docs"), root().join(".github")];
    let at_the_root = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(at_the_root.filter(|path| path.is_file()));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                pages.push(path);
            }
        }
    }
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_owned())
        .collect()
}

/// The targets of inline links, without those in code and those of other sites.
fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(page) {
        // Every second part is between backticks.
        let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            if !target.contains("://") {
                links.push(target.to_owned());
            }
        }
    }
    links
}

/// The lines outside of code blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        if fence {
            code = !code;
        }
        !code && !fence
    })
}

/// What an anchor can name: the headings, as GitHub writes them, and the anchors that the page sets itself.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(page) {
        if let Some(heading) = line.strip_prefix('#') {
            let title = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
            anchors.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
        }
        for attribute in ["id=\"", "name=\""] {
            let named = line.split(attribute).skip(1);
            anchors.extend(named.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    anchors
}

/// The path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn every_link_leads_to_a_file_and_an_anchor_that_exist() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for page in pages() {
        for link in links(&text(&page.display().to_string())) {
            seen += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                plain(&page.parent().unwrap().join(path))
            };
            let exists = root().join(&target).exists();
            if !exists || !anchor.is_empty() && !anchors(&text(&target.display().to_string())).contains(anchor) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(seen > 100, "only {seen} links were found");
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

/// The files of this repository that a page names in backticks.
fn files(page: &str) -> Vec<String> {
    const FOLDERS: [&str; 9] = [
        ".github/", "crates/", "crds/", "deploy/", "docs/", "src/", "tests/", "tools/", "xtask/",
    ];
    let code = prose(page).flat_map(|line| line.split('`').skip(1).step_by(2));
    let words = code.flat_map(|code| code.split_whitespace());
    let paths = words.map(|word| word.split("::").next().unwrap_or_default());
    paths
        .filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.contains(['*', '<', '…']))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_file_that_a_page_names_exists() {
    let mut missing = Vec::new();
    // The changelog names files of earlier versions.
    for page in pages().iter().filter(|page| !page.ends_with("CHANGELOG.md")) {
        for file in files(&text(&page.display().to_string())) {
            if !root().join(&file).exists() {
                missing.push(format!("{}: {file}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "missing files:\n{}", missing.join("\n"));
}

#[test]
fn links_and_anchors_are_found() {
    let page = "# A `Big` title: 2\n[x](a.md#b) `[y](c)` [z](https://d)\n```\n[w](e)\n# no\n```\n<a id=\"rule\"></a>\n";
    assert_eq!(links(page), ["a.md#b"]);
    assert_eq!(anchors(page).into_iter().collect::<Vec<_>>(), ["a-big-title-2", "rule"]);
    let named = "`cat src/a.rs` src/b.rs `tests/c.rs::d`, `docs/*.md`\n```\n`src/e.rs`\n```\n";
    assert_eq!(files(named), ["src/a.rs", "tests/c.rs"]);
}

#[test]
fn each_path_on_the_map_of_the_architecture_exists() {
    let page = text("docs/architecture.md");
    let in_code = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let paths: Vec<&str> = in_code
        .filter(|code| !code.contains(' ') && code.contains('/'))
        .collect();
    assert!(paths.len() > 40, "{paths:?}");
    let missing: Vec<&str> = paths.into_iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn each_decision_has_its_own_number_and_is_in_the_index() {
    let index = text("docs/adr/README.md");
    let folder = std::fs::read_dir(root().join("docs/adr")).unwrap();
    let mut names: Vec<String> = folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != "README.md");
    names.sort();
    let number = |name: &String| name.split_once('-').map(|(number, _)| number.to_owned());
    let numbers: Vec<_> = names.iter().map(number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    for name in &names {
        assert!(
            name.split_once('-').is_some_and(|(number, _)| number.len() == 4),
            "{name}"
        );
        assert!(
            index.contains(&format!("]({name})")),
            "{name} is not in docs/adr/README.md"
        );
    }
}
