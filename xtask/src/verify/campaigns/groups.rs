//! The list of campaigns. Each test file of a package under `tests/` that is built only with the feature `campaigns` is
//! a group.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::inputs::Members;
use crate::{command, paths};

/// The packages whose campaigns start etcd, an API server and the operator.
const NEED_SERVERS: [&str; 2] = ["faults", "instancelink-bench"];

/// Those that promise how long they take, by package and test. They come first: of those on servers, the first are the ones
/// that leave most of the processors to them.
const FIRST: [(&str, &str); 2] = [("instancelink-model", "model"), ("instancelink-simulation", "requests")];

/// The package whose campaigns count instructions.
const NEEDS_CALLGRIND: &str = "instancelink-bench";

/// A test file of campaigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) package: String,
    pub(super) test: String,
    manifest: PathBuf,
}

impl Group {
    pub(super) fn needs_servers(&self) -> bool {
        NEED_SERVERS.contains(&self.package.as_str())
    }

    pub(super) fn needs_callgrind(&self) -> bool {
        self.package == NEEDS_CALLGRIND
    }

    /// The folder of its package, in which it expects to run.
    pub(super) fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("/"))
    }

    /// The executable, in the messages of Cargo.
    fn executable(&self, messages: &str) -> Result<PathBuf> {
        let artifacts = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
        let mut executables = artifacts
            .filter(|artifact| artifact.manifest_path == self.manifest && artifact.target.name == self.test)
            .filter_map(|artifact| artifact.executable);
        let executable = executables.next();
        executable.with_context(|| format!("Cargo built no test {} of {}", self.test, self.package))
    }
}

impl fmt::Display for Group {
    /// Two packages may have files of one name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.test, self.package)
    }
}

/// Builds the groups. Returns the executable of each, in the same order.
pub(super) fn build(groups: &[&Group]) -> Result<Vec<PathBuf>> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let packages: BTreeSet<&str> = groups.iter().map(|group| group.package.as_str()).collect();
    let tests: BTreeSet<&str> = groups.iter().map(|group| group.test.as_str()).collect();
    let mut cargo = paths::cargo();
    cargo.args([
        "test",
        "--quiet",
        "--profile=campaign",
        "--features=campaigns",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    for test in tests {
        cargo.args(["--test", test]);
    }
    let messages = command::answer(&mut cargo)?;
    groups.iter().map(|group| group.executable(&messages)).collect()
}

/// A message of Cargo about what it built.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// All groups, in the order in which they run.
pub(super) fn all() -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for (package, member) in Members::here()?.iter() {
        let campaigns = member
            .tests()
            .filter(|test| test.required_features.iter().any(|feature| feature == "campaigns"));
        groups.extend(campaigns.map(|test| Group {
            package: package.to_owned(),
            test: test.name.clone(),
            manifest: paths::checkout().join(&member.folder).join("Cargo.toml"),
        }));
    }
    groups.sort_by_key(|group| {
        let first = FIRST.contains(&(group.package.as_str(), group.test.as_str()));
        (!first, group.test.clone(), group.package.clone())
    });
    Ok(groups)
}

/// The groups whose names begin with one of these; all groups where no name is given.
pub(super) fn chosen(mut groups: Vec<Group>, names: &[String]) -> Result<Vec<Group>> {
    let all: Vec<String> = groups.iter().map(|group| group.test.clone()).collect();
    groups.retain(|group| names.is_empty() || names.iter().any(|name| group.test.starts_with(name.as_str())));
    if groups.is_empty() {
        bail!(
            "no campaigns begin with {}; there are: {}",
            names.join(", "),
            all.join(", ")
        );
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(test: &str) -> Group {
        Group {
            package: "p".to_owned(),
            test: test.to_owned(),
            manifest: "/p/Cargo.toml".into(),
        }
    }

    #[test]
    fn groups_are_chosen_by_the_beginning_of_their_names() {
        let all = vec![group("crash"), group("model"), group("model_long")];
        assert_eq!(chosen(all.clone(), &[]).unwrap(), all);
        let model = chosen(all.clone(), &["model".to_owned()]).unwrap();
        assert_eq!(model, [group("model"), group("model_long")]);
        let error = chosen(all, &["nothing".to_owned()]).unwrap_err().to_string();
        assert!(error.ends_with("there are: crash, model, model_long"), "{error}");
    }

    #[test]
    fn an_executable_is_known_by_its_package_and_name() {
        let line = |package: &str, name: &str, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/{package}/Cargo.toml","target":{{"name":"{name}","kind":["test"]}},"executable":{executable}}}"#
            )
        };
        let messages = [
            r#"{"reason":"build-script-executed"}"#.to_owned(),
            line("other", "model", r#""/t/other""#),
            line("p", "p", "null"),
            line("p", "model", r#""/t/model""#),
        ]
        .join("\n");
        assert_eq!(group("model").executable(&messages).unwrap(), Path::new("/t/model"));
        assert_eq!(group("model").folder(), Path::new("/p"));
        let error = group("crash").executable(&messages).unwrap_err().to_string();
        assert_eq!(error, "Cargo built no test crash of p");
    }
}
