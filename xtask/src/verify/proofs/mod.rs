//! Remembered proofs: a group of tests that passed does not run again while nothing that it depends on has changed.
//!
//! A suite (`campaigns`, `conformance`, `e2e`) describes what each of its groups needs, asks [`Proofs::find`] before it
//! runs a group, and calls [`Proofs::begin`] before and [`Proofs::remember`] after the whole group. Runs of a part of a
//! group, failed runs and runs in which a file changed are not remembered. A failed run removes the proof.

mod store;
mod variables;

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::digest::digest_of;
use crate::inputs::{Inputs, Needs, Workspace};
use crate::progress::{explained, say};
use crate::verify::runner::Done;
use crate::{command, paths};

use store::Store;

pub(crate) use store::{Figures, Proof};

/// How a command uses the proofs.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct ProofOptions {
    /// Run also the groups of tests on whose inputs nothing has changed since they passed
    #[arg(long)]
    pub(crate) rerun: bool,
}

/// The proofs that are valid for the current content of this checkout.
#[derive(Debug)]
pub(crate) struct Proofs {
    store: Store,
    workspace: Workspace,
    rerun: bool,
    /// A variable is set that changes what tests do.
    is_altered: bool,
}

/// A group of tests and the inputs that it has now.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) group: String,
    needs: Needs,
    inputs: Inputs,
    /// Whether this run of the group is as every other: of all its tests, with nothing else than usual. Only then it is
    /// remembered, or does not run because it is remembered.
    is_whole: bool,
}

impl Subject {
    /// One digest of everything that it depends on.
    pub(crate) fn digest(&self) -> String {
        digest_of(
            self.inputs
                .iter()
                .flat_map(|(name, digest)| [name.as_str(), digest.as_str()]),
        )
    }
}

impl Proofs {
    pub(crate) fn open(options: ProofOptions) -> Result<Self> {
        let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        let altering = variables::altering(names);
        if let Some(name) = &altering {
            say(&format!(
                "{name} is set and can change what tests do, so all groups run and no group is remembered"
            ));
        }
        Ok(Self {
            store: Store::new(paths::cache()?.join("proofs")),
            workspace: Workspace::here()?,
            rerun: options.rerun,
            is_altered: altering.is_some(),
        })
    }

    /// A group, with the current content of everything that it depends on. `is_whole`: whether all its tests run, as usual.
    pub(crate) fn subject(&self, group: String, needs: Needs, is_whole: bool) -> Result<Subject> {
        let inputs = self.workspace.inputs(&needs)?;
        Ok(Subject {
            group,
            needs,
            inputs,
            is_whole: is_whole && !self.is_altered,
        })
    }

    /// The proof that the group passes. Where there is none, the log says why.
    pub(crate) fn find(&self, subject: &Subject) -> Option<Proof> {
        let Subject { group, inputs, .. } = subject;
        if self.rerun || !subject.is_whole {
            return None;
        }
        let found = self.store.find(group, inputs);
        if found.is_none()
            && let Some(changes) = self.store.changes(group, inputs)
        {
            say(&format!("{group} runs: {}", shown(&changes)));
        }
        found
    }

    /// Whether there is a proof that the group passes.
    pub(crate) fn is_proven(&self, group: &str, needs: &Needs) -> Result<bool> {
        let inputs = self.workspace.inputs(needs)?;
        Ok(!self.rerun && !self.is_altered && self.store.find(group, &inputs).is_some())
    }

    /// Runs a group that has no figures, if it is not proven.
    pub(crate) fn unless_proven(&self, group: &str, needs: Needs, work: impl FnOnce() -> Result<()>) -> Result<Done> {
        let subject = self.subject(group.to_owned(), needs, true)?;
        if let Some(proof) = self.find(&subject) {
            say(&format!("{group}: {}", proof.since()));
            return Ok(Done::Unchanged);
        }
        self.begin(&subject);
        work().inspect_err(|_| self.failed(&subject))?;
        self.remember(&subject, Figures::default());
        Ok(Done::Ran)
    }

    /// Called before a group runs. A run that fails, or that is ended, must not leave an older proof.
    pub(crate) fn begin(&self, subject: &Subject) {
        if subject.is_whole {
            self.forget(subject);
        }
    }

    /// Called after a test of the group failed, also where only a part of the group ran.
    pub(crate) fn failed(&self, subject: &Subject) {
        self.forget(subject);
    }

    fn forget(&self, subject: &Subject) {
        if let Err(error) = self.store.remove(&subject.group, &subject.inputs) {
            let what = format!("the earlier result of {} is still remembered", subject.group);
            say(&explained(&what, &error));
        }
    }

    /// Writes that the whole group passed with the inputs that it had when it began. A cache that cannot be written is no
    /// failure of the group.
    pub(crate) fn remember(&self, subject: &Subject, figures: Figures) {
        if !subject.is_whole {
            return;
        }
        let group = &subject.group;
        match self.write(subject, figures) {
            Ok(true) => {}
            Ok(false) => say(&format!(
                "{group} is not remembered: files that it depends on changed while it ran"
            )),
            Err(error) => say(&explained(&format!("{group} passed, but is not remembered"), &error)),
        }
    }

    /// Returns false if an input has changed since the group began.
    fn write(&self, subject: &Subject, figures: Figures) -> Result<bool> {
        let Subject {
            group, needs, inputs, ..
        } = subject;
        if Workspace::here()?.inputs(needs)? != *inputs {
            return Ok(false);
        }
        let date = command::capture(Command::new("date").args(["--utc", "+%F"]))?;
        let proof = Proof::new(group, inputs.clone(), commit()?, date.trim().to_owned(), figures);
        self.store.write(&proof)?;
        Ok(true)
    }
}

/// The names of a few changes. After a change in core, or of the compiler, there are many for each group.
fn shown(changes: &[String]) -> String {
    let names: Vec<&str> = changes.iter().take(SHOWN).map(String::as_str).collect();
    let more = match changes.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("changed since it passed: {}{more}", names.join(", "))
}

/// How many changes are named.
const SHOWN: usize = 4;

/// The commit of the checkout, with a mark where it has uncommitted changes.
fn commit() -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(paths::checkout())
        .args(["describe", "--always", "--dirty", "--exclude=*"]);
    Ok(command::capture(&mut git)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// The proofs of this checkout, in a folder of their own.
    fn proofs(folder: &Path) -> Proofs {
        Proofs {
            store: Store::new(folder.to_owned()),
            workspace: Workspace::here().unwrap(),
            rerun: false,
            is_altered: false,
        }
    }

    fn temporary(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("xtask-proofs-{name}-{}", std::process::id()))
    }

    fn samples() -> Needs {
        let mut needs = Needs::default();
        needs.read(&["deploy/samples"]);
        needs
    }

    #[test]
    fn a_failed_run_leaves_no_earlier_proof() {
        let folder = temporary("failed");
        let mut proofs = proofs(&folder);
        let run = |proofs: &Proofs, outcome: Result<()>| proofs.unless_proven("group", samples(), || outcome);
        assert_eq!(run(&proofs, Ok(())).unwrap(), Done::Ran);
        assert_eq!(run(&proofs, bail_out()).unwrap(), Done::Unchanged);
        proofs.rerun = true;
        assert!(run(&proofs, bail_out()).is_err());
        proofs.rerun = false;
        assert!(run(&proofs, bail_out()).is_err(), "the group runs again");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_part_of_a_group_removes_the_proof_if_it_fails_and_leaves_it_if_it_passes() {
        let folder = temporary("part");
        let proofs = proofs(&folder);
        let whole = proofs.subject("group".to_owned(), samples(), true).unwrap();
        let part = proofs.subject("group".to_owned(), samples(), false).unwrap();
        proofs.remember(&part, Figures::default());
        assert!(proofs.find(&whole).is_none(), "a part is not remembered");
        proofs.remember(&whole, Figures::default());
        proofs.begin(&part);
        assert!(proofs.find(&whole).is_some());
        assert!(proofs.find(&part).is_none(), "a part that is asked for runs");
        proofs.failed(&part);
        assert!(proofs.find(&whole).is_none());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn while_a_variable_changes_the_tests_no_proof_is_found_or_written() {
        let folder = temporary("variable");
        let mut proofs = proofs(&folder);
        proofs.unless_proven("group", samples(), || Ok(())).unwrap();
        proofs.is_altered = true;
        assert_eq!(proofs.unless_proven("group", samples(), || Ok(())).unwrap(), Done::Ran);
        proofs.unless_proven("other", samples(), || Ok(())).unwrap();
        proofs.is_altered = false;
        assert!(!proofs.is_proven("other", &samples()).unwrap());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_no_failure() {
        let file = temporary("file");
        fs::write(&file, "a file, not a folder").unwrap();
        let done = proofs(&file).unless_proven("group", samples(), || Ok(())).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(done, Done::Ran);
    }

    fn bail_out() -> Result<()> {
        anyhow::bail!("a test failed")
    }

    #[test]
    fn a_few_changes_are_named_and_the_others_counted() {
        let changes = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
        assert_eq!(shown(&changes[..1]), "changed since it passed: a");
        assert_eq!(shown(&changes), "changed since it passed: a, b, c, d and 2 more");
    }
}
