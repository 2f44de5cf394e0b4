//! Seeded bugs around the real `step`, to prove that the model finds them.

use instancelink_api::{InstanceLink, State, keys};
use instancelink_core::effect::{Effect, Step};
use instancelink_core::lifecycle::step;
use instancelink_core::snapshot::Snapshot;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// The operator does not check whether another link has the alias.
    IgnoresSiblings,
    /// A request is taken without a precondition.
    TakesBlindly,
    /// The finalizer is removed as soon as a link is deleted.
    DropsFinalizerEarly,
    /// `inactive` is written before the children are gone.
    RestsEarly,
    /// A write of a child whose answer was lost is forgotten.
    ForgetsUnanswered,
    /// A revoked grant still counts.
    IgnoresConsent,
}

impl Mutant {
    /// The real `step`, with the bug.
    pub(crate) fn step(mutant: Option<Self>, snapshot: &mut Snapshot) -> Step {
        match mutant {
            Some(Self::IgnoresSiblings) => snapshot.siblings.clear(),
            Some(Self::DropsFinalizerEarly) if is_deleting(&snapshot.link.object) => {
                return Step::Act(vec![Effect::DropFinalizer]);
            }
            Some(Self::RestsEarly) if snapshot.link.object.state() == State::Deactivating => {
                snapshot.children.slices.clear();
                snapshot.children.environments.clear();
            }
            Some(Self::IgnoresConsent) => {
                let granted = snapshot.clone().granted(crate::slots::ELSEWHERE, "{kind: Deployment}");
                snapshot.grants = granted.grants;
            }
            _ => {}
        }
        step(snapshot)
    }
}

fn is_deleting(link: &InstanceLink) -> bool {
    let meta = &link.metadata;
    let held = meta.finalizers.iter().flatten().any(|name| name == keys::FINALIZER);
    meta.deletion_timestamp.is_some() && held
}
