//! `cargo xtask check`: what holds for every change. It needs minutes at most, no root and no cluster.

use anyhow::Result;

use super::proofs::{ProofOptions, Proofs};
use super::runner::{self, Done, Stage};
use super::{seeded, structure};
use crate::inputs::Needs;
use crate::progress::say;
use crate::{command, generate, paths};

/// Everything that decides whether the code compiles, and what the compiler and the lints say about it. Tests contain the
/// samples (`include_str!`).
const CODE: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "clippy.toml",
    "crates",
    "crds",
    "deploy/samples",
    "fuzz",
    "rust-toolchain.toml",
    "src",
    "tests",
    "tools",
    "xtask",
];

/// The packages whose tests also read manifests and documents. They always run. A test in `inputs::needs` finds others.
const READERS: [&str; 4] = ["instancelink-core", "security", "xtask", "xtask-generate"];

/// `cargo xtask check`.
pub(crate) fn run(options: ProofOptions) -> Result<()> {
    let proofs = Proofs::open(options)?;
    runner::run(stages(&proofs), || Ok(()))
}

/// The fast stages first.
pub(super) fn stages(proofs: &Proofs) -> Vec<Stage<'_>> {
    vec![
        Stage::in_turn("format", || cargo(&["fmt", "--all", "--check"])),
        Stage::in_turn("structure", structure::run),
        Stage::in_turn("CRDs", || generate::crds(true)),
        Stage::in_turn("documents", || generate::docs(true)),
        Stage::in_turn("seeded patches", seeded::check),
        Stage::in_turn("dependencies", dependencies),
        Stage::in_turn("lints", || proofs.unless_proven(LINTS, code(), lints)),
        Stage::in_turn("unit tests", || unit_tests(proofs)),
    ]
}

/// Builds the documentation of all packages. A part of `cargo xtask test`.
pub(super) fn documentation(proofs: &Proofs) -> Result<Done> {
    proofs.unless_proven("documentation", code(), || {
        command::run(paths::cargo().env("RUSTDOCFLAGS", "-D warnings").args([
            "doc",
            "--workspace",
            "--no-deps",
            "--keep-going",
            "--quiet",
        ]))
    })
}

/// Whether no stage compiles the whole workspace.
pub(super) fn is_light(proofs: &Proofs) -> Result<bool> {
    Ok(proofs.is_proven(LINTS, &code())? && proofs.is_proven(UNIT_TESTS, &code())?)
}

const LINTS: &str = "lints";
const UNIT_TESTS: &str = "unit tests";

fn code() -> Needs {
    let mut needs = Needs::default();
    needs.read(&CODE);
    needs
}

fn cargo(args: &[&str]) -> Result<()> {
    command::run(paths::cargo().args(args))
}

fn lints() -> Result<()> {
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ])
}

/// The tests of all packages; only those of the readers where the code is as it was when all passed.
fn unit_tests(proofs: &Proofs) -> Result<()> {
    let all = proofs.unless_proven(UNIT_TESTS, code(), || cargo(&["test", "--workspace", "--quiet"]))?;
    if all == Done::Ran {
        return Ok(());
    }
    say(&format!(
        "the tests of {} read documents and manifests, so they run",
        READERS.join(", ")
    ));
    let packages = READERS.iter().flat_map(|reader| ["--package", reader]);
    command::run(paths::cargo().args(["test", "--quiet"]).args(packages))
}

/// Licences, sources and bans. Advisories need the network and are checked apart.
fn dependencies() -> Result<()> {
    if command::find("cargo-deny").is_none() {
        say("installing cargo-deny (once, takes minutes)");
        cargo(&["install", "cargo-deny", "--locked"])?;
    }
    cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Workspace;

    #[test]
    fn all_code_and_the_samples_are_inputs_of_the_lints() {
        let inputs = Workspace::here().unwrap().inputs(&code()).unwrap();
        assert!(CODE.iter().all(|path| inputs.contains_key(*path)));
        assert!(CODE.contains(&"deploy/samples"));
    }
}
