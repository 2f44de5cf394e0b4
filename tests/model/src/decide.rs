//! What an operator decides: the real `step`, asked once for each question there is.

use instancelink_core::child::DesiredChild;
use instancelink_core::effect::{Effect, Step};
use instancelink_core::unconfirmed_writes;

use crate::model::Model;
use crate::mutant::Mutant;
use crate::outcome::{Group, judge};
use crate::promise::Broken;
use crate::slots::{DIRECTORY, ENVIRONMENT, POLICY, SLICE};
use crate::state::{CERTAIN, ChildNumber, Cluster, LinkNumber, SEVERAL, UnconfirmedWrites};
use crate::surroundings::Surroundings;

/// What `step` says of a link in a view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision {
    /// The writes that are due; 0: none.
    pub(crate) group: u32,
    pub(crate) broken: Broken,
}

/// What an answer of `step` depends on: of what a view shows, only what concerns the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) link: u8,
    pub(crate) object: LinkNumber,
    /// Number of the other link as one that contends for an alias, a directory, an environment.
    pub(crate) sibling: u32,
    pub(crate) sibling_has_children: bool,
    /// The shared children, and those that bear this link's UID.
    pub(crate) children: [ChildNumber; 4],
    pub(crate) around: Surroundings,
}

const NOTHING: Decision = Decision {
    group: 0,
    broken: Broken::none(),
};

impl Model {
    /// What is due for a link; nothing where the view has no such link.
    pub(crate) fn decide(&self, link: usize, view: &Cluster) -> Decision {
        if view.links[link] == 0 {
            return NOTHING;
        }
        self.decisions
            .get(self.question(link, view), |question| self.work_out(question))
    }

    /// Something has to be asked before this decision may be acted on.
    pub(crate) fn has_to_ask(&self, link: usize, view: &Cluster, doubts: &UnconfirmedWrites) -> bool {
        if *doubts == CERTAIN {
            return false;
        }
        self.asks
            .get((self.question(link, view), *doubts), |(question, doubts)| {
                if doubts.contains(&SEVERAL) {
                    return true;
                }
                let mut snapshot = self.snapshot(question);
                let step = Mutant::step(self.scope.mutant, &mut snapshot);
                let doubtful = doubts.iter().filter(|number| **number != 0);
                let doubtful: Vec<DesiredChild> = doubtful.map(|number| self.draft(*number)).collect();
                !unconfirmed_writes::to_ask(&snapshot, &step, &doubtful).is_empty()
            })
    }

    fn draft(&self, number: ChildNumber) -> DesiredChild {
        self.children.at(u32::from(number)).standing.clone().into_desired()
    }

    fn question(&self, link: usize, view: &Cluster) -> Question {
        let other = 1 - link;
        let bears = |number: ChildNumber, life: u8| {
            number != 0 && self.children.read(u32::from(number), |child| child.of & life != 0)
        };
        let own = self.links.read(view.links[link], |object| object.life_bit(link));
        let of_own = |number: ChildNumber| if bears(number, own) { number } else { 0 };
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
            // A policy is no reason to keep an alias from others.
            sibling_has_children: view.children[..POLICY].iter().any(|number| bears(*number, life)),
            children: [
                view.children[DIRECTORY],
                view.children[ENVIRONMENT],
                of_own(view.children[SLICE + link]),
                of_own(view.children[POLICY + link]),
            ],
            around: view.around,
        }
    }

    fn work_out(&self, question: &Question) -> Decision {
        let link = usize::from(question.link);
        let mut snapshot = self.snapshot(question);
        let children = snapshot.children.clone();
        match Mutant::step(self.scope.mutant, &mut snapshot) {
            Step::Settled { .. } => NOTHING,
            Step::Act(effects) => {
                let entry = self.links.at(question.object);
                self.coverage.decided(&effects);
                let broken = judge(
                    &children,
                    &entry,
                    entry.life_bit(link),
                    question.around.granted,
                    &effects,
                );
                Decision {
                    group: self.group(Some(link), effects),
                    broken,
                }
            }
        }
    }

    /// The number of a group of writes.
    pub(crate) fn group(&self, link: Option<usize>, effects: Vec<Effect>) -> u32 {
        let text = format!("{link:?} {effects:?}");
        self.groups.number(text, || Group::of(link, effects))
    }
}
