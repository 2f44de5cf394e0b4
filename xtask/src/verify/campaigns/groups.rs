//! Which campaigns there are: each test file of a crate under `tests/` that is built only with the feature `campaigns` is a
//! group.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{command, paths};

/// The packages whose campaigns start etcd, an API server and the operator.
const NEED_SERVERS: [&str; 2] = ["faults", "instancelink-bench"];

/// Those that promise how long they take, by package and test. They come first: of those on servers, the first are the ones
/// that leave most of the processors to them.
const FIRST: [(&str, &str); 2] = [("instancelink-model", "model"), ("instancelink-simulation", "requests")];

/// The package whose campaigns count instructions.
const NEEDS_CALLGRIND: &str = "instancelink-bench";

/// A test file of campaigns, built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    package: String,
    test: String,
    /// Of its package, in which it expects to run.
    pub(super) folder: PathBuf,
    pub(super) executable: PathBuf,
}

impl Group {
    pub(super) fn needs_servers(&self) -> bool {
        NEED_SERVERS.contains(&self.package.as_str())
    }

    pub(super) fn needs_callgrind(&self) -> bool {
        self.package == NEEDS_CALLGRIND
    }
}

impl fmt::Display for Group {
    /// Two packages may have files of one name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.test, self.package)
    }
}

/// Builds those whose names begin so, in the order in which they run.
pub(super) fn built(asked: &[String]) -> Result<Vec<Group>> {
    let files = chosen(files()?, asked)?;
    let packages: BTreeSet<&str> = files.iter().map(|file| file.package.as_str()).collect();
    let tests: BTreeSet<&str> = files.iter().map(|file| file.test.as_str()).collect();
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
    let built = command::answer(&mut cargo)?;
    files.into_iter().map(|file| file.built(&built)).collect()
}

/// A test file of campaigns.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    package: String,
    test: String,
    manifest: PathBuf,
}

impl File {
    /// With the executable that Cargo says it made of it.
    fn built(self, messages: &str) -> Result<Group> {
        let artifacts = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
        let mut of_it = artifacts
            .filter(|artifact| artifact.manifest_path == self.manifest && artifact.target.name == self.test)
            .filter_map(|artifact| artifact.executable);
        let executable = of_it.next();
        let executable =
            executable.with_context(|| format!("Cargo built no test {} of {}", self.test, self.package))?;
        let folder = self.manifest.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Group {
            package: self.package,
            test: self.test,
            folder,
            executable,
        })
    }
}

/// One of the lines in which Cargo tells what it made.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

/// All test files that are built only with the feature `campaigns`.
fn files() -> Result<Vec<File>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        manifest_path: PathBuf,
        targets: Vec<Target>,
    }
    let metadata = command::capture(paths::cargo().args(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cannot read what cargo metadata says")?;
    let mut files = Vec::new();
    for package in metadata.packages {
        for target in package.targets {
            if target.kind.iter().any(|kind| kind == "test")
                && target.required_features.contains(&"campaigns".to_owned())
            {
                files.push(File {
                    package: package.name.clone(),
                    test: target.name,
                    manifest: package.manifest_path.clone(),
                });
            }
        }
    }
    files.sort_by_key(|file| {
        let first = FIRST.contains(&(file.package.as_str(), file.test.as_str()));
        (!first, file.test.clone(), file.package.clone())
    });
    Ok(files)
}

fn chosen(mut files: Vec<File>, asked: &[String]) -> Result<Vec<File>> {
    let all: Vec<String> = files.iter().map(|file| file.test.clone()).collect();
    files.retain(|file| asked.is_empty() || asked.iter().any(|name| file.test.starts_with(name.as_str())));
    if files.is_empty() {
        bail!(
            "no campaigns begin with {}; there are: {}",
            asked.join(", "),
            all.join(", ")
        );
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(test: &str) -> File {
        File {
            package: "p".to_owned(),
            test: test.to_owned(),
            manifest: "/p/Cargo.toml".into(),
        }
    }

    #[test]
    fn groups_are_chosen_by_the_beginning_of_their_names() {
        let all = vec![file("crash"), file("model"), file("model_long")];
        assert_eq!(chosen(all.clone(), &[]).unwrap(), all);
        let model = chosen(all.clone(), &["model".to_owned()]).unwrap();
        assert_eq!(model, [file("model"), file("model_long")]);
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
        let group = file("model").built(&messages).unwrap();
        assert_eq!(group.executable, Path::new("/t/model"));
        assert_eq!(group.folder, Path::new("/p"));
        let error = file("crash").built(&messages).unwrap_err().to_string();
        assert_eq!(error, "Cargo built no test crash of p");
    }
}
