//! Everything that a test is built from, runs and reads, as one digest.
//!
//! The digests are those of the working tree. They do not depend on commits or on where the checkout is.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::files::{Files, is_below};
use super::lockfile::Lockfile;
use super::members::{Member, Members};
use super::needs::{Needs, READ_BY_PACKAGES};
use crate::digest::digest_of;
use crate::{command, paths};

/// The current content of a checkout.
#[derive(Debug)]
pub(crate) struct Workspace {
    files: Files,
    members: Members,
    lockfile: Lockfile,
    /// Compiler and build settings, on which everything depends.
    settings: Inputs,
}

/// Digests by what they are of, in words that a developer understands.
pub(crate) type Inputs = BTreeMap<String, String>;

impl Workspace {
    /// Reads this checkout.
    pub(crate) fn here() -> Result<Self> {
        let compiler = command::capture(Command::new("rustc").current_dir(paths::checkout()).arg("-vV"))?;
        Self::read(&paths::checkout(), Members::here()?, &compiler)
    }

    fn read(root: &Path, members: Members, compiler: &str) -> Result<Self> {
        let text = |file: &str| fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"));
        let files = Files::read(root)?;
        let variables = build_variables(std::env::vars_os());
        let compiler = [compiler].into_iter().chain(variables.iter().map(String::as_str));
        let mut settings = Inputs::from([
            ("compiler".to_owned(), digest_of(compiler)),
            (
                "profiles".to_owned(),
                digest_of([profiles(&text("Cargo.toml")?).as_str()]),
            ),
        ]);
        settings.extend(files.below(".cargo").map(owned));
        Ok(Self {
            files,
            members,
            lockfile: Lockfile::read(&text("Cargo.lock")?),
            settings,
        })
    }

    /// The digest of each thing that is needed.
    pub(crate) fn inputs(&self, needs: &Needs) -> Result<Inputs> {
        let mut inputs = self.settings.clone();
        let mut crates = BTreeSet::new();
        if let Some((package, test)) = &needs.test {
            let member = self.members.get(package)?;
            let mut without = needs.without.clone();
            let others = member.tests().filter(|other| other.name != *test);
            without.extend(others.map(|other| own_part(&other.src_path)));
            self.package(&mut inputs, &mut crates, package, Some(test), &without)?;
        }
        for package in &needs.programs {
            self.package(&mut inputs, &mut crates, package, None, &[])?;
        }
        inputs.insert("dependencies".to_owned(), digest_of(crates.iter().map(String::as_str)));
        for path in &needs.paths {
            inputs.insert(path.clone(), self.files.digest(path)?);
        }
        inputs.extend(needs.facts.iter().cloned());
        Ok(inputs)
    }

    /// Adds a package and the packages of the workspace that it is built from.
    fn package(
        &self,
        inputs: &mut Inputs,
        crates: &mut BTreeSet<String>,
        name: &str,
        test: Option<&str>,
        without: &[String],
    ) -> Result<()> {
        let member = self.members.get(name)?;
        let label = match test {
            Some(test) => format!("{name}, test {test}"),
            None => name.to_owned(),
        };
        if inputs.contains_key(&label) {
            return Ok(());
        }
        let manifest = member.manifest(test);
        let files: Vec<_> = self.sources(member, test.is_some(), without).collect();
        if files.is_empty() {
            bail!("the checkout has no source files of {name}, so what it depends on is not known");
        }
        let lines = files.into_iter().flat_map(|(file, digest)| [file, digest]);
        inputs.insert(label, digest_of([manifest.as_str()].into_iter().chain(lines)));
        let dependencies = || {
            let dependencies = member.dependencies.iter();
            dependencies.filter(|dependency| test.is_some() || !dependency.is_for_tests)
        };
        for (_, path) in READ_BY_PACKAGES.iter().filter(|(package, _)| *package == name) {
            inputs.insert((*path).to_owned(), self.files.digest(path)?);
        }
        let external = dependencies().filter(|dependency| !dependency.is_member);
        let external = external.map(|dependency| dependency.name.as_str()).collect();
        crates.extend(self.lockfile.closure(name, &external));
        for dependency in dependencies().filter(|dependency| dependency.is_member) {
            self.package(inputs, crates, &dependency.name, None, &[])?;
        }
        Ok(())
    }

    /// The files that a package is built from. Its manifest is not among them: [`Member::manifest`] has the parts of it that
    /// count.
    fn sources<'a>(
        &'a self,
        member: &'a Member,
        with_tests: bool,
        without: &'a [String],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let in_folder = |name: &str| {
            [member.folder.as_str(), name]
                .join("/")
                .trim_start_matches('/')
                .to_owned()
        };
        // The folder of the package at the root holds the whole repository.
        let roots = if member.folder.is_empty() {
            vec!["src".to_owned(), "build.rs".to_owned()]
        } else {
            vec![member.folder.clone()]
        };
        let mut left_out = vec![in_folder("Cargo.toml"), in_folder("benches"), in_folder("examples")];
        if !with_tests {
            left_out.push(in_folder("tests"));
        }
        let others = self.members.iter().map(|(_, other)| &other.folder);
        left_out.extend(
            others
                .filter(|other| **other != member.folder && is_below(other, &member.folder))
                .cloned(),
        );
        left_out.extend_from_slice(without);
        let all = roots.into_iter().flat_map(|root| {
            let below: Vec<_> = self.files.below(&root).collect();
            below
        });
        all.filter(move |(file, _)| !left_out.iter().any(|path| is_below(file, path)))
    }
}

/// The path of a test without what it shares with other tests: its file, or the folder whose main file this is.
fn own_part(file: &str) -> String {
    file.strip_suffix("/main.rs").unwrap_or(file).to_owned()
}

/// Variables that change what the compiler makes, by the beginnings of their names.
const BUILD_VARIABLES: [&str; 7] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CC",
    "CFLAGS",
    "RUSTFLAGS",
];
/// Of these, the variables that only say where or how fast a build happens.
const WITHOUT_EFFECT: [&str; 3] = [
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_PROFILE_DEV_INCREMENTAL",
    "CARGO_TARGET_DIR",
];

/// The variables that change what the compiler makes, with their values.
fn build_variables(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let all = all.map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    });
    let mut counted: Vec<String> = all
        .filter(|(name, _)| BUILD_VARIABLES.iter().any(|beginning| name.starts_with(beginning)))
        .filter(|(name, _)| !WITHOUT_EFFECT.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    counted.sort();
    counted
}

/// The tables of profiles in the manifest of the workspace.
fn profiles(manifest: &str) -> String {
    let mut is_profile = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            is_profile = line.starts_with("[profile.");
        }
        is_profile && !line.trim().is_empty() && !line.starts_with('#')
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn owned((name, digest): (&str, &str)) -> (String, String) {
    (name.to_owned(), digest.to_owned())
}

#[cfg(test)]
mod tests;
