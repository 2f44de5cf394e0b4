//! Tries a seeded bug in a copy of the tracked files with a separate target folder, so that the checkout never changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::seeds::{Catcher, Seed};
use crate::{command, paths};

/// A test that takes longer than this hangs.
const TIMEOUT: Duration = Duration::from_mins(15);

/// What happened with a seeded bug.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The test failed, as it must.
    Caught,
    /// The test passed. This is its output.
    Survived(String),
    /// The patch does not compile, so it shows nothing.
    NotBuilt(String),
    /// The test did not end in time.
    Hung(String),
}

impl Outcome {
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Survived(_) => "SURVIVED",
            Self::NotBuilt(_) => "DOES NOT COMPILE",
            Self::Hung(_) => "HANGS",
        }
    }
}

pub(super) struct Trial {
    from: PathBuf,
    tree: PathBuf,
    target: PathBuf,
}

impl Trial {
    pub(super) fn new() -> Result<Self> {
        let folder = paths::target()?.join("seeded");
        let trial = Self {
            from: paths::checkout(),
            tree: folder.join("checkout"),
            target: folder.join("target"),
        };
        fs::create_dir_all(&trial.tree).with_context(|| format!("cannot create {}", trial.tree.display()))?;
        Ok(trial)
    }

    /// Applies the patch, and runs the test that must fail.
    pub(super) fn try_out(&self, seed: &Seed) -> Result<Outcome> {
        self.refresh()?;
        seed.apply(&self.tree, false)?;
        let outcome = self.run(&seed.caught_by);
        self.refresh()?;
        outcome
    }

    fn run(&self, catcher: &Catcher) -> Result<Outcome> {
        let mut build = self.cargo();
        let mut test = self.cargo();
        let failed = match catcher {
            Catcher::Test { of, filter } => {
                let words = ["test", "--quiet", "--lib", "--package", of.name()];
                build.args(words).arg("--no-run");
                test.args(words).args(["--", filter]);
                "test result: FAILED"
            }
            Catcher::Simulation { script, plan } => {
                let package = ["--quiet", "--package", "instancelink-simulation"];
                build.arg("build").args(package);
                test.arg("run").args(package).arg("--").arg(script).args(plan);
                "VIOLATED"
            }
        };
        // Before the run: code that does not compile fails as well, and shows nothing.
        if let Err(error) = command::capture(&mut build) {
            return Ok(Outcome::NotBuilt(format!("{error:#}")));
        }
        let output = self.target.join("output");
        let out = fs::File::create(&output).with_context(|| format!("cannot write {}", output.display()))?;
        test.stdout(out.try_clone()?).stderr(out).stdin(Stdio::null());
        let ended = finish(&mut test)?;
        let output_text = fs::read(&output).with_context(|| format!("cannot read {}", output.display()))?;
        let output_text = String::from_utf8_lossy(&output_text);
        Ok(match ended {
            None => Outcome::Hung(command::tail(&output_text)),
            Some(false) if output_text.contains(failed) => Outcome::Caught,
            Some(_) => Outcome::Survived(command::tail(&output_text)),
        })
    }

    fn cargo(&self) -> Command {
        let mut cargo = paths::cargo();
        cargo.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// Makes the copy equal to the tracked files. A file that is equal keeps its time, so that Cargo builds only what changed.
    fn refresh(&self) -> Result<()> {
        let files = command::capture(Command::new("git").current_dir(&self.from).args(["ls-files", "-z"]))?;
        for file in files.split('\0').filter(|file| !file.is_empty()) {
            let (from, to) = (self.from.join(file), self.tree.join(file));
            if from.is_file() {
                copy(&from, &to)?;
            } else if to.exists() {
                fs::remove_file(&to).with_context(|| format!("cannot remove {}", to.display()))?;
            }
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let wanted = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(to, wanted).with_context(|| format!("cannot write {}", to.display()))
}

/// Whether the test passed. None if it took too long and was ended.
fn finish(test: &mut Command) -> Result<Option<bool>> {
    let began = Instant::now();
    let mut child = test.spawn().context("cannot start cargo")?;
    while began.elapsed() < TIMEOUT {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
