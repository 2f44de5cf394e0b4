//! Remembered proofs: a group of tests that passed does not run again while nothing that it depends on has changed.
//!
//! A suite (`campaigns`, `conformance`, `e2e`) describes what each of its groups needs, asks [`Proofs::find`] before it
//! runs a group and calls [`Proofs::remember`] after the whole group passed. Runs of a part of a group, failed runs and
//! runs in which a file changed are not remembered.

mod store;

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::inputs::{Inputs, Needs, Workspace, digest_of};
use crate::progress::say;
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
}

/// A group of tests and the inputs that it has now.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) group: String,
    needs: Needs,
    inputs: Inputs,
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
        Ok(Self {
            store: Store::new(paths::cache()?.join("proofs")),
            workspace: Workspace::here()?,
            rerun: options.rerun,
        })
    }

    /// A group, with the current content of everything that it depends on.
    pub(crate) fn subject(&self, group: String, needs: Needs) -> Result<Subject> {
        let inputs = self.workspace.inputs(&needs)?;
        Ok(Subject { group, needs, inputs })
    }

    /// The proof that the group passes. Where there is none, the log says why.
    pub(crate) fn find(&self, subject: &Subject) -> Option<Proof> {
        let Subject { group, inputs, .. } = subject;
        if self.rerun {
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
        Ok(!self.rerun && self.store.find(group, &inputs).is_some())
    }

    /// Runs a group that has no figures, if it is not proven.
    pub(crate) fn unless_proven(&self, group: &str, needs: Needs, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let subject = self.subject(group.to_owned(), needs)?;
        if let Some(proof) = self.find(&subject) {
            say(&format!("{group}: {}", proof.since()));
            return Ok(());
        }
        work()?;
        self.remember(&subject, Figures::default())
    }

    /// Writes that the whole group passed with the inputs that it had when it began.
    pub(crate) fn remember(&self, subject: &Subject, figures: Figures) -> Result<()> {
        let Subject { group, needs, inputs } = subject;
        if Workspace::here()?.inputs(needs)? != *inputs {
            say(&format!(
                "{group} is not remembered: files that it depends on changed while it ran"
            ));
            return Ok(());
        }
        let date = command::capture(Command::new("date").args(["--utc", "+%F"]))?;
        let proof = Proof::new(group, inputs.clone(), commit()?, date.trim().to_owned(), figures);
        self.store.write(&proof)
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
    use super::*;

    #[test]
    fn a_few_changes_are_named_and_the_others_counted() {
        let changes = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
        assert_eq!(shown(&changes[..1]), "changed since it passed: a");
        assert_eq!(shown(&changes), "changed since it passed: a, b, c, d and 2 more");
    }
}
