//! Every interleaving, up to a length, of what goes on around the queue: links are added, the dispatcher is late, is
//! cancelled or gets on, passes end in all ways, a source is held, and time goes by.
//!
//! Everything the queue shares is behind one lock, so the order of its operations is all that can differ; and a task runs
//! again only if its waker was called, so a wake-up that gets lost leaves a link without its turn.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::*;

/// Two links of one source, and one of another.
const KEYS: [&str; 3] = ["a1", "a2", "b1"];
/// Passes at once.
const LIMIT: usize = 2;
/// Operations of an interleaving, before everything is brought to its end.
const LENGTH: usize = 6;
/// How long the API server asks to be left alone.
const AWAY: Duration = Duration::from_secs(7);
const TICK: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Add(usize),
    /// The dispatcher goes on, if it was woken.
    Dispatch,
    /// Something else ended its wait.
    Cancel,
    /// The pass that has run longest ends.
    Finish(Ending),
    /// The holder of `a` goes on, if it was woken: it waits, or holds.
    Hold,
    LetGo,
    Tick,
}

const DEEDS: [Deed; 14] = [
    Deed::Add(0),
    Deed::Add(1),
    Deed::Add(2),
    Deed::Dispatch,
    Deed::Cancel,
    Deed::Finish(Ending::Settled(None)),
    Deed::Finish(Ending::Settled(Some(TICK))),
    Deed::Finish(Ending::Conflict),
    Deed::Finish(Ending::Failed(Some(AWAY))),
    Deed::Finish(Ending::GaveWay),
    Deed::Finish(Ending::Gone),
    Deed::Hold,
    Deed::LetGo,
    Deed::Tick,
];

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A task whose turns the test gives: one that was not woken does not run.
struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    woken: Arc<Woken>,
}

impl<T> Task<T> {
    fn new(future: impl Future<Output = T> + 'static) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self {
            future: Box::pin(future),
            woken,
        }
    }

    fn run(&mut self) -> Option<T> {
        if !self.woken.0.swap(false, Ordering::Relaxed) {
            return None;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }
}

/// What a link is owed.
#[derive(Clone, Copy, Debug, Default)]
struct Owed {
    /// It was added since its last turn.
    wanted: bool,
    /// It comes back by itself, not before and not much after.
    wake: Option<Instant>,
    not_before: Option<Instant>,
    running: bool,
}

impl Owed {
    fn is_due(&self, now: Instant) -> bool {
        let may_run = self.not_before.is_none_or(|when| when <= now);
        !self.running && may_run && (self.wanted || self.wake.is_some_and(|when| when <= now))
    }
}

struct Run {
    queue: Arc<Queue>,
    next: Task<Turn>,
    holder: Option<Task<()>>,
    held: Arc<AtomicBool>,
    turns: Vec<Turn>,
    owed: [Owed; KEYS.len()],
}

fn next(queue: &Arc<Queue>) -> Task<Turn> {
    let queue = Arc::clone(queue);
    Task::new(async move { queue.next().await })
}

fn source(key: &LinkKey) -> SourceKey {
    (Arc::clone(&key.namespace), key.name.chars().take(1).collect())
}

fn number(key: &LinkKey) -> usize {
    KEYS.iter().position(|name| **name == *key.name).unwrap()
}

impl Run {
    fn new() -> Self {
        let queue = Arc::new(Queue::new(LIMIT));
        queue.find_sources_with(|key| Some(source(key)));
        Self {
            next: next(&queue),
            queue,
            holder: None,
            held: Arc::default(),
            turns: Vec::new(),
            owed: [Owed::default(); KEYS.len()],
        }
    }

    /// Does it; false where there is nothing to do, and the interleaving is the same as a shorter one.
    async fn play(&mut self, deed: Deed) -> bool {
        match deed {
            Deed::Add(n) => {
                self.queue.add([(&LinkKey::new("shop", KEYS[n]), &Cause::Change)]);
                self.owed[n].wanted = true;
            }
            Deed::Dispatch => return self.dispatch(),
            Deed::Cancel => self.next = next(&self.queue),
            Deed::Finish(_) if self.turns.is_empty() => return false,
            Deed::Finish(ending) => self.finish(ending),
            Deed::Hold => return self.hold(),
            Deed::LetGo => {
                self.held.store(false, Ordering::Relaxed);
                return self.holder.take().is_some();
            }
            Deed::Tick => tokio::time::advance(TICK).await,
        }
        true
    }

    fn dispatch(&mut self) -> bool {
        if !self.next.woken.0.load(Ordering::Relaxed) {
            return false;
        }
        let Some(turn) = self.next.run() else { return true };
        self.next = next(&self.queue);
        let n = number(&turn.key);
        let source = source(&turn.key);
        assert!(
            self.turns.iter().all(|other| other.source.as_ref() != Some(&source)),
            "two passes over {source:?} at once"
        );
        let is_held = self.held.load(Ordering::Relaxed) && source.1 == "a";
        assert!(!is_held, "a pass over a held source");
        assert!(self.turns.len() < LIMIT, "more passes than allowed");
        let owed = &mut self.owed[n];
        assert!(owed.is_due(Instant::now()), "a turn that nobody asked for: {owed:?}");
        *owed = Owed {
            running: true,
            ..Owed::default()
        };
        self.turns.push(turn);
        true
    }

    fn finish(&mut self, ending: Ending) {
        let turn = self.turns.remove(0);
        self.queue.finish(&turn, ending);
        let owed = &mut self.owed[number(&turn.key)];
        owed.running = false;
        let now = Instant::now();
        match ending {
            // Its backoff is shorter than a tick, and whether it is over is not the model's to know.
            Ending::Conflict => owed.wake = Some(now),
            Ending::Failed(_) => (owed.wake, owed.not_before) = (Some(now + AWAY), Some(now + AWAY)),
            Ending::Settled(wake) | Ending::Repaired(wake) | Ending::Refused(wake) => owed.wake = wake.map(|w| now + w),
            Ending::GaveWay => owed.wanted = true,
            Ending::Gone => {}
        }
    }

    fn hold(&mut self) -> bool {
        let (queue, held) = (Arc::clone(&self.queue), Arc::clone(&self.held));
        let holder = self.holder.get_or_insert_with(|| {
            Task::new(async move {
                let _guard = queue.hold(("shop".into(), "a".to_owned())).await;
                held.store(true, Ordering::Relaxed);
                std::future::pending::<()>().await;
            })
        });
        let was_woken = holder.woken.0.load(Ordering::Relaxed);
        holder.run();
        if self.held.load(Ordering::Relaxed) && was_woken {
            let runs = self.turns.iter().any(|turn| turn.key.name.starts_with('a'));
            assert!(!runs, "a source is held while a pass over it runs");
        }
        was_woken
    }

    /// Whoever was woken runs; then nobody waits who could have a turn.
    fn settle(&mut self) {
        while self.dispatch() {}
        let busy = |n: usize| {
            let of_source = |turn: &Turn| turn.key.name.chars().next() == KEYS[n].chars().next();
            self.turns.iter().any(of_source) || (self.held.load(Ordering::Relaxed) && KEYS[n].starts_with('a'))
        };
        if self.turns.len() < LIMIT {
            for (n, owed) in self.owed.iter().enumerate() {
                let lost = owed.wanted && owed.is_due(Instant::now()) && !busy(n);
                assert!(!lost, "{} was added, and has no turn: {owed:?}", KEYS[n]);
            }
        }
    }

    /// Everything comes to its end: each link that is owed a turn has it, and the queue is as it was.
    async fn end(mut self) {
        self.settle();
        self.play(Deed::LetGo).await;
        for _ in 0..40 {
            self.settle();
            if !self.turns.is_empty() {
                self.finish(Ending::Settled(None));
            } else if self.owed.iter().any(|owed| owed.wake.is_some()) {
                tokio::time::advance(TICK).await;
            } else {
                break;
            }
        }
        assert!(
            self.owed.iter().all(|owed| !owed.wanted && owed.wake.is_none()),
            "somebody waits for ever: {:?}",
            self.owed
        );
        let left = format!("{:?}", self.queue.schedule.lock());
        let empty = format!("{:?}", Mutex::new(Schedule::default()).lock());
        assert_eq!(left, empty, "something is left in the queue");
    }
}

/// Plays an interleaving; none where its last deed had nothing to do.
async fn play(deeds: &[Deed]) -> Option<Run> {
    let mut run = Run::new();
    let mut did = true;
    for deed in deeds {
        did = run.play(*deed).await;
    }
    did.then_some(run)
}

/// Tells which interleaving it was when one fails.
struct Told<'a>(&'a [Deed]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("interleaving: {:?}", self.0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_every_interleaving_each_link_has_the_turns_it_is_owed_and_no_others() {
    let mut played = 0_u32;
    let mut begun: Vec<Vec<Deed>> = vec![Vec::new()];
    while let Some(deeds) = begun.pop() {
        let told = Told(&deeds);
        let Some(run) = play(&deeds).await else { continue };
        played += 1;
        run.end().await;
        drop(told);
        if deeds.len() < LENGTH {
            begun.extend(DEEDS.iter().map(|deed| [deeds.as_slice(), &[*deed]].concat()));
        }
    }
    assert!(played > 100_000, "{played} interleavings");
}
