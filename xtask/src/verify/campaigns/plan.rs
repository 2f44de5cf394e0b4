//! Decides which campaigns run. A group does not run if it passed before, and nothing that it depends on has changed
//! since.

use anyhow::Result;

use super::groups::{self, Group};
use super::record;
use super::{Options, Part};
use crate::inputs::Needs;
use crate::progress::{explained, say};
use crate::verify::proofs::{Figures, Proofs, Subject};

/// The chosen groups in the order in which they run.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(super) options: Options,
    pub(super) groups: Vec<Planned>,
}

#[derive(Debug)]
pub(super) struct Planned {
    pub(super) group: Group,
    subject: Subject,
}

impl Plan {
    /// Decides which groups run. The rows of the others go into the table at once.
    pub(crate) fn new(options: &Options, proofs: &Proofs) -> Result<Self> {
        let mut plan = Self {
            options: options.clone(),
            groups: Vec::new(),
        };
        for group in groups::chosen(groups::all()?, &options.groups)? {
            let subject = proofs.subject(name(&group, options.long), needs(&group), options.is_whole())?;
            if let Some(proof) = proofs.find(&subject) {
                say(&format!("campaigns: {group}: {}", proof.since()));
                record::repeat(&group.to_string(), &proof.figures.rows, &proof.since())?;
            } else {
                plan.groups.push(Planned { group, subject });
            }
        }
        Ok(plan)
    }

    /// Whether a group of this part runs.
    pub(crate) fn needs(&self, part: Part) -> bool {
        self.groups.iter().any(|planned| part.has(&planned.group))
    }
}

impl Planned {
    /// Called before the group runs.
    pub(super) fn begin(&self, proofs: &Proofs) {
        proofs.begin(&self.subject);
    }

    /// Called after a test of the group failed.
    pub(super) fn failed(&self, proofs: &Proofs) {
        proofs.failed(&self.subject);
    }

    /// Called after the group passed.
    pub(super) fn remember(&self, tests: usize, proofs: &Proofs) {
        match record::rows(&self.group.to_string()) {
            Ok(rows) => proofs.remember(&self.subject, Figures { rows, tests }),
            Err(error) => say(&explained(
                &format!("{} passed, but is not remembered", self.group),
                &error,
            )),
        }
    }
}

impl Options {
    /// Whether the groups run as they always do. Other plans, or other operators, prove something else.
    fn is_whole(&self) -> bool {
        self.groups.is_empty() && self.seed.is_none() && self.beside.is_none()
    }
}

fn name(group: &Group, long: bool) -> String {
    let long = if long { ", long" } else { "" };
    format!("campaigns {group}{long}")
}

/// Files outside of their package that campaigns read, by package and test.
const READ: [((&str, &str), [&str; 2]); 1] = [(("faults", "strange"), ["tests/manifests", "deploy/overlays/binding"])];

fn needs(group: &Group) -> Needs {
    let mut needs = Needs::of_test(&group.package, &group.test);
    needs.read(&["xtask/src/verify/campaigns"]);
    for (reader, paths) in READ {
        if reader == (group.package.as_str(), group.test.as_str()) {
            needs.read(&paths);
        }
    }
    if group.needs_servers() {
        needs.programs.push("instancelink");
        needs.servers();
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Workspace;

    #[test]
    fn the_code_that_runs_campaigns_is_an_input_of_each() {
        let workspace = Workspace::here().unwrap();
        for group in groups::all().unwrap() {
            let inputs = workspace.inputs(&needs(&group)).unwrap();
            assert!(inputs.contains_key("xtask/src/verify/campaigns"), "{group}");
        }
    }
}
