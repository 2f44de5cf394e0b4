//! `instancelink crds` prints the custom resource definitions as they are committed. They are generated from the types of
//! `instancelink-api`; generating them here would need the schema generator in the operator's binary.

use anyhow::Context;
use serde_json::{Value, json};

use crate::args::{Crds, Output};

/// The definitions, in the order in which they are printed.
const MANIFESTS: [&str; 2] = [
    include_str!("../crds/instancelinks.yaml"),
    include_str!("../crds/instancelinkgrants.yaml"),
];

/// Prints them.
pub(crate) fn print(options: &Crds) -> anyhow::Result<()> {
    match options.output {
        // One object of kind List: JSON has no multiple documents.
        Output::Json => println!("{}", serde_json::to_string_pretty(&list()?)?),
        Output::Yaml => MANIFESTS
            .iter()
            .for_each(|manifest| print!("---\n{}", without_header(manifest))),
    }
    Ok(())
}

fn list() -> anyhow::Result<Value> {
    let items = MANIFESTS.iter().map(|manifest| serde_saphyr::from_str(manifest));
    let items: Vec<Value> = items
        .collect::<Result<_, _>>()
        .context("a custom resource definition cannot be parsed; this is a bug")?;
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": items }))
}

/// The manifest without its first line, a comment for those who edit the file.
fn without_header(manifest: &str) -> &str {
    let rest = manifest.split_once('\n').filter(|(first, _)| first.starts_with('#'));
    rest.map_or(manifest, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_definitions_equal_those_of_the_types() {
        assert_eq!(list().unwrap()["items"], json!(instancelink_api::crd::all()));
    }

    #[test]
    fn the_printed_definitions_have_no_header() {
        for manifest in MANIFESTS {
            assert!(without_header(manifest).starts_with("apiVersion:"), "{manifest}");
        }
    }
}
