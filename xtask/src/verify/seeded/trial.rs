//! Where seeds are tried out: a copy of the tracked tree with a target folder of its own, so that the checkout is never
//! touched, whenever this is stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::seeds::{Catcher, Seed};
use crate::{command, paths};

/// A test that has not come to its end by then hangs.
const PATIENCE: Duration = Duration::from_mins(15);

/// What became of a seed.
#[derive(Debug)]
pub(super) enum Fate {
    /// The test failed, as it has to.
    Caught,
    /// It passed; this is what it said.
    Survived(String),
    /// The patch does not compile: it shows nothing.
    NotBuilt(String),
    /// The test did not come to its end.
    Hung(String),
}

impl Fate {
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Survived(_) => "SURVIVED",
            Self::NotBuilt(_) => "DOES NOT COMPILE",
            Self::Hung(_) => "HANGS",
        }
    }
}

pub(super) struct Bench {
    from: PathBuf,
    tree: PathBuf,
    target: PathBuf,
}

impl Bench {
    pub(super) fn new() -> Result<Self> {
        let folder = paths::target()?.join("seeded");
        let bench = Self {
            from: paths::checkout(),
            tree: folder.join("checkout"),
            target: folder.join("target"),
        };
        fs::create_dir_all(&bench.tree).with_context(|| format!("cannot create {}", bench.tree.display()))?;
        Ok(bench)
    }

    /// Puts the bug in, and runs what has to notice.
    pub(super) fn try_out(&self, seed: &Seed) -> Result<Fate> {
        self.refresh()?;
        seed.apply(&self.tree, false)?;
        let fate = self.run(&seed.caught_by);
        self.refresh()?;
        fate
    }

    fn run(&self, catcher: &Catcher) -> Result<Fate> {
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
        // Apart from the run: what does not compile fails too, and proves nothing.
        if let Err(error) = command::capture(&mut build) {
            return Ok(Fate::NotBuilt(format!("{error:#}")));
        }
        let output = self.target.join("output");
        let out = fs::File::create(&output).with_context(|| format!("cannot write {}", output.display()))?;
        test.stdout(out.try_clone()?).stderr(out).stdin(Stdio::null());
        let ended = finish(&mut test)?;
        let said = fs::read(&output).with_context(|| format!("cannot read {}", output.display()))?;
        let said = String::from_utf8_lossy(&said);
        Ok(match ended {
            None => Fate::Hung(command::tail(&said)),
            Some(false) if said.contains(failed) => Fate::Caught,
            Some(_) => Fate::Survived(command::tail(&said)),
        })
    }

    fn cargo(&self) -> Command {
        let mut cargo = paths::cargo();
        cargo.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// Makes the copy equal to the tracked files. What is equal keeps its time, so that Cargo builds only what changed.
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

/// Whether it ended well; none where it had to be ended.
fn finish(test: &mut Command) -> Result<Option<bool>> {
    let began = Instant::now();
    let mut child = test.spawn().context("cannot start cargo")?;
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
