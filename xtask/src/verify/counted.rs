//! Runs a program with tests, shows its output, and counts the tests that passed. A run without tests proves nothing.

use std::io::{self, BufRead as _, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::command;

/// Shows the output while it runs. Fails if a test failed or none ran.
pub(super) fn run(program: &mut Command) -> Result<usize> {
    run_to(program, io::stdout())
}

fn run_to(program: &mut Command, mut out: impl Write) -> Result<usize> {
    let mut child = program
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the tests")?;
    let output = child.stdout.take().context("the standard output is a pipe")?;
    let mut passed = 0;
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(out, "{line}")?;
        passed += passed_in(&line);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the tests ended with {status}");
    }
    some(passed)
}

/// The same, beside other programs: its output is shown at once when it has ended.
pub(super) fn run_aside(title: &str, program: &mut Command) -> Result<usize> {
    let output = command::run_aside(title, program)?;
    some(output.lines().map(passed_in).sum())
}

fn some(passed: usize) -> Result<usize> {
    if passed == 0 {
        bail!("no test ran, so nothing was tested");
    }
    Ok(passed)
}

/// The number of tests that passed, in the last line of a test binary. The words before it can have a colour.
fn passed_in(line: &str) -> usize {
    let result = line.strip_prefix("test result: ");
    let before = result.and_then(|result| result.split_once(" passed"));
    let count = before.and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
    count.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printing(lines: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("echo '{lines}'")]);
        shell
    }

    const SOME: &str = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out";
    const NONE: &str = "test result: ok. 0 passed; 0 failed; 2 ignored; 0 measured; 3 filtered out";

    /// The output is not shown: it would look like a result of the tests that run this one.
    fn counted(lines: &str) -> Result<usize> {
        run_to(&mut printing(lines), io::sink())
    }

    #[test]
    fn the_tests_that_passed_are_counted() {
        assert_eq!(counted(SOME).unwrap(), 3);
        assert_eq!(passed_in("test a_walk ... ok"), 0);
        assert_eq!(passed_in("test result: \u{1b}[32mok\u{1b}[m. 12 passed; 0 failed"), 12);
    }

    #[test]
    fn a_run_without_tests_fails() {
        let error = counted(NONE).unwrap_err().to_string();
        assert_eq!(error, "no test ran, so nothing was tested");
        assert!(counted("").is_err());
    }
}
