//! The table of threats names tests. Each must exist, and be a test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::path::Path;

use security::{is_a_test, root, text};

/// The number of a row, its control, and its tests.
fn rows() -> Vec<(String, String, Vec<String>)> {
    let page = text("docs/security.md");
    let rows = page.lines().filter(|line| line.starts_with("| T"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, _, control, tests] = cells[..] else {
            panic!("four cells: {line}");
        };
        let tests = tests.split('`').filter(|part| part.contains("::")).map(str::to_owned);
        (number.to_owned(), control.to_owned(), tests.collect())
    })
    .collect()
}

#[test]
fn every_threat_has_a_control_and_tests() {
    let rows = rows();
    let numbers: Vec<u32> = rows.iter().map(|(number, ..)| number[1..].parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    for (number, control, tests) in &rows {
        assert!(control.len() > 20 && tests.len() > 1, "{number}: {control} {tests:?}");
    }
}

#[test]
fn every_test_that_the_table_names_is_there() {
    for (number, _, tests) in rows() {
        for named in tests {
            let (file, name) = named.split_once("::").unwrap();
            assert!(
                Path::new(file).is_relative() && root().join(file).is_file(),
                "{number}: no file {file}"
            );
            assert!(is_a_test(&text(file), name), "{number}: {file} has no test {name}");
        }
    }
}

/// "Where tenants' input goes": each place is a file that exists, and each verdict names rows of the table, tests, or why it
/// needs none.
#[test]
fn every_verdict_on_an_input_names_threats_or_tests_that_are_there() {
    let page = text("docs/security.md");
    let threats: Vec<String> = rows().into_iter().map(|(number, ..)| number).collect();
    let section = page.split("## Where tenants' input goes").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let verdicts: Vec<&str> = section
        .lines()
        .filter(|line| {
            line.starts_with("| ")
                && !line.starts_with("| input")
                && !line.starts_with("| decision")
                && !line.starts_with("| mark ")
        })
        .collect();
    assert!(verdicts.len() > 40, "{}", verdicts.len());
    for line in verdicts {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, place, _, verdict] = cells[..] else {
            panic!("four cells: {line}")
        };
        for file in place
            .split('`')
            .filter(|part| part.starts_with("src/") || part.starts_with("crates/"))
        {
            assert!(root().join(file).exists(), "no {file}: {line}");
        }
        for test in verdict.split('`').filter(|part| part.contains("::")) {
            let (file, name) = test.split_once("::").unwrap();
            assert!(is_a_test(&text(file), name), "{file} has no test {name}");
        }
        let words = verdict.split(|c: char| !c.is_alphanumeric());
        let is_number = |word: &&str| {
            word.strip_prefix('T')
                .is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
        };
        for threat in words.filter(is_number) {
            assert!(threats.iter().any(|known| known == threat), "no row {threat}: {line}");
        }
        let judged = ["fixed: ", "safe: ", "accepted", "open: ", "own namespace: safe"];
        assert!(
            judged.iter().any(|word| verdict.starts_with(word)),
            "no verdict: {line}"
        );
    }
}
