//! T13: what the operator's image may contain.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use security::{root, text};
use serde_json::Value;

fn toml(file: &str) -> Vec<String> {
    text(file).lines().map(|line| line.trim().to_owned()).collect()
}

fn members() -> Vec<String> {
    let mut members = Vec::new();
    for folder in ["crates", "tests"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path().join("Cargo.toml");
            if path.exists() {
                members.push(path.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    members.extend(["Cargo.toml", "xtask/Cargo.toml"].map(str::to_owned));
    assert!(members.len() > 6, "{members:?}");
    members
}

#[test]
fn no_crate_may_have_unsafe_code() {
    assert!(toml("Cargo.toml").contains(&"unsafe_code = \"forbid\"".to_owned()));
    for manifest in members() {
        let lines = toml(&manifest);
        let at = lines.iter().position(|line| line == "[lints]");
        let inherited = at.map(|at| lines[at + 1].clone());
        assert_eq!(inherited.as_deref(), Some("workspace = true"), "{manifest}");
    }
}

#[test]
fn dependencies_come_from_the_registry_alone_under_known_licences_and_are_pinned() {
    let deny = toml("deny.toml");
    for line in [
        "unknown-registry = \"deny\"",
        "unknown-git = \"deny\"",
        "wildcards = \"deny\"",
    ] {
        assert!(deny.contains(&line.to_owned()), "{line}");
    }
    let lock = text("Cargo.lock");
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let prefix = format!("{name} = \"");
            package
                .lines()
                .find_map(|line| line.strip_prefix(&prefix))
                .map(|v| v.trim_end_matches('"').to_owned())
        };
        // Packages without a source are members of this workspace.
        if let Some(source) = field("source") {
            assert_eq!(source, registry, "{package}");
            assert_eq!(field("checksum").map(|sum| sum.len()), Some(64), "{package}");
        }
    }
}

/// The operator's image has only the static binary, so Cargo.lock has everything that it is built from.
#[test]
fn the_toolchain_is_pinned() {
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .unwrap();
    assert!(
        channel.trim_matches('"').starts_with(|c: char| c.is_ascii_digit()),
        "{channel}"
    );
}

/// Every file under `deploy/` names its image in one place, where a digest can be set.
#[test]
fn the_image_is_named_in_one_place() {
    let images: Vec<String> = security::manifests("deploy/base")
        .into_iter()
        .flat_map(|m| {
            m.object["spec"]["template"]["spec"]["containers"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .map(|container| container["image"].as_str().map_or(Value::Null, Into::into).to_string())
        .collect();
    assert_eq!(images, ["\"localhost/instancelink\""]);
    assert!(text("deploy/base/kustomization.yaml").contains("- name: localhost/instancelink"));
}
