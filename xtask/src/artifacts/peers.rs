//! The operator's peers: the same operator written in other frameworks, for `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::Result;

use super::{go_programs, kopf};

/// Builds the peers that the arguments name. Returns a variable and a path for each: the benchmark reads the variable.
pub(crate) fn named(arguments: &[String]) -> Result<Vec<(String, PathBuf)>> {
    let are_named = |names: &[&str]| arguments.iter().any(|a| names.iter().any(|name| a.contains(name)));
    let mut peers = Vec::new();
    if are_named(&["tuned", "idiomatic"]) {
        peers.push(("INSTANCELINK_TWIN".to_owned(), go_programs::binary("twin")?));
    }
    if are_named(&["kopf"]) {
        peers.push(("INSTANCELINK_KOPF_TWIN".to_owned(), kopf::program()?));
    }
    Ok(peers)
}
