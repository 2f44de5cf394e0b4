//! Decides which end-to-end tests run. A group does not run if it passed before, and nothing that it depends on has
//! changed since.

use std::collections::BTreeMap;

use anyhow::Result;
use instancelink_testkit::campaign::Row;

use super::Options;
use super::groups::{Groups, NEED_RESOLVER, Run};
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
    /// Whether every test of the suite runs.
    pub(super) is_whole: bool,
    /// By binary and group. Empty where nothing is remembered: other clusters and parts of the suite prove less.
    subjects: BTreeMap<(&'static str, String), Subject>,
}

impl Plan {
    /// Decides which groups run.
    pub(crate) fn new(options: &Options, proofs: &Proofs) -> Result<Self> {
        let mut groups = Groups::all()?;
        if !options.is_whole() || std::env::var_os("KUBECONFIG").is_some() {
            return Ok(Self {
                runs: groups.runs(options),
                is_whole: options.is_whole(),
                subjects: BTreeMap::new(),
            });
        }
        let mut subjects = BTreeMap::new();
        for (binary, group) in groups.iter() {
            let name = format!("end to end {binary} {group}");
            let subject = proofs.subject(name, needs(binary, group, &groups)?)?;
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
            is_whole: groups.iter().count() == all,
            runs: groups.runs(options),
            subjects,
        };
        if plan.is_empty()
            && let Some(proof) = proofs.find(&plan.histories(proofs)?)
        {
            record::repeat(HISTORIES, &proof.figures.rows, &proof.since())?;
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
                proofs.remember(subject, figures)?;
            }
        }
        let all_passed = self.subjects.keys().all(|group| passed.contains_key(group));
        if all_passed && !self.subjects.is_empty() {
            let figures = Figures {
                rows: vec![histories],
                ..Figures::default()
            };
            proofs.remember(&self.histories(proofs)?, figures)?;
        }
        Ok(())
    }

    /// The histories of links depend on what all groups depend on.
    fn histories(&self, proofs: &Proofs) -> Result<Subject> {
        let needs = Needs {
            facts: self
                .subjects
                .values()
                .map(|subject| (subject.group.clone(), subject.digest()))
                .collect(),
            ..Needs::default()
        };
        proofs.subject(HISTORIES.to_owned(), needs)
    }
}

/// Images and tools, manifests, and the code that starts a cluster.
fn needs(binary: &str, group: &str, groups: &Groups) -> Result<Needs> {
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
    if NEED_RESOLVER.contains(&group) {
        needs.read(&["tools/resolver"]);
    }
    let provider = match Cluster::find(DEFAULT)? {
        Some(cluster) => cluster.record.described(),
        None => "a native cluster".to_owned(),
    };
    needs.facts.push(("cluster".to_owned(), provider));
    Ok(needs)
}
