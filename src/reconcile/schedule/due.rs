//! Links that are due: namespaces take turns, so that a crowd in one of them holds up the others by a turn each; within
//! a namespace sources are first come, first served, and so are the links of a source, one at a time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use instancelink_cluster::{LinkKey, SourceKey};

/// How many links give way to others of their source before they get their turn again, and what they share is written; and
/// how many turns of one source follow each other while others wait.
const BATCH: usize = 32;

/// What stands in a namespace's line.
#[derive(Debug)]
enum InLine {
    /// A source, whose links have turns one after the other.
    Of(SourceKey),
    /// A link of which no source is known.
    Alone(LinkKey),
}

/// The links of a source that are due.
#[derive(Debug, Default)]
struct Crowd {
    fresh: VecDeque<LinkKey>,
    /// Links that had a turn and gave way to others.
    gave_way: VecDeque<LinkKey>,
    /// One had a turn since without joining them: the next turn is theirs, or they wait for as long as others come.
    owed: bool,
    /// Turns since its place was at the end of the line.
    turns: usize,
    /// One of them has its turn, or somebody holds the source.
    busy: bool,
}

impl Crowd {
    fn next(&mut self) -> Option<(LinkKey, bool)> {
        self.turns += 1;
        let theirs = self.owed || self.gave_way.len() >= BATCH;
        if (self.gave_way.is_empty() || !theirs)
            && let Some(key) = self.fresh.pop_front()
        {
            self.owed = !self.gave_way.is_empty();
            return Some((key, false));
        }
        self.owed = false;
        self.gave_way.pop_front().map(|key| (key, true))
    }

    fn len(&self) -> usize {
        self.fresh.len() + self.gave_way.len()
    }
}

/// A link taken out of the lines, and its source, which is busy from now on.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) key: LinkKey,
    pub(super) source: Option<SourceKey>,
    /// It had a turn before, and gave way.
    pub(super) gave_way: bool,
}

impl Next {
    const fn alone(key: LinkKey) -> Self {
        Self {
            key,
            source: None,
            gave_way: false,
        }
    }
}

/// A line of sources a namespace.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// Came since the last turn.
    came: VecDeque<LinkKey>,
    lines: HashMap<Arc<str>, VecDeque<InLine>>,
    /// The namespaces that have a line, each once, the next one first.
    turns: VecDeque<Arc<str>>,
    /// Every source that is busy or has a link that is due.
    crowds: HashMap<SourceKey, Crowd>,
}

impl Due {
    /// Behind all others of its source.
    pub(super) fn push(&mut self, key: LinkKey) {
        self.came.push_back(key);
    }

    /// Behind those that gave way before it. To be told while the link has its turn.
    pub(super) fn give_way(&mut self, source: &SourceKey, key: LinkKey) {
        let crowd = self.crowds.entry(source.clone()).or_default();
        crowd.gave_way.push_back(key);
        crowd.owed = false;
    }

    /// Whether a link of this source that has its turn may give way: there is somebody to give way to.
    pub(super) fn may_give_way(&self, source: &SourceKey) -> bool {
        let crowd = self.crowds.get(source);
        crowd.is_some_and(|crowd| !crowd.fresh.is_empty() && crowd.gave_way.len() < BATCH)
    }

    /// Whether links of this source gave way and wait for their turn.
    pub(super) fn any_gave_way(&self, source: &SourceKey) -> bool {
        self.crowds.get(source).is_some_and(|crowd| !crowd.gave_way.is_empty())
    }

    /// The first link of the first source that is not busy, of the namespace whose turn it is.
    pub(super) fn pop(&mut self, source_of: impl Fn(&LinkKey) -> Option<SourceKey>) -> Option<Next> {
        while let Some(key) = self.came.pop_front() {
            self.sort_in(key, &source_of);
        }
        while let Some(next) = self.next_in_line() {
            let source = match next {
                InLine::Alone(key) => return Some(Next::alone(key)),
                InLine::Of(source) => source,
            };
            // Held meanwhile: it lines up again when it is let go.
            let crowd = self.crowds.get_mut(&source).filter(|crowd| !crowd.busy);
            let Some((key, gave_way)) = crowd.and_then(Crowd::next) else {
                continue;
            };
            if source_of(&key).is_some_and(|now| now != source) {
                // Another link has come by this name, with another source.
                self.release(&source);
                self.sort_in(key, &source_of);
                continue;
            }
            self.hold(&source);
            return Some(Next {
                key,
                source: Some(source),
                gave_way,
            });
        }
        None
    }

    /// Keeps the links of a source out of turn, if none has it.
    pub(super) fn hold(&mut self, source: &SourceKey) -> bool {
        let crowd = self.crowds.entry(source.clone()).or_default();
        !std::mem::replace(&mut crowd.busy, true)
    }

    /// The links of a source may have turns again.
    pub(super) fn release(&mut self, source: &SourceKey) {
        let Some(crowd) = self.crowds.get_mut(source) else {
            return;
        };
        crowd.busy = false;
        if crowd.len() == 0 {
            self.crowds.remove(source);
        } else if crowd.turns < BATCH {
            // In front: they have waited longer than whatever came since, and what they share is written the sooner.
            self.line_up(InLine::Of(source.clone()), VecDeque::push_front);
        } else {
            // One whose links are due again and again would keep the others from their turns.
            crowd.turns = 0;
            self.line_up(InLine::Of(source.clone()), VecDeque::push_back);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        let alone = |who: &&InLine| matches!(who, InLine::Alone(_));
        let alone = self.lines.values().flatten().filter(alone).count();
        self.came.len() + alone + self.crowds.values().map(Crowd::len).sum::<usize>()
    }

    fn next_in_line(&mut self) -> Option<InLine> {
        let namespace = self.turns.pop_front()?;
        let line = self.lines.get_mut(&namespace)?;
        let first = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        first
    }

    fn sort_in(&mut self, key: LinkKey, source_of: impl Fn(&LinkKey) -> Option<SourceKey>) {
        let Some(source) = source_of(&key) else {
            self.line_up(InLine::Alone(key), VecDeque::push_back);
            return;
        };
        let crowd = self.crowds.entry(source.clone()).or_default();
        crowd.fresh.push_back(key);
        if !crowd.busy && crowd.len() == 1 {
            self.line_up(InLine::Of(source), VecDeque::push_back);
        }
    }

    fn line_up(&mut self, who: InLine, at_its_end: impl FnOnce(&mut VecDeque<InLine>, InLine)) {
        let namespace = match &who {
            InLine::Of((namespace, _)) => namespace,
            InLine::Alone(key) => &key.namespace,
        };
        let namespace = Arc::clone(namespace);
        if !self.lines.contains_key(&namespace) {
            self.turns.push_back(Arc::clone(&namespace));
        }
        at_its_end(self.lines.entry(namespace).or_default(), who);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.crowds.is_empty()
    }
}
