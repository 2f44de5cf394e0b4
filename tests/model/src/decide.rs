//! The decisions of an operator: the real `step`, called once for each different question.

use instancelink_core::child::DesiredChild;
use instancelink_core::effect::{Effect, Step};
use instancelink_core::lifecycle::step;
use instancelink_core::unconfirmed_writes;

use crate::delayed_hold;
use crate::group::{Group, broken_by};
use crate::kept_pods;
use crate::model::Model;
use crate::mutant::Mutant;
use crate::promise::Broken;
use crate::question::{Decision, Question};
use crate::slots::{DIRECTORY, ENVIRONMENT, POLICY, SLICE};
use crate::state::{CONFIRMED, ChildNumber, Cluster, SEVERAL, UnconfirmedWrites};
use crate::surroundings::Source;

const NOTHING: Decision = Decision {
    group: 0,
    broken: Broken::none(),
};

impl Model {
    /// The decision about a link; nothing if the view has no such link.
    pub(crate) fn decide(&self, link: usize, view: &Cluster) -> Decision {
        if view.links[link] == 0 {
            return NOTHING;
        }
        self.decisions
            .get(self.question(link, view), |question| self.compute(question))
    }

    /// True if a child must be read before this decision may be executed.
    pub(crate) fn has_to_ask(&self, link: usize, view: &Cluster, unconfirmed: &UnconfirmedWrites) -> bool {
        if *unconfirmed == CONFIRMED {
            return false;
        }
        self.asks
            .get((self.question(link, view), *unconfirmed), |(question, unconfirmed)| {
                if unconfirmed.contains(&SEVERAL) {
                    return true;
                }
                let mut snapshot = self.snapshot(question);
                let step = Mutant::step(self.scope.mutant, &mut snapshot);
                let numbers = unconfirmed.iter().filter(|number| **number != 0);
                let children: Vec<DesiredChild> = numbers.map(|number| self.desired(*number)).collect();
                !unconfirmed_writes::to_ask(&snapshot, &step, &children).is_empty()
            })
    }

    fn desired(&self, number: ChildNumber) -> DesiredChild {
        self.children.at(u32::from(number)).observed.clone().into_desired()
    }

    fn question(&self, link: usize, view: &Cluster) -> Question {
        let other = 1 - link;
        let belongs_to = |number: ChildNumber, life: u8| {
            number != 0 && self.children.read(u32::from(number), |child| child.of & life != 0)
        };
        let own = self.links.read(view.links[link], |object| object.life_bit(link));
        let of_own = |number: ChildNumber| if belongs_to(number, own) { number } else { 0 };
        let (sibling, life) = match view.links[other] {
            0 => (0, 0),
            number => self
                .links
                .read(number, |object| (object.sibling, object.life_bit(other))),
        };
        Question {
            link: link as u8,
            object: view.links[link],
            sibling,
            // A policy does not keep an alias from other links.
            sibling_has_children: view.children[..POLICY].iter().any(|number| belongs_to(*number, life)),
            children: [
                view.children[DIRECTORY],
                view.children[ENVIRONMENT],
                of_own(view.children[SLICE + link]),
                of_own(view.children[POLICY + link]),
            ],
            around: view.around,
        }
    }

    fn compute(&self, question: &Question) -> Decision {
        let link = usize::from(question.link);
        let mut snapshot = self.snapshot(question);
        let children = snapshot.children.clone();
        let kept = !snapshot.kept_pods.is_empty();
        let before = snapshot.pods_of_former_source.then(|| snapshot.clone());
        match Mutant::step(self.scope.mutant, &mut snapshot) {
            Step::Settled { .. } => NOTHING,
            Step::Act(effects) => {
                let entry = self.links.at(question.object);
                self.coverage.decided(&effects);
                let broken = broken_by(
                    &children,
                    &entry,
                    entry.life_bit(link),
                    question.around.granted,
                    &effects,
                );
                let broken = broken.and(kept_pods::broken_by(&children, entry.state, kept, &effects));
                let broken = broken.and(before.map_or(Broken::none(), |before| {
                    let with_source = || self.effects_with_source(question);
                    delayed_hold::broken_by(&before, &effects, with_source)
                }));
                Decision {
                    group: self.group(Some(link), effects),
                    broken,
                }
            }
        }
    }

    /// The effects of the same question if the source existed.
    fn effects_with_source(&self, question: &Question) -> Vec<Effect> {
        let mut with_source = *question;
        with_source.around.source = Source::Exists {
            life: 0,
            terminating: false,
        };
        match step(&self.snapshot(&with_source)) {
            Step::Act(effects) => effects,
            Step::Settled { .. } => Vec::new(),
        }
    }

    /// The number of a group of writes.
    pub(crate) fn group(&self, link: Option<usize>, effects: Vec<Effect>) -> u32 {
        let text = format!("{link:?} {effects:?}");
        self.groups.number(text, || Group::of(link, effects))
    }
}
