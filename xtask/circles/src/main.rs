//! Finds circles of source files: files of a crate that import each other, directly or through other files. Within a
//! circle no file
//! can be understood or changed alone.
//!
//! The arguments are pairs of a package's name and the main file of a library or a program of it. Each circle is printed on a
//! line, the largest first. `cargo xtask structure` calls this program. It is a package of its own, so that other tasks do not
//! wait until a parser is built.
//!
//! A module and its own parent may use each other: the parent is the facade of its children. An import by way of a
//! re-export counts as an import of the file that the name is from.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod graph;
mod imports;
mod modules;

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut found = Vec::new();
    for pair in arguments.chunks(2) {
        let [package, main] = pair else {
            bail!("the arguments are pairs of a package's name and a main file");
        };
        let files = modules::read(Path::new(main))?;
        for circle in graph::circles(&imports::edges(&files)) {
            let names: Vec<&str> = circle.iter().map(|module| files.name(*module)).collect();
            found.push((names.len(), format!("{package}: {}", names.join(" <-> "))));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    // A library and a program of a package can have files in common.
    found.dedup();
    for (_, line) in found {
        writeln!(io::stdout(), "{line}")?;
    }
    Ok(())
}
