//! The bill of materials of the operator's image, in a format that scanners read (`CycloneDX` 1.5): every crate that is
//! linked into the binary, with its licence and the checksum of `Cargo.lock`, and Rust's own library.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::artifacts::static_binaries;
use crate::{command, paths};

/// Of the packages that are built by one call, the one that the bill is about.
const OPERATOR: &str = "instancelink";

/// A crate as `cargo tree` prints it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    license: String,
}

/// The parts of `CycloneDX` that are used.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Metadata {
    component: Component,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Application,
    Library,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

/// An SPDX expression.
#[derive(Serialize)]
struct License {
    expression: String,
}

/// Writes the bill beside the image's archive.
pub(crate) fn write(archive: &Path) -> Result<PathBuf> {
    let file = archive.with_extension("cdx.json");
    fs::write(&file, text()?).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// The same sources give the same text: it contains no serial number and no time.
fn text() -> Result<Vec<u8>> {
    let crates = linked()?;
    let lock = fs::read_to_string(paths::checkout().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let checksums = checksums(&lock);
    let (operator, rest): (Vec<_>, Vec<_>) = crates.into_iter().partition(|one| one.name == OPERATOR);
    let [operator] = operator.as_slice() else {
        bail!("cargo tree names {} crates {OPERATOR}", operator.len());
    };
    let mut components = vec![standard_library()?];
    components.extend(rest.iter().map(|one| component(one, Kind::Library, &checksums)));
    let bill = Bill {
        bom_format: "CycloneDX",
        spec_version: "1.5",
        version: 1,
        metadata: Metadata {
            component: component(operator, Kind::Application, &checksums),
        },
        components,
    };
    serde_json::to_vec_pretty(&bill).context("cannot write the bill of materials")
}

/// What is linked, with the features of a build of all packages: without build dependencies, test dependencies and macros.
fn linked() -> Result<BTreeSet<Crate>> {
    let mut cargo = paths::cargo();
    cargo.args([
        "tree",
        "--locked",
        "--edges=no-build,no-dev,no-proc-macro",
        "--prefix=none",
    ]);
    cargo.args(["--format={p}|{l}", "--target", &static_binaries::target()]);
    cargo.args(static_binaries::packages());
    let tree = command::capture(&mut cargo)?;
    // One tree for each package.
    let root = format!("{OPERATOR} v");
    let tree = tree.split("\n\n").find(|tree| tree.trim_start().starts_with(&root));
    let lines = tree.context("cargo tree does not print the operator")?.trim().lines();
    lines
        .map(|line| read(line).with_context(|| format!("cargo tree printed {line:?}")))
        .collect()
}

/// `serde v1.0.229|MIT OR Apache-2.0`. A crate that was printed before ends in a star, and one of ours in its path.
fn read(line: &str) -> Option<Crate> {
    let (package, license) = line.split_once('|')?;
    let mut words = package.split(' ');
    Some(Crate {
        name: words.next()?.to_owned(),
        version: words.next()?.strip_prefix('v')?.to_owned(),
        license: license.trim_end_matches("(*)").trim().to_owned(),
    })
}

/// The checksums of the crates from the registry, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |package: &str, name: &str| {
        let prefix = format!("{name} = \"");
        let value = package.lines().find_map(|line| line.strip_prefix(&prefix))?;
        Some(value.trim_end_matches('"').to_owned())
    };
    let packages = lock.split("[[package]]").skip(1);
    let read = |text| {
        Some((
            (field(text, "name")?, field(text, "version")?),
            field(text, "checksum")?,
        ))
    };
    packages.filter_map(read).collect()
}

fn component(one: &Crate, kind: Kind, checksums: &BTreeMap<(String, String), String>) -> Component {
    let purl = format!("pkg:cargo/{}@{}", one.name, one.version);
    let checksum = checksums.get(&(one.name.clone(), one.version.clone()));
    Component {
        kind,
        reference: purl.clone(),
        name: one.name.clone(),
        version: one.version.clone(),
        description: None,
        hashes: checksum
            .map(|sum| Hash {
                alg: "SHA-256",
                content: sum.clone(),
            })
            .into_iter()
            .collect(),
        // Some old crates write a slash for `OR`.
        licenses: vec![License {
            expression: one.license.replace('/', " OR "),
        }],
        purl: Some(purl),
    }
}

/// It is in every binary, and in no lock file.
fn standard_library() -> Result<Component> {
    let printed = command::capture(Command::new("rustc").arg("--version").current_dir(paths::checkout()))?;
    let version = printed.split(' ').nth(1).context("rustc prints no version")?;
    Ok(Component {
        kind: Kind::Library,
        reference: format!("rust-std@{version}"),
        name: "rust-std".to_owned(),
        version: version.to_owned(),
        description: Some("Rust's standard library, with musl"),
        hashes: Vec::new(),
        licenses: Vec::new(),
        purl: None,
    })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a member that is missing is a failed test")]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_bill_has_every_crate_that_is_linked_with_licence_and_checksum_and_no_other() {
        let written = text().unwrap();
        assert_eq!(written, text().unwrap(), "the same sources give the same bill");
        let bill: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(bill["metadata"]["component"]["name"], OPERATOR);
        let components = bill["components"].as_array().unwrap();
        let find = |name: &str| components.iter().find(|component| component["name"] == name);
        for linked in ["kube-client", "tokio", "rustls", "instancelink-core", "rust-std"] {
            assert!(find(linked).is_some(), "{linked}");
        }
        // A macro, and dependencies of a build script, a test and a task.
        for other in ["serde_derive", "cc", "instancelink-testkit", "clap_derive", "tar"] {
            assert!(find(other).is_none(), "{other}");
        }
        for component in components.iter().filter(|component| component["name"] != "rust-std") {
            let purl = component["purl"].as_str().unwrap();
            let ours = component["name"].as_str().unwrap().starts_with(OPERATOR);
            assert!(component["licenses"][0]["expression"].is_string(), "{purl}");
            assert_eq!(component["hashes"][0]["content"].is_string(), !ours, "{purl}");
        }
    }

    #[test]
    fn a_line_of_the_tree_is_read_with_or_without_a_path_after_the_version() {
        let read = |line| read(line).map(|one| (one.name, one.version, one.license));
        let expected = ("serde", "1.0.229", "MIT OR Apache-2.0");
        let expected = Some((expected.0.to_owned(), expected.1.to_owned(), expected.2.to_owned()));
        assert_eq!(read("serde v1.0.229|MIT OR Apache-2.0"), expected);
        assert_eq!(read("serde v1.0.229 (/some/path)|MIT OR Apache-2.0 (*)"), expected);
        assert_eq!(read("no tree"), None);
    }
}
