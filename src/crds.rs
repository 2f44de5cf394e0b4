//! `instancelink crds`: the definitions as they are committed. They follow from the types of `instancelink-api`; making
//! them anew in every operator would take the whole generator of schemas along.

use anyhow::Context;
use serde_json::{Value, json};

use crate::args::{Crds, Output};

/// In the order in which they are printed.
const MANIFESTS: [&str; 2] = [
    include_str!("../crds/instancelinks.yaml"),
    include_str!("../crds/instancelinkgrants.yaml"),
];

/// Prints them.
pub(crate) fn print(options: &Crds) -> anyhow::Result<()> {
    match options.output {
        // One object, as kubectl reads it: JSON has no documents.
        Output::Json => println!("{}", serde_json::to_string_pretty(&list()?)?),
        Output::Yaml => MANIFESTS.iter().for_each(|manifest| print!("---\n{}", bare(manifest))),
    }
    Ok(())
}

fn list() -> anyhow::Result<Value> {
    let items = MANIFESTS.iter().map(|manifest| serde_saphyr::from_str(manifest));
    let items: Vec<Value> = items.collect::<Result<_, _>>().context("a definition cannot be read")?;
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": items }))
}

/// Without the first line, which speaks to those who edit the file.
fn bare(manifest: &str) -> &str {
    let rest = manifest.split_once('\n').filter(|(first, _)| first.starts_with('#'));
    rest.map_or(manifest, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_what_the_types_say() {
        assert_eq!(list().unwrap()["items"], json!(instancelink_api::crd::all()));
    }

    #[test]
    fn nobody_is_told_not_to_edit_what_was_printed() {
        for manifest in MANIFESTS {
            assert!(bare(manifest).starts_with("apiVersion:"), "{manifest}");
        }
    }
}
