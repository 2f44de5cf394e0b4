//! Explores a scope to its end, and says what was found.

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

/// Threads that explore.
const THREADS: usize = 2;

/// What came of exploring a scope.
#[derive(Debug)]
pub struct Explored {
    /// States that differ.
    pub states: u64,
    /// Steps between them.
    pub steps: u64,
    /// The longest way to a state.
    pub depth: usize,
    /// Steps that were an injected fault.
    pub faults: u64,
    /// Promises that were broken, each with the way there.
    pub violations: Vec<(Promise, String)>,
    /// Edges that were taken.
    pub edges: BTreeSet<(&'static str, &'static str)>,
    /// Verdicts on requests: the reason of a rejection, or `accepted <verb>`.
    pub verdicts: BTreeSet<String>,
    /// Reasons of conditions that were False.
    pub reasons: BTreeSet<String>,
    /// Kinds of children that were created.
    pub kinds: BTreeSet<String>,
    /// Questions to `step` that differ.
    pub questions: usize,
}

/// Explores a scope to its end.
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

/// The way to a state, a line a step.
fn story(model: &Model, promise: Promise, path: Vec<(State, Option<crate::actions::Action>)>) -> String {
    let mut story = format!("{}, after:\n", promise.as_str());
    for (state, action) in path {
        let states = state.truth.links.map(|number| match number {
            0 => "gone",
            number => model.links.read(number, |link| link.state.as_str()),
        });
        let _ = write!(
            story,
            "    {} | {} children {:?} strays {:b}",
            states[0], states[1], state.truth.children, state.strays
        );
        if let Some(action) = action {
            let _ = write!(story, " -- {}", model.told(action));
        }
        story.push('\n');
    }
    story
}

impl Model {
    /// An action in words; what is sent is shown.
    fn told(&self, action: crate::actions::Action) -> String {
        use crate::actions::Action;
        match action {
            Action::Decide { group, .. } | Action::Sweep { group, .. } => {
                let writes = self.groups.read(group, |group| {
                    let short = |text: String| text.chars().take(150).collect::<String>();
                    group
                        .writes
                        .iter()
                        .map(|write| short(told_write(write)))
                        .collect::<Vec<_>>()
                });
                format!("{action:?}: {}", writes.join("; "))
            }
            action => format!("{action:?}"),
        }
    }

    /// Promises that a state breaks, or that were broken on the way to it.
    pub(crate) fn broken(&self, state: &State) -> Broken {
        let kept = |kept, promise| Broken::unless(kept, promise);
        state
            .broken
            .and(kept(self.remembers(state), Promise::Actions))
            .and(kept(self.is_bare_at_rest(state), Promise::Bare))
            .and(kept(self.has_one_owner(state), Promise::Alias))
            .and(self.rest(&state.truth))
    }

    /// Each link remembers the result of its accepted actions in their order (lifecycle#actions-once).
    fn remembers(&self, state: &State) -> bool {
        (0..2).all(|link| {
            let number = state.truth.links[link];
            number == 0 || self.links.read(number, |it| it.desired) == state.ledgers[link].taken.desired
        })
    }

    fn is_bare_at_rest(&self, state: &State) -> bool {
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
            !rests || !self.standing_of(state, life)
        })
    }

    fn has_one_owner(&self, state: &State) -> bool {
        let has_slice = |link: usize| {
            let (number, slice) = (state.truth.links[link], state.truth.children[SLICE + link]);
            let is_stray = state.strays & (1 << (SLICE + link)) != 0;
            if number == 0 || slice == 0 || is_stray {
                return false;
            }
            let life = self.links.read(number, |it| it.life_bit(link));
            self.children
                .read(u32::from(slice), |child| child.is_slice() && child.of & life != 0)
        };
        !(has_slice(0) && has_slice(1) && self.one_alias)
    }
}

fn told_write(write: &instancelink_core::effect::Effect) -> String {
    use instancelink_core::effect::Effect;
    match write {
        Effect::WriteStatus { status } => format!("status {}", status.state),
        Effect::AcceptAction { intent, .. } => format!(
            "take {}/{} {:?} {}",
            intent.action, intent.id, intent.verdict, intent.reason
        ),
        Effect::WriteIntent { intent } => format!("intent {}", intent.action),
        other => instancelink_core::fixture::shown(std::slice::from_ref(other)).concat(),
    }
}
