//! The links of each source, and which of them compete.
//!
//! Most sources have a few links, and a search among all of them is cheap. A source with many links gets a second
//! lookup by alias, so that the cost of a link does not grow with the number of its siblings.

use std::collections::{BTreeSet, HashMap};

use super::source_kind::SourceKind;
use crate::name::{LinkKey, SourceKey};
use crate::store::groups::Groups;

/// With more links than this, a source has a lookup by alias.
const MANY: usize = 32;

/// What the links of one source compete for: the alias, and also the directory if their sources have the same name but
/// different kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim<'a> {
    pub(crate) alias: &'a str,
    pub(crate) kind: &'a SourceKind,
}

/// Links by their source.
#[derive(Debug, Default)]
pub struct Sources {
    links: Groups<SourceKey>,
    large: HashMap<SourceKey, Aliases>,
}

/// The links of a source with many links.
#[derive(Debug, Default)]
struct Aliases {
    by_alias: BTreeSet<(Box<str>, LinkKey)>,
    /// The number of links for each kind of source. There is nearly always only one kind.
    kinds: Vec<(SourceKind, usize)>,
}

impl Aliases {
    fn add(&mut self, link: &LinkKey, claim: &Claim<'_>) {
        if !self.by_alias.insert((claim.alias.into(), link.clone())) {
            return;
        }
        match self.kinds.iter_mut().find(|(kind, _)| kind == claim.kind) {
            Some((_, links)) => *links += 1,
            None => self.kinds.push((claim.kind.clone(), 1)),
        }
    }

    fn remove(&mut self, link: &LinkKey, claim: &Claim<'_>) {
        if self.by_alias.remove(&(claim.alias.into(), link.clone())) {
            self.kinds
                .iter_mut()
                .filter(|(kind, _)| kind == claim.kind)
                .for_each(|(_, links)| *links -= 1);
            self.kinds.retain(|(_, links)| *links > 0);
        }
    }
}

impl Sources {
    /// Moves a link from its old source and claim to the new ones. `claim_of` gives the claims of other links.
    pub(crate) fn update<'a>(
        &mut self,
        link: &LinkKey,
        old: Option<(&SourceKey, Claim<'_>)>,
        new: Option<(&SourceKey, Claim<'_>)>,
        claim_of: impl Fn(&LinkKey) -> Option<Claim<'a>>,
    ) {
        // Nearly every change of a link is one of its status.
        if old.is_some() && old == new {
            return;
        }
        let key =
            |side: &Option<(&SourceKey, Claim<'_>)>| side.iter().map(|(key, _)| (*key).clone()).collect::<Vec<_>>();
        self.links.update(link, &key(&old), &key(&new));
        if let Some((source, claim)) = &old
            && let Some(aliases) = self.large.get_mut(*source)
        {
            aliases.remove(link, claim);
            if self.links.count(*source) <= MANY {
                self.large.remove(*source);
            }
        }
        let Some((source, claim)) = &new else { return };
        if let Some(aliases) = self.large.get_mut(*source) {
            aliases.add(link, claim);
        } else if self.links.count(*source) > MANY {
            let mut aliases = Aliases::default();
            for other in self.links.get(*source) {
                let of_other = if other == link { Some(*claim) } else { claim_of(other) };
                if let Some(claim) = &of_other {
                    aliases.add(other, claim);
                }
            }
            self.large.insert((*source).clone(), aliases);
        }
    }

    /// The links of a source, in the order of their names.
    pub fn get<'a>(&'a self, source: &SourceKey) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        self.links.get(source)
    }

    /// True if the link has this source.
    pub(crate) fn has(&self, source: &SourceKey, link: &LinkKey) -> bool {
        self.links.has(source, link)
    }

    /// The sources in order, starting at this one, with their links.
    pub fn from(&self, source: SourceKey) -> impl Iterator<Item = (&SourceKey, impl Iterator<Item = &LinkKey>)> {
        self.links.from(source)
    }

    /// All links of a source that have this alias or a source of another kind. The answer may contain other links too.
    pub(crate) fn may_compete<'a>(
        &'a self,
        source: &SourceKey,
        claim: &Claim<'_>,
    ) -> Box<dyn Iterator<Item = &'a LinkKey> + 'a> {
        match self.large.get(source) {
            Some(aliases) if aliases.kinds.iter().all(|(kind, _)| kind == claim.kind) => {
                let alias: Box<str> = claim.alias.into();
                let first = (alias.clone(), LinkKey::new("", ""));
                let with_alias = aliases.by_alias.range(first..);
                Box::new(
                    with_alias
                        .take_while(move |(other, _)| *other == alias)
                        .map(|(_, link)| link),
                )
            }
            _ => Box::new(self.links.get(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use instancelink_core::snapshot::WorkloadKind;

    use super::*;

    const KINDS: [SourceKind; 2] = [
        SourceKind::Workload(WorkloadKind::Deployment),
        SourceKind::Workload(WorkloadKind::StatefulSet),
    ];

    fn source() -> SourceKey {
        ("shop".into(), "web".to_owned())
    }

    fn rivals(sources: &Sources, claims: &BTreeMap<LinkKey, (String, usize)>, link: &LinkKey) -> BTreeSet<LinkKey> {
        let (alias, kind) = &claims[link];
        let may = sources.may_compete(&source(), &view(&claims[link]));
        may.filter(|other| claims[*other].0 == *alias || claims[*other].1 != *kind)
            .cloned()
            .collect()
    }

    fn view((alias, kind): &(String, usize)) -> Claim<'_> {
        Claim {
            alias,
            kind: &KINDS[*kind],
        }
    }

    #[test]
    fn the_lookup_by_alias_finds_what_a_search_among_all_links_finds() {
        let mut sources = Sources::default();
        let mut claims: BTreeMap<LinkKey, (String, usize)> = BTreeMap::new();
        // Up to twice as many links as a lookup by alias needs, one of another kind for a while, and down again.
        for step in 0..4 * MANY {
            let name = LinkKey::new("shop", &format!("link-{}", step % (2 * MANY)));
            let before = claims.get(&name).cloned();
            let after = (step < 2 * MANY).then(|| (format!("alias-{}", step % 7), usize::from(step == MANY + 3)));
            let key = source();
            sources.update(
                &name,
                before.as_ref().map(|claim| (&key, view(claim))),
                after.as_ref().map(|claim| (&key, view(claim))),
                |other| claims.get(other).map(view),
            );
            match after {
                Some(after) => claims.insert(name, after),
                None => claims.remove(&name),
            };
            for (link, (alias, kind)) in &claims {
                let all = claims.iter().filter(|(_, other)| other.0 == *alias || other.1 != *kind);
                let expected: BTreeSet<LinkKey> = all.map(|(other, _)| other.clone()).collect();
                assert_eq!(rivals(&sources, &claims, link), expected, "step {step}, {link}");
            }
        }
        assert!(sources.large.is_empty());
    }
}
