//! Makes a history: clients annotate, watchers read, and two operators pass, each from a snapshot that may be old.

use instancelink_api::{Desired, State, Verb, keys};
use instancelink_core::effect::{Effect, Step};
use instancelink_core::fixture::{self, World};
use instancelink_core::lifecycle::step;
use instancelink_core::snapshot::Snapshot;

use super::{Answer, Event, History, Link, What};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// A client annotates.
    Annotate(Verb),
    /// A watcher begins to read; it hears after some more happened.
    Read,
    /// The watcher hears.
    Hear,
    /// An operator looks at the cluster.
    Observe(bool),
    /// An operator takes one step on what it saw last.
    Step(bool),
}

/// Records what is drawn, until the link rests.
pub fn history(draws: &[Draw]) -> History {
    let mut stage = Stage::new();
    for draw in draws {
        stage.play(*draw);
    }
    stage.end()
}

/// State, and `seq` and desired of `lastAction`.
type Reading = (State, u64, Option<Desired>);

struct Stage {
    /// What stands in the API server.
    truth: World,
    version: u64,
    /// What each operator saw, and of which version.
    seen: [(Snapshot, u64); 2],
    now: u64,
    events: Vec<Event>,
    /// The request that stands in the annotation, or was taken and not answered yet: its place among the events.
    pending: Option<usize>,
    taken: Option<usize>,
    /// A reading that was not heard of yet, and when it began.
    reading: Option<(u64, Reading)>,
    ids: u32,
}

impl Stage {
    fn new() -> Self {
        let truth = World::new(fixture::snapshot());
        let seen = [(truth.s.clone(), 0), (truth.s.clone(), 0)];
        Self {
            truth,
            version: 0,
            seen,
            now: 0,
            events: Vec::new(),
            pending: None,
            taken: None,
            reading: None,
            ids: 0,
        }
    }

    fn play(&mut self, draw: Draw) {
        self.now += 1;
        match draw {
            Draw::Annotate(verb) => self.annotate(verb),
            Draw::Read if self.reading.is_none() => self.reading = Some((self.now, self.shown())),
            Draw::Read | Draw::Hear => self.hear(),
            Draw::Observe(which) => self.seen[usize::from(which)] = (self.truth.s.clone(), self.version),
            Draw::Step(which) => self.step(usize::from(which)),
        }
    }

    fn annotate(&mut self, verb: Verb) {
        self.ids += 1;
        self.truth.annotate(&format!("{verb}/{}", self.ids));
        self.version += 1;
        self.pending = Some(self.events.len());
        self.events.push(Event {
            called: self.now,
            returned: u64::MAX,
            what: What::Request {
                verb: Some(verb),
                id: self.ids.to_string(),
                answer: Answer::None,
            },
        });
    }

    fn hear(&mut self) {
        if let Some((called, (state, seq, desired))) = self.reading.take() {
            self.events.push(Event {
                called,
                returned: self.now,
                what: What::Read(state, seq, desired),
            });
        }
    }

    fn shown(&self) -> Reading {
        let status = self.truth.status();
        let last = status.last_action.as_ref();
        (
            status.state,
            last.map_or(0, |a| a.intent.seq),
            last.and_then(|a| a.intent.desired),
        )
    }

    /// One step of an operator. Its writes carry the version that was seen: stale ones are refused, and it looks again.
    /// (Those of children carry their own; that they are refused too makes the operator slower and no less right.)
    fn step(&mut self, which: usize) {
        let (snapshot, version) = &self.seen[which];
        let Step::Act(effects) = step(snapshot) else { return };
        if *version != self.version {
            self.seen[which] = (self.truth.s.clone(), self.version);
            return;
        }
        let takes = effects
            .iter()
            .any(|effect| matches!(effect, Effect::AcceptAction { .. }));
        let writes_status = effects
            .iter()
            .any(|effect| matches!(effect, Effect::WriteStatus { .. }));
        self.truth.step().unwrap();
        self.version += 1;
        self.seen[which] = (self.truth.s.clone(), self.version);
        if takes {
            self.taken = self.pending.take();
        }
        if writes_status {
            self.events.push(Event {
                called: self.now,
                returned: self.now,
                what: What::Entered(self.truth.state()),
            });
            self.answer();
        }
    }

    /// What was taken is told by the status that was just written.
    fn answer(&mut self) {
        let Some(last) = &self.truth.status().last_action else {
            return;
        };
        let told = Answer::Told {
            seq: last.intent.seq,
            verdict: last.intent.verdict,
            rivalled: false,
        };
        let Some(n) = self.taken.take() else { return };
        // It was taken before that write, so it ends where the write begins.
        self.events[n].returned = self.now;
        if let What::Request { answer, .. } = &mut self.events[n].what {
            *answer = told;
        }
    }

    /// The operators work until nothing is due, and a last reading closes the history.
    fn end(mut self) -> History {
        for _ in 0..200 {
            self.play(Draw::Observe(false));
            self.play(Draw::Step(false));
        }
        assert!(
            self.truth.annotations().get(keys::ACTION).is_none(),
            "a request is never left"
        );
        self.hear();
        self.play(Draw::Read);
        self.play(Draw::Hear);
        let end = self.now + 1;
        for event in &mut self.events {
            event.returned = event.returned.min(end);
        }
        History {
            from: Link::default(),
            events: self.events,
        }
    }
}
