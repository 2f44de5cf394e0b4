//! Sweeps: core's check and verdict on a child whose link an operator does not know.

use instancelink_api::InstanceLink;
use instancelink_core::sweep::{KnownLinks, LinkFacts, LiveAnswer, LiveCheck, live_check, verdict};

use crate::model::Model;
use crate::question::SweepQuestion;
use crate::slots::{LINKS, life_bit};
use crate::state::Cluster;
use crate::user::created;

impl Model {
    /// The group with which a sweep removes a child, or a dead link's entry in it; 0: none.
    pub(crate) fn sweep(&self, slot: usize, view: &Cluster, truth: &Cluster) -> u32 {
        let child = view.children[slot];
        if child == 0 {
            return 0;
        }
        self.sweeps
            .get((child, self.lives_in(view), self.lives_in(truth)), |question| {
                self.verdict(*question)
            })
    }

    fn verdict(&self, (child, known, live): SweepQuestion) -> u32 {
        let child = self.children.at(u32::from(child));
        let known = self.objects(known);
        let known: KnownLinks = known.iter().collect();
        let Some(check) = live_check(&child.observed, &known) else {
            return 0;
        };
        let live = self.objects(live);
        let effect = match &check {
            LiveCheck::Link { name, .. } => {
                let found = live.iter().find(|link| link.metadata.name.as_ref() == Some(name));
                assert!(LINKS.contains(&name.as_str()), "the link is one of the model's");
                verdict(&child.observed, LiveAnswer::Link(found.map(LinkFacts::from).as_ref()))
            }
            LiveCheck::Links { .. } => {
                let live: Vec<LinkFacts> = live.iter().map(LinkFacts::from).collect();
                verdict(&child.observed, LiveAnswer::Links(&live))
            }
        };
        effect.map_or(0, |effect| self.group(None, vec![effect]))
    }

    /// The lives of links in a cluster, as bits.
    fn lives_in(&self, cluster: &Cluster) -> u8 {
        let bit = |link: usize| match cluster.links[link] {
            0 => 0,
            number => self.links.read(number, |object| object.life_bit(link)),
        };
        bit(0) | bit(1)
    }

    /// The links of these lives.
    fn objects(&self, lives: u8) -> Vec<InstanceLink> {
        let all = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let living = all
            .into_iter()
            .filter(|(link, life)| lives & life_bit(*link, *life) != 0);
        living
            .map(|(link, life)| created(link, life, self.scope.specs[link]))
            .collect()
    }
}
