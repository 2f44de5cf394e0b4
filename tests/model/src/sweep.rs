//! Sweeps: the real question and sentence about a child whose link an operator does not know.

use instancelink_api::InstanceLink;
use instancelink_core::sweep::{KnownLinks, LiveAnswer, LiveCheck, live_check, verdict};

use crate::model::Model;
use crate::slots::{LINKS, life_bit};
use crate::state::{ChildNumber, Cluster};
use crate::user::created;

/// What a sweep looks at: a child, the links that the caches know, and those that there are, a bit each.
pub(crate) type Look = (ChildNumber, u8, u8);

impl Model {
    /// The write by which a sweep removes a child, or a dead link's part of it; 0: none.
    pub(crate) fn sweep(&self, slot: usize, view: &Cluster, truth: &Cluster) -> u32 {
        let child = view.children[slot];
        if child == 0 {
            return 0;
        }
        self.sweeps
            .get((child, self.lives_in(view), self.lives_in(truth)), |look| {
                self.verdict(*look)
            })
    }

    fn verdict(&self, (child, known, live): Look) -> u32 {
        let child = self.children.at(u32::from(child));
        let known = self.objects(known);
        let known: KnownLinks = known.iter().collect();
        let Some(question) = live_check(&child.standing, &known) else {
            return 0;
        };
        let live = self.objects(live);
        let effect = match &question {
            LiveCheck::Link { name, .. } => {
                let found = live.iter().find(|link| link.metadata.name.as_ref() == Some(name));
                assert!(LINKS.contains(&name.as_str()), "a link of the model");
                let uid = found.and_then(|link| link.metadata.uid.as_deref());
                verdict(&child.standing, LiveAnswer::Link(uid))
            }
            LiveCheck::Links { .. } => verdict(&child.standing, LiveAnswer::Links(&live)),
        };
        effect.map_or(0, |effect| self.group(None, vec![effect]))
    }

    /// The links of a cluster, as bits.
    fn lives_in(&self, cluster: &Cluster) -> u8 {
        let bit = |link: usize| match cluster.links[link] {
            0 => 0,
            number => self.links.read(number, |object| object.life_bit(link)),
        };
        bit(0) | bit(1)
    }

    /// Links of these lives.
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
