//! The proofs on disk: a small file for each, in the cache outside the checkout, so that a second checkout profits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use instancelink_testkit::campaign::Row;
use serde::{Deserialize, Serialize};

use crate::digest::{self, digest_of};
use crate::inputs::Inputs;

/// Changes whenever the meaning of an entry changes: older entries are then not found.
const FORMAT: &str = "1";
/// How many entries of a group are kept: those of a few branches.
const OF_A_GROUP: usize = 6;
/// How many are kept in all; groups that no longer exist have entries, too.
const IN_ALL: usize = 600;

/// That a group of tests passed, with everything that it depended on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Proof {
    pub(crate) group: String,
    inputs: Inputs,
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) figures: Figures,
}

/// What a group of tests reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// The rows of campaigns.
    pub(crate) rows: Vec<Row>,
    /// How many tests passed, where they were counted.
    pub(crate) tests: usize,
}

impl Proof {
    pub(crate) fn new(group: &str, inputs: Inputs, commit: String, date: String, figures: Figures) -> Self {
        Self {
            group: group.to_owned(),
            inputs,
            commit,
            date,
            figures,
        }
    }

    pub(crate) fn since(&self) -> String {
        format!("unchanged since {}, {}", self.commit, self.date)
    }
}

/// The folder of the proofs.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The proof of a group with exactly these inputs.
    pub(crate) fn find(&self, group: &str, inputs: &Inputs) -> Option<Proof> {
        let proof = read(&self.file(group, inputs))?;
        (proof.group == group && proof.inputs == *inputs).then_some(proof)
    }

    /// What is different from the newest proof of this group; none where there is no proof of it.
    pub(crate) fn changes(&self, group: &str, inputs: &Inputs) -> Option<Vec<String>> {
        let prefix = format!("{}-", slug(group));
        let mut proofs = self.files().into_iter().rev();
        let last = proofs.find_map(|file| {
            let name = file.file_name()?.to_string_lossy().into_owned();
            read(&file).filter(|proof| name.starts_with(&prefix) && proof.group == group)
        })?;
        let differs = |name: &&String| last.inputs.get(*name) != inputs.get(*name);
        let mut names: Vec<String> = inputs
            .keys()
            .chain(last.inputs.keys())
            .filter(differs)
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        Some(names)
    }

    pub(crate) fn write(&self, proof: &Proof) -> Result<()> {
        let file = self.file(&proof.group, &proof.inputs);
        let writing = || format!("cannot write {}", file.display());
        fs::create_dir_all(&self.folder).with_context(writing)?;
        // Renamed when complete, so that a run beside this one never reads half of it.
        let partial = file.with_extension(format!("{}.partial", std::process::id()));
        fs::write(&partial, serde_json::to_string_pretty(proof)?)
            .and_then(|()| fs::rename(&partial, &file))
            .with_context(writing)?;
        self.prune();
        Ok(())
    }

    /// Removes the proof of a group with these inputs.
    pub(crate) fn remove(&self, group: &str, inputs: &Inputs) -> Result<()> {
        let file = self.file(group, inputs);
        match fs::remove_file(&file) {
            Err(error) if file.exists() => Err(error).with_context(|| format!("cannot remove {}", file.display())),
            _ => Ok(()),
        }
    }

    /// Removes the oldest entries. One that another run removed meanwhile is gone as well.
    fn prune(&self) {
        let mut kept: BTreeMap<String, usize> = BTreeMap::new();
        for (number, file) in self.files().into_iter().rev().enumerate() {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let group = name.rsplit_once('-').map_or(name.as_str(), |(group, _)| group);
            let of_group = kept.entry(group.to_owned()).or_default();
            *of_group += 1;
            if number >= IN_ALL || *of_group > OF_A_GROUP {
                let _ = fs::remove_file(file);
            }
        }
    }

    /// All entries, the oldest first.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<(SystemTime, PathBuf)> = entries
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        files.into_iter().map(|(_, file)| file).collect()
    }

    fn file(&self, group: &str, inputs: &Inputs) -> PathBuf {
        let words = inputs
            .iter()
            .flat_map(|(name, digest)| [name.as_str(), digest.as_str()]);
        let hash = digest_of([FORMAT, group].into_iter().chain(words));
        self.folder
            .join(format!("{}-{}.json", slug(group), digest::short(&hash, 16)))
    }
}

fn read(file: &Path) -> Option<Proof> {
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

/// A group's name as a part of a file's name.
fn slug(group: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    group.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    struct Folder(Store);

    impl Folder {
        fn new() -> Self {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("xtask-proofs-{}-{number}", std::process::id()));
            Self(Store::new(folder))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.folder);
        }
    }

    fn inputs(core: &str) -> Inputs {
        Inputs::from([
            ("core".to_owned(), core.to_owned()),
            ("compiler".to_owned(), "1".to_owned()),
        ])
    }

    fn proof(core: &str) -> Proof {
        let figures = Figures {
            tests: 7,
            ..Figures::default()
        };
        Proof::new(
            "model",
            inputs(core),
            "abc1234".to_owned(),
            "2026-01-31".to_owned(),
            figures,
        )
    }

    #[test]
    fn a_proof_is_found_again_for_the_same_inputs_alone() {
        let folder = Folder::new();
        folder.0.write(&proof("a")).unwrap();
        assert_eq!(folder.0.find("model", &inputs("a")), Some(proof("a")));
        assert_eq!(folder.0.find("model", &inputs("b")), None);
        assert_eq!(folder.0.find("requests", &inputs("a")), None);
        assert_eq!(proof("a").since(), "unchanged since abc1234, 2026-01-31");
    }

    #[test]
    fn what_is_different_from_the_last_proof_is_named() {
        let folder = Folder::new();
        assert_eq!(folder.0.changes("model", &inputs("b")), None);
        folder.0.write(&proof("a")).unwrap();
        assert_eq!(folder.0.changes("model", &inputs("b")), Some(vec!["core".to_owned()]));
    }

    #[test]
    fn old_proofs_are_removed() {
        let folder = Folder::new();
        for number in 0..OF_A_GROUP + 3 {
            folder.0.write(&proof(&number.to_string())).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(folder.0.files().len(), OF_A_GROUP);
        assert!(folder.0.find("model", &inputs("0")).is_none());
        assert!(folder.0.find("model", &inputs(&(OF_A_GROUP + 2).to_string())).is_some());
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_no_proof() {
        let folder = Folder::new();
        folder.0.write(&proof("a")).unwrap();
        let file = folder.0.file("model", &inputs("a"));
        fs::write(file, "{").unwrap();
        assert_eq!(folder.0.find("model", &inputs("a")), None);
    }
}
