//! The groups of end-to-end tests: each file or folder of a test binary is a group. A run is one call of a test binary.

use std::fs;

use anyhow::{Context as _, Result};

use super::Options;
use crate::paths;

/// The groups whose pods run PostgreSQL or its client.
pub(super) const NEED_POSTGRES: &[&str] = &["dataplane_postgres", "dataplane_resolvers", "packets_established"];
/// The groups whose pods resolve names as Go does.
pub(super) const NEED_RESOLVER: &[&str] = &["dataplane_families", "dataplane_resolvers"];

/// The binary of the groups that run side by side.
pub(super) const SIDE_BY_SIDE: &str = "side_by_side";
/// The binary of the groups that disturb others (some end the operator). They run afterwards, one group at a time.
pub(super) const SERIAL: &str = "serial";
/// The serial group whose tests do not disturb each other.
const TOGETHER: &str = "crds";

/// How many tests run at the same time.
const THREADS: usize = 4;

/// One call of a test binary.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) binary: &'static str,
    /// Its groups. All tests of them run.
    pub(super) groups: Vec<String>,
    /// Where only a part of the groups' tests run: what their names contain.
    pub(super) part: Option<String>,
    pub(super) threads: usize,
}

impl Run {
    /// The arguments that choose its tests.
    pub(super) fn filters(&self) -> Vec<String> {
        match &self.part {
            Some(part) => vec![part.clone()],
            None => self.groups.iter().map(|group| prefix_of(group)).collect(),
        }
    }
}

/// What the names of a group's tests begin with.
pub(super) fn prefix_of(group: &str) -> String {
    format!("{group}::")
}

/// The groups of both binaries.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    pub(super) side_by_side: Vec<String>,
    pub(super) serial: Vec<String>,
}

impl Groups {
    pub(super) fn all() -> Result<Self> {
        Ok(Self {
            side_by_side: of_binary(SIDE_BY_SIDE)?,
            serial: of_binary(SERIAL)?,
        })
    }

    /// The binary and name of each group.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let side_by_side = self.side_by_side.iter().map(|group| (SIDE_BY_SIDE, group));
        side_by_side.chain(self.serial.iter().map(|group| (SERIAL, group)))
    }

    /// Leaves the groups that fulfil a condition.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&'static str, &str) -> bool) {
        self.side_by_side.retain(|group| keep(SIDE_BY_SIDE, group));
        self.serial.retain(|group| keep(SERIAL, group));
    }

    /// The runs that a developer asks for, in their order.
    pub(super) fn runs(mut self, options: &Options) -> Vec<Run> {
        let mut part = options.group.clone();
        if let Some(asked) = &options.group
            && self.iter().any(|(_, group)| is_in_group(group, asked))
        {
            self.retain(|_, group| is_in_group(group, asked));
            part = None;
        }
        self.retain(|binary, _| match binary {
            SIDE_BY_SIDE => !options.serial,
            _ => !options.parallel,
        });
        let run = |binary, groups, threads| Run {
            binary,
            groups,
            part: part.clone(),
            threads,
        };
        let mut runs = vec![run(SIDE_BY_SIDE, self.side_by_side, THREADS)];
        if part.is_some() {
            // A part of a name can be in any group.
            runs.push(run(SERIAL, self.serial, 1));
        } else {
            runs.extend(self.serial.into_iter().map(|group| {
                let threads = if group == TOGETHER { THREADS } else { 1 };
                run(SERIAL, vec![group], threads)
            }));
        }
        runs.retain(|run| !run.groups.is_empty());
        runs
    }
}

fn of_binary(binary: &str) -> Result<Vec<String>> {
    let folder = paths::checkout().join("tests/e2e/tests").join(binary);
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut groups: Vec<String> = names
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| name != "main")
        .collect();
    groups.sort();
    Ok(groups)
}

/// A file is in the group of its whole name and in those of its first words.
fn is_in_group(file: &str, group: &str) -> bool {
    file.strip_prefix(group)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn planned(group: &str) -> Vec<Run> {
        let groups = Groups {
            side_by_side: owned(&["actions", "action_table", "dataplane_follow", "dataplane_kinds", "walk"]),
            serial: owned(&["crds", "faults"]),
        };
        groups.runs(&Options {
            group: Some(group.to_owned()).filter(|group| !group.is_empty()),
            ..Options::default()
        })
    }

    fn run(binary: &'static str, groups: &[&str], threads: usize) -> Run {
        Run {
            binary,
            groups: owned(groups),
            part: None,
            threads,
        }
    }

    #[test]
    fn a_group_is_a_file_or_all_files_whose_names_begin_with_its_words() {
        let beside = |groups| [run(SIDE_BY_SIDE, groups, THREADS)];
        assert_eq!(planned("walk"), beside(&["walk"]));
        assert_eq!(planned("walk").first().unwrap().filters(), ["walk::"]);
        assert_eq!(planned("dataplane"), beside(&["dataplane_follow", "dataplane_kinds"]));
        assert_eq!(planned("dataplane_kinds"), beside(&["dataplane_kinds"]));
        assert_eq!(planned("action"), beside(&["action_table"]), "and not `actions`");
        assert_eq!(planned("faults"), [run(SERIAL, &["faults"], 1)]);
    }

    #[test]
    fn serial_groups_run_after_the_others_and_one_at_a_time() {
        let all = planned("");
        let (beside, alone) = all.split_first().unwrap();
        assert_eq!(beside.groups.len(), 5);
        assert_eq!(alone, [run(SERIAL, &["crds"], THREADS), run(SERIAL, &["faults"], 1)]);
    }

    #[test]
    fn a_word_that_is_no_group_is_searched_in_the_names_of_all_tests() {
        let both = planned("retarget");
        assert_eq!(both.len(), 2);
        assert!(both.iter().all(|run| run.filters() == ["retarget"]), "{both:?}");
    }

    #[test]
    fn each_group_is_part_of_its_binary_and_no_other_group_runs_with_it() {
        for binary in [SIDE_BY_SIDE, SERIAL] {
            let main = paths::checkout().join("tests/e2e/tests").join(binary).join("main.rs");
            let main = fs::read_to_string(main).unwrap();
            let groups = of_binary(binary).unwrap();
            for group in &groups {
                assert!(main.contains(&format!("mod {group};")), "{binary} without {group}");
                let ends_so = groups.iter().filter(|other| other.ends_with(group.as_str()));
                assert_eq!(ends_so.count(), 1, "{group}:: is a part of another's path");
            }
        }
    }

    #[test]
    fn the_groups_that_need_images_exist_and_uninstalling_is_the_last_group() {
        let all = Groups::all().unwrap();
        for group in NEED_POSTGRES.iter().chain(NEED_RESOLVER) {
            assert!(all.side_by_side.iter().any(|name| name == group), "{group}");
        }
        assert!(all.serial.iter().any(|name| name == TOGETHER));
        assert_eq!(all.serial.last().map(String::as_str), Some("uninstall"));
    }
}
