//! Explores a scope completely and reports the result.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use instancelink_api::State as Resting;
use stateright::{Checker as _, HasDiscoveries, Model as _};

use crate::coverage::Reached;
use crate::model::Model;
use crate::promise::{Broken, Promise};
use crate::scope::Scope;
use crate::slots::SLICE;
use crate::state::State;

/// Number of threads.
const THREADS: usize = 2;

/// The result of an exploration.
#[derive(Debug)]
pub struct Explored {
    /// Number of different states.
    pub states: u64,
    /// Number of transitions.
    pub steps: u64,
    /// Length of the longest path.
    pub depth: usize,
    /// Number of transitions that are injected faults.
    pub faults: u64,
    /// The broken promises, each with a path to it.
    pub violations: Vec<(Promise, String)>,
    /// Edges that were taken.
    pub edges: BTreeSet<(&'static str, &'static str)>,
    /// Verdicts on requests: the reason of a rejection, or `accepted <verb>`.
    pub verdicts: BTreeSet<String>,
    /// Reasons of conditions that were False.
    pub reasons: BTreeSet<String>,
    /// Kinds of children that were created.
    pub kinds: BTreeSet<String>,
    /// Number of different questions to `step`.
    pub questions: usize,
}

/// Explores a scope completely.
pub fn explore(scope: Scope) -> Explored {
    let checker = Model::new(scope)
        .checker()
        .threads(THREADS)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let model = checker.model();
    let violations = Promise::ALL.into_iter().filter_map(|promise| {
        let path = checker.discovery(promise.as_str())?;
        Some((promise, story(model, promise, path.into_vec())))
    });
    let Reached {
        edges,
        verdicts,
        reasons,
        kinds,
    } = model.coverage.reached();
    Explored {
        states: checker.unique_state_count() as u64,
        steps: checker.state_count() as u64,
        depth: checker.max_depth(),
        faults: model.faults.load(Ordering::Relaxed),
        violations: violations.collect(),
        edges,
        verdicts,
        reasons,
        kinds,
        questions: model.decisions.len(),
    }
}

/// A path to a state, a line for each transition.
fn story(model: &Model, promise: Promise, path: Vec<(State, Option<crate::actions::Action>)>) -> String {
    let mut story = format!("{}, after:\n", promise.as_str());
    for (state, action) in path {
        let states = state.truth.links.map(|number| match number {
            0 => "gone",
            number => model.links.read(number, |link| link.state.as_str()),
        });
        let _ = write!(
            story,
            "    {} | {} children {:?} late {:b}",
            states[0], states[1], state.truth.children, state.late_children
        );
        if let Some(action) = action {
            let _ = write!(story, " -- {}", model.describe(action));
        }
        story.push('\n');
    }
    story
}

impl Model {
    /// A description of an action, with the writes that it sends.
    fn describe(&self, action: crate::actions::Action) -> String {
        use crate::actions::Action;
        match action {
            Action::Decide { group, .. } | Action::Sweep { group, .. } => {
                let writes = self.groups.read(group, |group| {
                    let short = |text: String| text.chars().take(150).collect::<String>();
                    group
                        .writes
                        .iter()
                        .map(|write| short(describe_write(write)))
                        .collect::<Vec<_>>()
                });
                format!("{action:?}: {}", writes.join("; "))
            }
            action => format!("{action:?}"),
        }
    }

    /// The promises that a state breaks, or that were broken on the path to it.
    pub(crate) fn broken(&self, state: &State) -> Broken {
        let kept = |kept, promise| Broken::unless(kept, promise);
        state
            .broken
            .and(kept(self.remembers(state), Promise::Actions))
            .and(kept(self.has_no_children_at_rest(state), Promise::NoChildren))
            .and(kept(self.alias_has_one_link(state), Promise::Alias))
            .and(self.rest(&state.truth))
    }

    /// Each link remembers the result of its accepted actions in sequence (lifecycle#actions-once).
    fn remembers(&self, state: &State) -> bool {
        (0..2).all(|link| {
            let number = state.truth.links[link];
            number == 0 || self.links.read(number, |it| it.desired) == state.ledgers[link].taken.desired
        })
    }

    fn has_no_children_at_rest(&self, state: &State) -> bool {
        const BARE: [Resting; 4] = [
            Resting::Inactive,
            Resting::UpdatingInactive,
            Resting::Removed,
            Resting::Purged,
        ];
        (0..2).all(|link| {
            let number = state.truth.links[link];
            if number == 0 {
                return true;
            }
            let (rests, life) = self
                .links
                .read(number, |it| (BARE.contains(&it.state), it.life_bit(link)));
            !rests || !self.has_children(state, life)
        })
    }

    fn alias_has_one_link(&self, state: &State) -> bool {
        let has_slice = |link: usize| {
            let (number, slice) = (state.truth.links[link], state.truth.children[SLICE + link]);
            let is_late = state.late_children & (1 << (SLICE + link)) != 0;
            if number == 0 || slice == 0 || is_late {
                return false;
            }
            let life = self.links.read(number, |it| it.life_bit(link));
            self.children
                .read(u32::from(slice), |child| child.is_slice() && child.of & life != 0)
        };
        !(has_slice(0) && has_slice(1) && self.one_alias)
    }
}

fn describe_write(write: &instancelink_core::effect::Effect) -> String {
    use instancelink_core::effect::Effect;
    match write {
        Effect::WriteStatus { status } => format!("status {}", status.state),
        Effect::AcceptAction { intent, .. } => format!(
            "accept {}/{} {:?} {}",
            intent.action, intent.id, intent.verdict, intent.reason
        ),
        Effect::WriteIntent { intent } => format!("intent {}", intent.action),
        other => instancelink_core::fixture::shown(std::slice::from_ref(other)).concat(),
    }
}
