//! What the operator's image is made of, as a bill of materials that scanners read (CycloneDX): every crate that is linked
//! into the binary, with its licence and the checksum of `Cargo.lock`, and Rust's own library.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail};
use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::spdx::SpdxExpression;
use cyclonedx_bom::external_models::uri::Purl;
use cyclonedx_bom::models::bom::Bom;
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;

use crate::artifacts::static_binaries;
use crate::{command, paths};

/// Of what is built in one call, this is what the bill is about.
const OPERATOR: &str = "instancelink";

/// A crate as `cargo tree` tells of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    license: String,
}

/// Writes the bill beside the image's archive.
pub(crate) fn write(archive: &Path) -> Result<PathBuf> {
    let file = archive.with_extension("cdx.json");
    fs::write(&file, text()?).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// The same for the same sources: without a number of its own, and without the time.
fn text() -> Result<Vec<u8>> {
    let crates = linked()?;
    let lock = fs::read_to_string(paths::checkout().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let checksums = checksums(&lock);
    let (operator, rest): (Vec<_>, Vec<_>) = crates.into_iter().partition(|one| one.name == OPERATOR);
    let [operator] = operator.as_slice() else {
        bail!("cargo tree names {} crates {OPERATOR}", operator.len());
    };
    let mut components = vec![standard_library()?];
    for one in &rest {
        components.push(component(one, Classification::Library, &checksums)?);
    }
    let bom = Bom {
        serial_number: None,
        metadata: Some(Metadata {
            component: Some(component(operator, Classification::Application, &checksums)?),
            ..Metadata::default()
        }),
        components: Some(Components(components)),
        ..Bom::default()
    };
    let mut text = Vec::new();
    bom.output_as_json_v1_5(&mut text)
        .map_err(|error| anyhow!("cannot write the bill of materials: {error}"))?;
    Ok(text)
}

/// What is linked, as the packages are built together: neither what only builds or tests, nor what macros are made of.
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
    // A tree a package.
    let root = format!("{OPERATOR} v");
    let tree = tree.split("\n\n").find(|tree| tree.trim_start().starts_with(&root));
    let lines = tree.context("cargo tree says nothing of the operator")?.trim().lines();
    lines
        .map(|line| read(line).with_context(|| format!("cargo tree says {line:?}")))
        .collect()
}

/// `serde v1.0.229|MIT OR Apache-2.0`; what was told before ends in a star, and what is our own in its path.
fn read(line: &str) -> Option<Crate> {
    let (package, license) = line.split_once('|')?;
    let mut words = package.split(' ');
    Some(Crate {
        name: words.next()?.to_owned(),
        version: words.next()?.strip_prefix('v')?.to_owned(),
        license: license.trim_end_matches("(*)").trim().to_owned(),
    })
}

/// The checksums of what comes from the registry, by name and version.
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

fn component(one: &Crate, kind: Classification, checksums: &BTreeMap<(String, String), String>) -> Result<Component> {
    let purl = Purl::new("cargo", &one.name, &one.version)?;
    let mut component = Component::new(kind, &one.name, &one.version, Some(purl.to_string()));
    component.purl = Some(purl);
    // Some old crates write a slash for `OR`.
    let license = SpdxExpression::parse_lax(one.license.clone())
        .map_err(|error| anyhow!("the licence of {} cannot be read: {error}", one.name))?;
    component.licenses = Some(Licenses(vec![LicenseChoice::Expression(license)]));
    let checksum = checksums.get(&(one.name.clone(), one.version.clone()));
    component.hashes = checksum.map(|sum| {
        Hashes(vec![Hash {
            alg: HashAlgorithm::SHA_256,
            content: HashValue(sum.clone()),
        }])
    });
    Ok(component)
}

/// It is in every binary, and in no lock file.
fn standard_library() -> Result<Component> {
    let said = command::capture(Command::new("rustc").arg("--version").current_dir(paths::checkout()))?;
    let version = said.split(' ').nth(1).context("rustc says no version")?;
    let mut component = Component::new(
        Classification::Library,
        "rust-std",
        version,
        Some(format!("rust-std@{version}")),
    );
    component.description = Some(NormalizedString::new("Rust's standard library, with musl"));
    Ok(component)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a member that is missing is a failed test")]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_bill_names_what_is_linked_with_licence_and_checksum_and_nothing_else() {
        let written = text().unwrap();
        assert_eq!(written, text().unwrap(), "the same sources give the same bill");
        let bill: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(bill["metadata"]["component"]["name"], OPERATOR);
        let components = bill["components"].as_array().unwrap();
        let find = |name: &str| components.iter().find(|component| component["name"] == name);
        for linked in ["kube-client", "tokio", "rustls", "instancelink-core", "rust-std"] {
            assert!(find(linked).is_some(), "{linked}");
        }
        // A macro, a build script's, a test's and a task's.
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
    fn a_line_of_the_tree_is_read_whatever_follows_the_version() {
        let read = |line| read(line).map(|one| (one.name, one.version, one.license));
        let expected = ("serde", "1.0.229", "MIT OR Apache-2.0");
        let expected = Some((expected.0.to_owned(), expected.1.to_owned(), expected.2.to_owned()));
        assert_eq!(read("serde v1.0.229|MIT OR Apache-2.0"), expected);
        assert_eq!(read("serde v1.0.229 (/some/path)|MIT OR Apache-2.0 (*)"), expected);
        assert_eq!(read("no tree"), None);
    }
}
