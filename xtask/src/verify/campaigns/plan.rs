//! Decides which campaigns run. A group does not run if it passed before, and nothing that it depends on has changed
//! since.

use anyhow::Result;
use instancelink_testkit::campaign;

use super::groups::{self, Group};
use super::record;
use super::{Options, Part};
use crate::inputs::Needs;
use crate::progress::say;
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
    /// Where the result is to be remembered: of what.
    subject: Option<Subject>,
}

impl Plan {
    /// Decides which groups run. The rows of the others go into the table at once.
    pub(crate) fn new(options: &Options, proofs: &Proofs) -> Result<Self> {
        let mut plan = Self {
            options: options.clone(),
            groups: Vec::new(),
        };
        for group in groups::chosen(groups::all()?, &options.groups)? {
            let subject = if options.is_whole() {
                Some(proofs.subject(name(&group, options.long), needs(&group))?)
            } else {
                None
            };
            if let Some(proof) = subject.as_ref().and_then(|subject| proofs.find(subject)) {
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
    /// Called after the group passed.
    pub(super) fn remember(&self, proofs: &Proofs) -> Result<()> {
        let Some(subject) = &self.subject else {
            return Ok(());
        };
        let rows = record::rows(&self.group.to_string())?;
        proofs.remember(subject, Figures { rows, tests: 0 })
    }
}

impl Options {
    /// Whether the groups run as they always do. Other plans, or other operators, prove something else.
    fn is_whole(&self) -> bool {
        let is_set = |variable| std::env::var_os(variable).is_some();
        self.groups.is_empty()
            && self.seed.is_none()
            && self.beside.is_none()
            && !is_set(campaign::SEED)
            && !is_set(campaign::LONG)
    }
}

fn name(group: &Group, long: bool) -> String {
    let long = if long { ", long" } else { "" };
    format!("campaigns {group}{long}")
}

fn needs(group: &Group) -> Needs {
    let mut needs = Needs::of_test(&group.package, &group.test);
    if group.needs_servers() {
        needs.programs.push("instancelink");
        needs.servers();
    }
    needs
}
