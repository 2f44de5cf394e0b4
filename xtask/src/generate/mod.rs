//! Files in the repository that are generated. Each generator also has a check: it fails when the committed file differs.
//!
//! A separate program, `xtask-generate`, generates the files that depend on the operator's code. It is compiled with
//! the
//! whole API of Kubernetes, and no other task needs that.

pub(crate) mod seeded_page;

use anyhow::Result;

use crate::{command, paths, seeds};

/// `cargo xtask crds`: the manifests of the CRDs, from the types in `crates/api`.
pub(crate) fn crds(check: bool) -> Result<()> {
    from_code("crds", check)
}

/// `cargo xtask docs`: the tables of the documentation, from core's tables and from the seeded bugs.
pub(crate) fn docs(check: bool) -> Result<()> {
    from_code("docs", check)?;
    seeded_page::write(&seeds::all()?, check)
}

fn from_code(what: &str, check: bool) -> Result<()> {
    let mut cargo = paths::cargo();
    cargo.args(["run", "--quiet", "--package", "xtask-generate", "--", what]);
    if check {
        cargo.arg("--check");
    }
    command::run(&mut cargo)
}
