//! Decides which end-to-end tests run. A group does not run if it passed before, and nothing that it depends on has
//! changed since.

use std::collections::BTreeMap;

use anyhow::Result;
use instancelink_testkit::campaign::Row;

use super::Options;
use super::groups::{Groups, NEED_RESOLVER, Run};
use crate::cluster::record::Provider;
use crate::cluster::{Cluster, DEFAULT};
use crate::inputs::Needs;
use crate::progress::say;
use crate::verify::campaigns::record;
use crate::verify::proofs::{Figures, Proofs, Subject};

/// The name under which the row of the links' histories is shown and remembered.
pub(super) const HISTORIES: &str = "end to end";

/// The runs of test binaries, and what is remembered after them.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(super) runs: Vec<Run>,
    /// Whether all groups of a binary run, so that there must be actions of links.
    pub(super) sees_actions: bool,
    /// Whether they run on a cluster of their own without IPv6.
    pub(super) single_stack: bool,
    /// Whether this run is remembered: of the whole suite, on a native cluster.
    is_whole: bool,
    /// All groups of the suite, by binary and name.
    subjects: BTreeMap<(&'static str, String), Subject>,
}

impl Plan {
    /// Decides which groups run.
    pub(crate) fn new(options: &Options, proofs: &Proofs) -> Result<Self> {
        let mut groups = Groups::all()?;
        // Other clusters, and parts of the suite, prove less.
        let is_whole = options.is_whole() && std::env::var_os("KUBECONFIG").is_none() && is_native()?;
        let mut subjects = BTreeMap::new();
        for (binary, group) in groups.iter() {
            let name = format!("end to end {binary} {group}");
            let subject = proofs.subject(name, needs(binary, group, &groups), is_whole)?;
            subjects.insert((binary, group.clone()), subject);
        }
        let all = groups.iter().count();
        groups.retain(|binary, group| {
            let subject = subjects.get(&(binary, group.to_owned()));
            match subject.and_then(|subject| proofs.find(subject)) {
                Some(proof) => {
                    say(&format!(
                        "end to end: {group}: {} tests, {}",
                        proof.figures.tests,
                        proof.since()
                    ));
                    false
                }
                None => true,
            }
        });
        let plan = Self {
            sees_actions: options.group.is_none() && groups.iter().count() == all,
            runs: groups.runs(options),
            single_stack: options.single_stack,
            is_whole,
            subjects,
        };
        if plan.is_empty() {
            match proofs.find(&plan.histories(proofs, true)?) {
                Some(proof) => record::repeat(HISTORIES, &proof.figures.rows, &proof.since())?,
                None => say(
                    "the histories of links of all groups were not checked in one run; `cargo xtask e2e --rerun` does this",
                ),
            }
        }
        Ok(plan)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a group of these is run.
    pub(super) fn runs_any(&self, groups: &[&str]) -> bool {
        let all = self.runs.iter().flat_map(|run| &run.groups);
        all.clone().any(|group| groups.contains(&group.as_str()))
    }

    /// Called before the tests run.
    pub(super) fn begin(&self, proofs: &Proofs) -> Result<()> {
        for run in &self.runs {
            self.subjects_of(run).for_each(|subject| proofs.begin(subject));
        }
        proofs.begin(&self.histories(proofs, self.sees_actions)?);
        Ok(())
    }

    /// Called after a test of this run failed. It can be a test of any of its groups.
    pub(super) fn failed(&self, run: &Run, proofs: &Proofs) {
        self.subjects_of(run).for_each(|subject| proofs.failed(subject));
    }

    /// Called after a link had a history without an order. The link can belong to any of the groups.
    pub(super) fn histories_failed(&self, proofs: &Proofs) -> Result<()> {
        for run in &self.runs {
            self.failed(run, proofs);
        }
        proofs.failed(&self.histories(proofs, false)?);
        Ok(())
    }

    fn subjects_of<'a>(&'a self, run: &'a Run) -> impl Iterator<Item = &'a Subject> {
        let groups = run.groups.iter();
        groups.filter_map(|group| self.subjects.get(&(run.binary, group.clone())))
    }

    /// Called after all tests of these runs passed: `passed` are the numbers of tests by binary and group.
    pub(super) fn remember(
        &self,
        passed: &BTreeMap<(&'static str, String), usize>,
        histories: Row,
        proofs: &Proofs,
    ) -> Result<()> {
        for (group, &tests) in passed.iter().filter(|(_, tests)| **tests > 0) {
            if let Some(subject) = self.subjects.get(group) {
                let figures = Figures {
                    tests,
                    ..Figures::default()
                };
                proofs.remember(subject, figures);
            }
        }
        let all_passed = self.subjects.keys().all(|group| passed.contains_key(group));
        if all_passed && self.sees_actions {
            let figures = Figures {
                rows: vec![histories],
                ..Figures::default()
            };
            proofs.remember(&self.histories(proofs, true)?, figures);
        }
        Ok(())
    }

    /// The histories of links depend on what all groups depend on. `of_all`: they are those of all groups in one run.
    fn histories(&self, proofs: &Proofs, of_all: bool) -> Result<Subject> {
        let needs = Needs {
            facts: self
                .subjects
                .values()
                .map(|subject| (subject.group.clone(), subject.digest()))
                .collect(),
            ..Needs::default()
        };
        proofs.subject(HISTORIES.to_owned(), needs, of_all && self.is_whole)
    }
}

/// Whether the cluster is, or will be, of the provider whose programs are pinned.
fn is_native() -> Result<bool> {
    let cluster = Cluster::find(DEFAULT)?.filter(|cluster| cluster.record.provider != Provider::Native);
    if let Some(cluster) = &cluster {
        say(&format!(
            "end-to-end tests on {} are not remembered; only those on a native cluster are",
            cluster.record.described()
        ));
    }
    Ok(cluster.is_none())
}

/// Images and tools, manifests, and the code that starts a cluster.
fn needs(binary: &str, group: &str, groups: &Groups) -> Needs {
    let mut needs = Needs::of_test("e2e", binary);
    let others = groups.iter().filter(|(of, other)| *of == binary && *other != group);
    needs.without = others
        .flat_map(|(_, other)| ["", ".rs"].map(|end| format!("tests/e2e/tests/{binary}/{other}{end}")))
        .collect();
    needs.programs = vec!["instancelink", "workload"];
    needs.servers();
    needs.read(&[
        "xtask/src/cluster",
        "xtask/src/dev",
        "xtask/src/image",
        "xtask/src/verify/e2e",
    ]);
    // All of `deploy`: groups apply overlays and samples, too.
    needs.read(&["deploy", "tests/manifests"]);
    // It decides which packets reach the pods of all groups.
    needs.read(&["tools/policies"]);
    if NEED_RESOLVER.contains(&group) {
        needs.read(&["tools/resolver"]);
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Workspace;
    use crate::verify::proofs::ProofOptions;

    #[test]
    fn each_input_of_each_group_exists() {
        let (workspace, groups) = (Workspace::here().unwrap(), Groups::all().unwrap());
        for (binary, group) in groups.iter() {
            workspace.inputs(&needs(binary, group, &groups)).unwrap();
        }
    }

    #[test]
    fn actions_must_be_seen_unless_one_group_is_chosen() {
        let proofs = Proofs::open(ProofOptions { rerun: true }).unwrap();
        let sees_actions = |options: Options| Plan::new(&options, &proofs).unwrap().sees_actions;
        assert!(sees_actions(Options {
            serial: true,
            ..Options::default()
        }));
        assert!(sees_actions(Options {
            parallel: true,
            ..Options::default()
        }));
        assert!(!sees_actions(Options {
            group: Some("walk".to_owned()),
            ..Options::default()
        }));
    }
}
