//! `cargo xtask mutants`: changes the decisions of core one at a time, with cargo-mutants. A test must fail for each change.
//!
//! It is not part of `cargo xtask test`: there are hundreds of mutants, and each needs a build and a run of core's unit tests.
//! A shard is a sample of them.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::progress::say;
use crate::{command, paths};

/// Code for tests. It decides nothing.
const FIXTURE: &str = "crates/core/src/fixture/**";
/// For how many of a hundred mutants a test must fail.
const ENOUGH: usize = 95;
/// Seconds after which tests count as failed: a mutant can cause an endless loop. Much longer than the tests take, because
/// other work can slow the machine down.
const TIMEOUT: &str = "120";
/// Tests that take longer than all others together and find no mutant that the others do not find.
const SLOW: [&str; 4] = ["--skip", "chaos", "--skip", "the_allowed_set"];

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Files of core, or patterns of them [default: all but its fixture]
    files: Vec<String>,
    /// Only a part of them: 0/8 is the first of eight
    #[arg(long)]
    shard: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if command::find("cargo-mutants").is_none() {
        say("installing cargo-mutants (once, takes minutes)");
        command::run(paths::cargo().args(["install", "cargo-mutants", "--locked"]))?;
    }
    let output = paths::target()?;
    let mut cargo = paths::cargo();
    // Of the copy that is changed. In a target folder that this checkout uses, too, Cargo takes the last mutant for its build.
    cargo.env("CARGO_TARGET_DIR", "target");
    cargo.args([
        "mutants",
        "--package=instancelink-core",
        "--baseline=skip",
        "--timeout",
        TIMEOUT,
    ]);
    cargo.arg("--output").arg(&output);
    cargo.args(["--exclude", FIXTURE]);
    for file in &options.files {
        cargo.args(["--file", file]);
    }
    if let Some(shard) = &options.shard {
        cargo.args(["--sharding=round-robin", "--shard", shard]);
    }
    cargo.args(["--", "--lib", "--"]).args(SLOW);
    // It fails if one mutant is missed. The check below is about their number.
    let ended = command::run(&mut cargo);
    let found = Figures::of(&output.join("mutants.out"))?;
    found.print()?;
    if found.viable() == 0 {
        return ended.and_then(|()| bail!("there is nothing to mutate in these files"));
    }
    if found.killed * 100 < found.viable() * ENOUGH {
        bail!(
            "no test fails for more than {} of a hundred mutants; they are listed above. Add tests for these decisions",
            100 - ENOUGH
        );
    }
    Ok(())
}

/// The results of the mutants.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    /// A test failed, or the tests did not end in time.
    killed: usize,
    /// They do not compile.
    unviable: usize,
    /// No test failed.
    missed: Vec<String>,
}

impl Figures {
    fn of(folder: &Path) -> Result<Self> {
        let lines = |name: &str| {
            let file = folder.join(name);
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            Ok::<_, anyhow::Error>(text.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        Ok(Self {
            killed: lines("caught.txt")?.len() + lines("timeout.txt")?.len(),
            unviable: lines("unviable.txt")?.len(),
            missed: lines("missed.txt")?,
        })
    }

    fn viable(&self) -> usize {
        self.killed + self.missed.len()
    }

    fn print(&self) -> Result<()> {
        let mut out = io::stdout().lock();
        for missed in &self.missed {
            writeln!(out, "missed: {missed}")?;
        }
        writeln!(
            out,
            "mutants: {} viable, {} killed, {} missed; {} do not compile",
            self.viable(),
            self.killed,
            self.missed.len(),
            self.unviable
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_on_which_the_tests_do_not_end_is_killed() {
        let folder = std::env::temp_dir().join(format!("mutants-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in [
            ("caught.txt", "a\nb\n"),
            ("timeout.txt", "c\n"),
            ("unviable.txt", "d\n"),
            ("missed.txt", "e\n"),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let figures = Figures::of(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((figures.killed, figures.unviable, figures.viable()), (3, 1, 4));
        assert_eq!(figures.missed, ["e"]);
    }
}
