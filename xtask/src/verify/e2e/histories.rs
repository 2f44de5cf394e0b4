//! Runs the program `histories` (`tests/e2e/src/bin/histories`). It watches all links while the end-to-end tests run, and
//! checks the order of their actions.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use instancelink_testkit::campaign::{self, Row};
use serde::Deserialize;

use super::plan::HISTORIES;
use crate::paths;
use crate::progress::say;
use crate::verify::campaigns::record;

/// The running program. It ends when this is dropped, because its standard input ends.
pub(super) struct Histories {
    child: Child,
    output: BufReader<ChildStdout>,
    started: Instant,
}

/// What the program reports at its end.
#[derive(Deserialize)]
struct Found {
    histories: u64,
    asked: u64,
    ambiguous: u64,
    violations: Vec<String>,
}

impl Histories {
    /// Starts the program. It sees everything that happens to a link after this returns.
    pub(super) fn watch(kubeconfig: &Path) -> Result<Self> {
        let mut cargo = paths::cargo();
        cargo
            .env("KUBECONFIG", kubeconfig)
            .args(["run", "--quiet", "--package", "e2e", "--bin", "histories"]);
        Self::of(&mut cargo)
    }

    fn of(program: &mut Command) -> Result<Self> {
        let mut child = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the program that watches the links")?;
        let output = child.stdout.take().context("its standard output is a pipe")?;
        let mut watch = Self {
            child,
            output: BufReader::new(output),
            started: Instant::now(),
        };
        if watch.line()? != "watching" {
            bail!("the links of the cluster cannot be watched; the reason is in the lines above");
        }
        Ok(watch)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Ends the program and reports. It fails if a history has no order, or if no action was seen although there must be some.
    pub(super) fn judge(mut self, sees_actions: bool) -> Result<Row> {
        drop(self.child.stdin.take());
        let found = self.line()?;
        let status = self.child.wait()?;
        let found: Found = serde_json::from_str(&found)
            .with_context(|| format!("the program that watched the links ended with {status} and wrote {found:?}"))?;
        let Found {
            histories,
            asked,
            ambiguous,
            violations,
        } = found;
        let row = Row {
            campaign: format!("links of the end-to-end tests: {asked} actions, {ambiguous} overwritten"),
            plans: histories,
            faults: 0,
            violations: violations.len() as u64,
            seconds: self.started.elapsed().as_secs_f64(),
            seed: campaign::seed(),
        };
        record::append(HISTORIES, &row, &violations)?;
        say(&format!(
            "{histories} histories of links: {asked} actions, {ambiguous} of them overwritten before the operator accepted them; \
             {} without an order",
            violations.len()
        ));
        for line in &violations {
            say(line);
        }
        if asked == 0 {
            if sees_actions {
                bail!("no action was seen while all tests ran, so nothing was checked");
            }
            say("no action was seen, so the order of actions was not checked");
        }
        if !violations.is_empty() {
            bail!("{} links have a history without an order", violations.len());
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(line: &str) -> Result<Row> {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("echo watching; cat; echo '{line}'")]);
        Histories::of(&mut shell)?.judge(true)
    }

    #[test]
    fn a_program_that_cannot_watch_is_not_waited_for() {
        let mut shell = Command::new("sh");
        assert!(Histories::of(shell.args(["-c", "exit 1"])).is_err());
    }

    #[test]
    fn a_program_that_dies_before_it_has_judged_is_no_success() {
        let error = judged("").unwrap_err().to_string();
        assert!(error.contains("ended with"), "{error}");
    }
}
