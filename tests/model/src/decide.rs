//! What an operator decides: the real `step`, asked once for each question there is.

use instancelink_core::effect::{Effect, Step};

use crate::model::Model;
use crate::mutant::Mutant;
use crate::outcome::{Group, judge};
use crate::promise::Broken;
use crate::state::Cluster;

/// What `step` says of a link in a view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision {
    /// The writes that are due; 0: none.
    pub(crate) group: u32,
    pub(crate) broken: Broken,
}

impl Model {
    /// What is due for a link; nothing where the view has no such link.
    pub(crate) fn decide(&self, link: usize, view: &Cluster) -> Decision {
        if view.links[link] == 0 {
            return Decision {
                group: 0,
                broken: Broken::default(),
            };
        }
        self.decisions.get((link as u8, *view), |(link, view)| {
            self.work_out(usize::from(*link), view)
        })
    }

    fn work_out(&self, link: usize, view: &Cluster) -> Decision {
        let mut snapshot = self.snapshot(link, view);
        let asked = snapshot.clone();
        match Mutant::step(self.scope.mutant, &mut snapshot) {
            Step::Settled { .. } => Decision {
                group: 0,
                broken: Broken::default(),
            },
            Step::Act(effects) => {
                let entry = self.links.at(view.links[link]);
                self.coverage.decided(&effects);
                let broken = judge(&asked, &entry, entry.life_bit(link), view.around.granted, &effects);
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
