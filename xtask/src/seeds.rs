//! The seeded bugs: patches under `tests/seeded`. The header of each describes the bug and names the test that must
//! fail. `generate` writes the page that lists them. `verify::seeded` applies them and runs the tests.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{command, paths};

/// A bug that can be put into the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    /// The name of the patch without its extension.
    pub(crate) name: String,
    /// The kind of bug, and the study or advisory that describes it.
    pub(crate) kind: String,
    /// The bug, in a sentence.
    pub(crate) bug: String,
    /// The test that must fail.
    pub(crate) caught_by: Catcher,
    /// The unified diff with its header, which `git apply` ignores.
    patch: String,
}

/// A test that fails while the code has the bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Catcher {
    /// A unit test of a package.
    Test {
        /// `core`, `cluster` or `operator`.
        of: Package,
        /// A part of the name of the test.
        filter: String,
    },
    /// A script of the simulation, with faults.
    Simulation {
        /// The script's name.
        script: String,
        /// The plan of faults, and options of the simulation.
        plan: Vec<String>,
    },
}

/// A package with unit tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    Core,
    Cluster,
    Operator,
}

/// All seeded bugs, sorted by name.
pub(crate) fn all() -> Result<Vec<Seed>> {
    let folder = paths::checkout().join("tests/seeded");
    let mut seeds = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            seeds.push(Seed::read(&name, &text).with_context(|| format!("{} is no seeded bug", path.display()))?);
        }
    }
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(seeds)
}

impl Package {
    /// The package that a patch names by this word.
    fn read(word: &str) -> Option<Self> {
        [Self::Core, Self::Cluster, Self::Operator]
            .into_iter()
            .find(|package| package.word() == word)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Cluster => "cluster",
            Self::Operator => "operator",
        }
    }

    /// The name of the package.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Core => "instancelink-core",
            Self::Cluster => "instancelink-cluster",
            Self::Operator => "instancelink",
        }
    }
}

impl Seed {
    /// Reads a patch file.
    pub(crate) fn read(name: &str, text: &str) -> Result<Self> {
        let (header, _) = text.split_once("\ndiff --git ").context("it contains no diff")?;
        let line = |key: &str| {
            let found = header.lines().find_map(|line| line.strip_prefix(key));
            let value = found.map(str::trim).filter(|value| !value.is_empty());
            value.with_context(|| format!("its header has no line that begins with {key:?}"))
        };
        Ok(Self {
            name: name.to_owned(),
            kind: line("Kind:")?.to_owned(),
            bug: line("Bug:")?.to_owned(),
            caught_by: Catcher::read(line("Caught by:")?)?,
            patch: text.to_owned(),
        })
    }

    /// Applies the patch to a tree. With `check` it only checks that the patch applies.
    pub(crate) fn apply(&self, tree: &Path, check: bool) -> Result<()> {
        let mut git = Command::new("git");
        git.current_dir(tree).args(["apply", "--whitespace=nowarn"]);
        if check {
            git.arg("--check");
        }
        // Without this, git treats a tree inside another repository as a part of that repository, and applies nothing.
        if let Some(parent) = tree.parent() {
            git.env("GIT_CEILING_DIRECTORIES", parent);
        }
        command::feed(&mut git, &self.patch).with_context(|| format!("{}.patch does not apply", self.name))?;
        Ok(())
    }
}

impl Catcher {
    fn read(text: &str) -> Result<Self> {
        let (who, rest) = text.split_once(' ').unwrap_or((text, ""));
        if let Some(of) = Package::read(who).filter(|_| !rest.is_empty()) {
            return Ok(Self::Test {
                of,
                filter: rest.to_owned(),
            });
        }
        match who {
            "simulation" => {
                let quoted = rest.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
                let (script, plan) =
                    quoted.with_context(|| format!("{rest:?}: the name of the script must be in single quotes"))?;
                let plan: Vec<String> = plan.split_whitespace().map(str::to_owned).collect();
                if plan.is_empty() {
                    bail!("{rest:?} names no plan. Without faults it is `none`");
                }
                Ok(Self::Simulation {
                    script: script.to_owned(),
                    plan,
                })
            }
            _ => bail!("{text:?}: it must begin with core, cluster, operator or simulation"),
        }
    }
}

impl fmt::Display for Catcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test { of, filter } => write!(f, "{} {filter}", of.word()),
            Self::Simulation { script, plan } => write!(f, "simulation '{script}' {}", plan.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "Kind: stale-state (Sieve)\nBug: it forgets.\nCaught by: simulation 'there and back' e3:late \
                         --pair\n\ndiff --git a/x b/x\n";

    #[test]
    fn the_header_of_a_patch_is_read() {
        let seed = Seed::read("forgetful", PATCH).unwrap();
        assert_eq!(
            (seed.kind.as_str(), seed.bug.as_str()),
            ("stale-state (Sieve)", "it forgets.")
        );
        assert_eq!(seed.caught_by.to_string(), "simulation 'there and back' e3:late --pair");
        for text in ["core memory", "cluster table", "operator queue"] {
            assert_eq!(Catcher::read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_patch_without_a_complete_header_is_refused() {
        let lacks = |line: &str| {
            let text = PATCH.lines().filter(|l| !l.starts_with(line));
            let text: Vec<&str> = text.collect();
            Seed::read("x", &text.join("\n")).is_err()
        };
        assert!(lacks("Kind:") && lacks("Bug:") && lacks("Caught by:") && lacks("diff"));
        for wrong in ["core", "nobody x", "simulation walk none", "simulation 'walk'"] {
            assert!(Catcher::read(wrong).is_err(), "{wrong}");
        }
    }
}
