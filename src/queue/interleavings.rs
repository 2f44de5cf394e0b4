//! Every interleaving, up to a length, of the operations on the queue: links are added, the dispatcher runs, is late or is
//! cancelled, passes end in each way, a source is locked, and time passes.
//!
//! All shared state of the queue is behind one lock, so only the order of the operations can differ. A task runs again only if
//! its waker was called, so a lost wake-up leaves a link without its turn.

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
/// Operations of an interleaving, before the run is brought to its end.
const LENGTH: usize = 6;
/// The `Retry-After` of the API server.
const RETRY_AFTER: Duration = Duration::from_secs(7);
const TICK: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Add(usize),
    /// The dispatcher runs, if it was woken.
    Dispatch,
    /// The wait of the dispatcher is cancelled.
    Cancel,
    /// The oldest running pass ends.
    Finish(Ending),
    /// The task that locks the source `a` runs, if it was woken: it waits, or has the lock.
    Lock,
    Unlock,
    Tick,
}

const OPERATIONS: [Operation; 14] = [
    Operation::Add(0),
    Operation::Add(1),
    Operation::Add(2),
    Operation::Dispatch,
    Operation::Cancel,
    Operation::Finish(Ending::Settled(None)),
    Operation::Finish(Ending::Settled(Some(TICK))),
    Operation::Finish(Ending::Conflict),
    Operation::Finish(Ending::Failed(Some(RETRY_AFTER))),
    Operation::Finish(Ending::Yielded),
    Operation::Finish(Ending::Gone),
    Operation::Lock,
    Operation::Unlock,
    Operation::Tick,
];

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A task that the test polls: one that was not woken does not run.
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

/// The turns that a link must still have.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    /// It was added since its last turn.
    wanted: bool,
    /// Its timer: it has a turn at this time, not before and not much later.
    wake: Option<Instant>,
    not_before: Option<Instant>,
    running: bool,
}

impl Expected {
    fn is_due(&self, now: Instant) -> bool {
        let may_run = self.not_before.is_none_or(|when| when <= now);
        !self.running && may_run && (self.wanted || self.wake.is_some_and(|when| when <= now))
    }
}

struct Run {
    queue: Arc<Queue>,
    next: Task<Turn>,
    locker: Option<Task<()>>,
    is_locked: Arc<AtomicBool>,
    turns: Vec<Turn>,
    expected: [Expected; KEYS.len()],
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
        queue.open();
        queue.set_source_lookup(|key| Some(source(key)));
        Self {
            next: next(&queue),
            queue,
            locker: None,
            is_locked: Arc::default(),
            turns: Vec::new(),
            expected: [Expected::default(); KEYS.len()],
        }
    }

    /// Plays one operation. False if it has no effect, so that the interleaving equals a shorter one.
    async fn play(&mut self, operation: Operation) -> bool {
        match operation {
            Operation::Add(n) => {
                self.queue.add([(&LinkKey::new("shop", KEYS[n]), &Cause::Change)]);
                self.expected[n].wanted = true;
            }
            Operation::Dispatch => return self.dispatch(),
            Operation::Cancel => self.next = next(&self.queue),
            Operation::Finish(_) if self.turns.is_empty() => return false,
            Operation::Finish(ending) => self.finish(ending),
            Operation::Lock => return self.lock(),
            Operation::Unlock => {
                self.is_locked.store(false, Ordering::Relaxed);
                return self.locker.take().is_some();
            }
            Operation::Tick => tokio::time::advance(TICK).await,
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
        let is_locked = self.is_locked.load(Ordering::Relaxed) && source.1 == "a";
        assert!(!is_locked, "a pass over a locked source");
        assert!(self.turns.len() < LIMIT, "more passes than allowed");
        let expected = &mut self.expected[n];
        assert!(expected.is_due(Instant::now()), "a turn without a reason: {expected:?}");
        *expected = Expected {
            running: true,
            ..Expected::default()
        };
        self.turns.push(turn);
        true
    }

    fn finish(&mut self, ending: Ending) {
        let turn = self.turns.remove(0);
        self.queue.finish(&turn, ending);
        let expected = &mut self.expected[number(&turn.key)];
        expected.running = false;
        let now = Instant::now();
        match ending {
            // The backoff is shorter than a tick, and the model does not know its length.
            Ending::Conflict => expected.wake = Some(now),
            Ending::Failed(_) => {
                (expected.wake, expected.not_before) = (Some(now + RETRY_AFTER), Some(now + RETRY_AFTER));
            }
            Ending::Settled(wake) | Ending::Refused(wake) | Ending::RefusedUnseen(wake) => {
                expected.wake = wake.map(|w| now + w);
            }
            Ending::Yielded => expected.wanted = true,
            Ending::Gone => {}
        }
    }

    fn lock(&mut self) -> bool {
        let (queue, is_locked) = (Arc::clone(&self.queue), Arc::clone(&self.is_locked));
        let locker = self.locker.get_or_insert_with(|| {
            Task::new(async move {
                let _guard = queue.lock_source(("shop".into(), "a".to_owned())).await;
                is_locked.store(true, Ordering::Relaxed);
                std::future::pending::<()>().await;
            })
        });
        let was_woken = locker.woken.0.load(Ordering::Relaxed);
        locker.run();
        if self.is_locked.load(Ordering::Relaxed) && was_woken {
            let runs = self.turns.iter().any(|turn| turn.key.name.starts_with('a'));
            assert!(!runs, "a source is locked while a pass over it runs");
        }
        was_woken
    }

    /// Runs each task that was woken. Then no link waits that could have a turn.
    fn settle(&mut self) {
        while self.dispatch() {}
        let busy = |n: usize| {
            let of_source = |turn: &Turn| turn.key.name.chars().next() == KEYS[n].chars().next();
            self.turns.iter().any(of_source) || (self.is_locked.load(Ordering::Relaxed) && KEYS[n].starts_with('a'))
        };
        if self.turns.len() < LIMIT {
            for (n, expected) in self.expected.iter().enumerate() {
                let lost = expected.wanted && expected.is_due(Instant::now()) && !busy(n);
                assert!(!lost, "{} was added, and has no turn: {expected:?}", KEYS[n]);
            }
        }
    }

    /// Brings the run to its end: each link has the turns it must have, and the queue is empty again.
    async fn end(mut self) {
        self.settle();
        self.play(Operation::Unlock).await;
        for _ in 0..40 {
            self.settle();
            if !self.turns.is_empty() {
                self.finish(Ending::Settled(None));
            } else if self.expected.iter().any(|expected| expected.wake.is_some()) {
                tokio::time::advance(TICK).await;
            } else {
                break;
            }
        }
        assert!(
            self.expected
                .iter()
                .all(|expected| !expected.wanted && expected.wake.is_none()),
            "a link waits for ever: {:?}",
            self.expected
        );
        let left = format!("{:?}", self.queue.schedule.lock());
        let empty = format!("{:?}", Mutex::new(Schedule::default()).lock());
        assert_eq!(left, empty, "something is left in the queue");
    }
}

/// Plays an interleaving; none if its last operation had no effect.
async fn play(operations: &[Operation]) -> Option<Run> {
    let mut run = Run::new();
    let mut had_effect = true;
    for operation in operations {
        had_effect = run.play(*operation).await;
    }
    had_effect.then_some(run)
}

/// Prints the interleaving if its assertions fail.
struct PrintOnPanic<'a>(&'a [Operation]);

impl Drop for PrintOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("interleaving: {:?}", self.0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_every_interleaving_each_link_has_the_turns_it_must_have_and_no_others() {
    let mut played = 0_u32;
    let mut begun: Vec<Vec<Operation>> = vec![Vec::new()];
    while let Some(operations) = begun.pop() {
        let print = PrintOnPanic(&operations);
        let Some(run) = play(&operations).await else { continue };
        played += 1;
        run.end().await;
        drop(print);
        if operations.len() < LENGTH {
            begun.extend(
                OPERATIONS
                    .iter()
                    .map(|operation| [operations.as_slice(), &[*operation]].concat()),
            );
        }
    }
    assert!(played > 100_000, "{played} interleavings");
}
