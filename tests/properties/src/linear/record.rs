//! Generates a history: clients annotate, watchers read, and two operators step, each from a snapshot that may be old.

use instancelink_api::{Desired, State, Verb, keys};
use instancelink_core::effect::{Effect, Step};
use instancelink_core::fixture::{self, World};
use instancelink_core::lifecycle::step;
use instancelink_core::snapshot::Snapshot;

use super::{Answer, Event, EventKind, History, Link};

/// One random event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A client annotates.
    Annotate(Verb),
    /// A watcher starts a read. Its result arrives later.
    StartRead,
    /// The result of the read arrives.
    FinishRead,
    /// An operator observes the cluster.
    Observe(bool),
    /// An operator takes one step from its last observation.
    Step(bool),
}

/// Runs the actions, then lets the link come to rest.
pub fn history(actions: &[Action]) -> History {
    let mut stage = Stage::new();
    for action in actions {
        stage.play(*action);
    }
    stage.end()
}

/// State, and `seq` and desired of `lastAction`.
type Reading = (State, u64, Option<Desired>);

struct Stage {
    /// The objects in the API server.
    truth: World,
    version: u64,
    /// The last observation of each operator, and its version.
    seen: [(Snapshot, u64); 2],
    now: u64,
    events: Vec<Event>,
    /// The index of the request in the annotation.
    pending: Option<usize>,
    /// The index of the request that was taken and is not answered.
    taken: Option<usize>,
    /// A read whose result has not arrived, with its start.
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

    fn play(&mut self, action: Action) {
        self.now += 1;
        match action {
            Action::Annotate(verb) => self.annotate(verb),
            Action::StartRead if self.reading.is_none() => self.reading = Some((self.now, self.shown())),
            Action::StartRead | Action::FinishRead => self.finish_read(),
            Action::Observe(which) => self.seen[usize::from(which)] = (self.truth.s.clone(), self.version),
            Action::Step(which) => self.step(usize::from(which)),
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
            kind: EventKind::Request {
                verb: Some(verb),
                id: self.ids.to_string(),
                answer: Answer::None,
            },
        });
    }

    fn finish_read(&mut self) {
        if let Some((called, (state, seq, desired))) = self.reading.take() {
            self.events.push(Event {
                called,
                returned: self.now,
                kind: EventKind::Read(state, seq, desired),
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

    /// One step of an operator. Its writes carry the observed version: a stale write is refused, and the operator
    /// observes again. (Writes of children carry their own versions; refusing them too only makes the operator slower.)
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
                kind: EventKind::Entered(self.truth.state()),
            });
            self.answer();
        }
    }

    /// The status that was just written answers the request that was taken.
    fn answer(&mut self) {
        let Some(last) = &self.truth.status().last_action else {
            return;
        };
        let shown = Answer::Shown {
            seq: last.intent.seq,
            verdict: last.intent.verdict,
            rivalled: false,
        };
        let Some(n) = self.taken.take() else { return };
        // It was taken before that write, so it returns at the write.
        self.events[n].returned = self.now;
        if let EventKind::Request { answer, .. } = &mut self.events[n].kind {
            *answer = shown;
        }
    }

    /// An operator works until nothing is due; a last read ends the history.
    fn end(mut self) -> History {
        for _ in 0..200 {
            self.play(Action::Observe(false));
            self.play(Action::Step(false));
        }
        assert!(
            self.truth.annotations().get(keys::ACTION).is_none(),
            "every request is taken"
        );
        self.finish_read();
        self.play(Action::StartRead);
        self.play(Action::FinishRead);
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
