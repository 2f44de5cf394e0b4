//! The packages of the workspace and how they depend on each other, from `cargo metadata --no-deps`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{command, paths};

/// The packages by name.
#[derive(Debug)]
pub(crate) struct Members(BTreeMap<String, Member>);

/// One package. Every path is relative to the root of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    /// Empty for the package at the root.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// The parts of the manifest that change the result of a build, also those inherited from the workspace.
    /// Dependencies and targets are not in it.
    settings: String,
}

/// A library, a program or a test.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: String,
    #[serde(default, rename = "required-features")]
    pub(crate) required_features: Vec<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only the package's own tests are built with it.
    pub(crate) is_for_tests: bool,
    /// Another package of this workspace.
    pub(crate) is_member: bool,
    pub(crate) is_optional: bool,
    /// `default` is among them where it is not switched off.
    pub(crate) features: Vec<String>,
    /// All that the manifest says of it.
    line: String,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: String,
    packages: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Map<String, Value>>,
    targets: Vec<Target>,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
}

impl Members {
    /// The packages of this checkout.
    pub(crate) fn here() -> Result<Self> {
        Self::read(&command::capture(paths::cargo().args([
            "metadata",
            "--format-version=1",
            "--no-deps",
        ]))?)
    }

    pub(crate) fn read(metadata: &str) -> Result<Self> {
        let metadata: Metadata = serde_json::from_str(metadata).context("cannot read the output of cargo metadata")?;
        let mut members = BTreeMap::new();
        for package in metadata.packages {
            let mut settings = package.clone();
            settings
                .retain(|key, _| ["name", "version", "edition", "rust_version", "features"].contains(&key.as_str()));
            let settings = serde_json::to_string(&settings)?;
            let package: Package = serde_json::from_value(package.into())?;
            let name = package.name.clone();
            members.insert(name, Member::new(package, settings, &metadata.workspace_root)?);
        }
        Ok(Self(members))
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Member> {
        let member = self.0.get(name);
        member.with_context(|| format!("the workspace has no package {name}"))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.0.iter().map(|(name, member)| (name.as_str(), member))
    }
}

impl Member {
    fn new(package: Package, settings: String, root: &str) -> Result<Self> {
        let folder = Path::new(&package.manifest_path).parent().unwrap_or(Path::new(""));
        let mut targets = package.targets;
        for target in &mut targets {
            target.src_path = relative(&target.src_path, root);
        }
        let dependencies = package.dependencies.iter();
        Ok(Self {
            folder: relative(&folder.to_string_lossy(), root),
            dependencies: dependencies
                .map(|dependency| Dependency::read(dependency, root))
                .collect::<Result<_>>()?,
            targets,
            features: package.features,
            settings,
        })
    }

    /// Its integration tests.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.is("test"))
    }

    /// What the manifest says of the package's libraries and programs, and of this test of it.
    pub(crate) fn manifest(&self, test: Option<&str>) -> String {
        let targets = self.targets.iter();
        let targets = targets
            .filter(|target| !target.is_for_tests() || Some(target.name.as_str()) == test)
            .map(Target::line);
        let dependencies = self.dependencies.iter();
        let dependencies = dependencies
            .filter(|dependency| !dependency.is_for_tests || test.is_some())
            .map(|dependency| dependency.line.clone());
        let lines: Vec<String> = targets.chain(dependencies).chain([self.settings.clone()]).collect();
        lines.join("\n")
    }
}

impl Target {
    fn line(&self) -> String {
        let Self {
            name,
            kind,
            src_path,
            required_features,
            rest,
        } = self;
        format!("{name} {kind:?} {src_path} {required_features:?} {rest:?}")
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|of| of == kind)
    }

    fn is_for_tests(&self) -> bool {
        ["test", "bench", "example"].into_iter().any(|kind| self.is(kind))
    }
}

impl Dependency {
    fn read(read: &Map<String, Value>, root: &str) -> Result<Self> {
        let name = read.get("name").and_then(Value::as_str);
        let is = |key: &str| read.get(key).and_then(Value::as_bool);
        let features = read.get("features").and_then(Value::as_array).into_iter().flatten();
        let mut features: Vec<String> = features.filter_map(Value::as_str).map(str::to_owned).collect();
        if is("uses_default_features").unwrap_or(true) {
            features.push("default".to_owned());
        }
        Ok(Self {
            name: name.context("a dependency without a name")?.to_owned(),
            is_for_tests: read.get("kind").and_then(Value::as_str) == Some("dev"),
            is_member: read.get("path").is_some_and(Value::is_string),
            is_optional: is("optional").unwrap_or(false),
            features,
            line: serde_json::to_string(read)?.replace(root, ""),
        })
    }
}

fn relative(path: &str, root: &str) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.trim_start_matches('/').to_owned()
}
