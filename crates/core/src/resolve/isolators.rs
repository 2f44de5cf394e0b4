//! Which of some pods are isolated by NetworkPolicies of others: one loop over pods and policies, which spends from a budget.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::budget::{Budget, TooCostly};
use crate::snapshot::Isolator;

/// The policies that isolate one of the pods, and the pods that none isolates.
#[derive(Debug, Default)]
pub(super) struct Isolated {
    pub(super) by: BTreeSet<String>,
    pub(super) open: BTreeSet<String>,
}

impl Isolated {
    /// Adds a pod with these labels; none for labels that are not known, which no policy is known to select.
    pub(super) fn add(
        &mut self,
        budget: &mut Budget,
        isolators: &[&Arc<Isolator>],
        name: &str,
        labels: Option<&BTreeMap<String, String>>,
    ) -> Result<(), TooCostly> {
        let mut is_open = true;
        if let Some(labels) = labels {
            for policy in isolators {
                budget.spend(policy.pods.cost(labels))?;
                if policy.pods.selects(labels) {
                    is_open = false;
                    self.by.insert(policy.name.clone());
                }
            }
        }
        if is_open {
            self.open.insert(name.to_owned());
        }
        Ok(())
    }
}
