//! The record of a cluster: a small file in its folder, which later tasks read.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::families::Families;
use super::folders;

/// Who runs the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Provider {
    /// Processes of this machine, started by this task
    Native,
    /// Containers, started by kind
    Kind,
    /// A cluster that exists; the task only installs into it
    #[value(name = "kubeconfig")]
    Given,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) provider: Provider,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) node: bool,
    /// Of a native cluster; of others it is not known.
    #[serde(default)]
    pub(crate) families: Families,
    /// What it was started with (`setup`). None where that is not known: other programs started it, or an older version of
    /// this task.
    #[serde(default)]
    pub(crate) setup: Option<String>,
}

impl Record {
    /// Whether a cluster of this record is also what the other record describes.
    pub(crate) fn fits(&self, wanted: &Self) -> bool {
        self.provider == wanted.provider
            && self.kubeconfig == wanted.kubeconfig
            && self.node == wanted.node
            && self.families == wanted.families
    }

    pub(crate) fn described(&self) -> String {
        match self.provider {
            Provider::Native if self.node => format!("a native cluster{}", self.families()),
            Provider::Native => format!("a native control plane without a node{}", self.families()),
            Provider::Kind => "a kind cluster".to_owned(),
            Provider::Given => format!("the cluster of {}", self.kubeconfig.display()),
        }
    }

    fn families(&self) -> &'static str {
        match self.families {
            Families::SingleStack => " with IPv4 only",
            Families::DualStack => "",
        }
    }
}

fn file(name: &str) -> Result<PathBuf> {
    Ok(folders::of(name)?.join("cluster.json"))
}

/// None if there is no such cluster, or only a part of one.
pub(crate) fn read(name: &str) -> Result<Option<Record>> {
    let file = file(name)?;
    let Ok(text) = fs::read_to_string(&file) else {
        return Ok(None);
    };
    let record = serde_json::from_str(&text).with_context(|| {
        format!(
            "cannot read {}. `cargo xtask down --name {name}` removes it",
            file.display()
        )
    });
    record.map(Some)
}

/// Called when the cluster is up.
pub(crate) fn write(name: &str, record: &Record) -> Result<()> {
    let file = file(name)?;
    fs::create_dir_all(folders::of(name)?)?;
    fs::write(&file, serde_json::to_string_pretty(record)?).with_context(|| format!("cannot write {}", file.display()))
}

/// The clusters that have a folder.
pub(crate) fn names() -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(folders::all()?)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_an_older_version_does_not_say_how_the_cluster_was_started() {
        let older = r#"{"provider":"native","kubeconfig":"/kubeconfig","node":true}"#;
        let record: Record = serde_json::from_str(older).unwrap();
        assert_eq!(record.setup, None);
        // Older versions started such clusters only.
        assert_eq!(record.families, Families::SingleStack);
    }

    #[test]
    fn a_cluster_of_two_families_is_not_the_one_of_one_family_that_is_asked_for() {
        let of = |families| Record {
            provider: Provider::Native,
            kubeconfig: "/kubeconfig".into(),
            node: true,
            families,
            setup: None,
        };
        assert!(of(Families::DualStack).fits(&of(Families::DualStack)));
        assert!(!of(Families::DualStack).fits(&of(Families::SingleStack)));
    }
}
