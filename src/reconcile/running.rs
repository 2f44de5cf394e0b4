//! The passes that run, and what each of them does: for a line in the log about a slow pass, and about one that does not end.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::LinkKey;
use instancelink_core::child::Kind;
use instancelink_core::effect::Effect;
use parking_lot::Mutex;
use tokio::time::Instant;

/// A pass that takes longer is slow. Most take milliseconds.
const SLOW: Duration = Duration::from_secs(5);
/// A pass that runs longer is said to be stuck. Each request has a timeout, and the walk through the lifecycle has an end.
const STUCK: Duration = Duration::from_mins(1);
/// How often to look for stuck passes.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What a pass does at a time. Texts of users are not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    verb: &'static str,
    object: &'static str,
}

impl Work {
    /// Reading the caches.
    pub(super) const OBSERVING: Self = Self::new("read", "the caches");
    /// Computing the next writes.
    pub(super) const DECIDING: Self = Self::new("decide", "the next writes");

    const fn new(verb: &'static str, object: &'static str) -> Self {
        Self { verb, object }
    }

    /// Asking the API server for a child.
    pub(super) const fn reading(kind: Kind) -> Self {
        Self::new("get", kind.as_str())
    }

    /// The request of an effect; none where it is no request.
    pub(super) fn of(effect: &Effect) -> Option<Self> {
        Some(match effect {
            Effect::AcceptAction { .. } | Effect::WriteIntent { .. } | Effect::AddFinalizer | Effect::DropFinalizer => {
                Self::new("patch", "InstanceLink")
            }
            Effect::WriteStatus { .. } => Self::new("patch", "the status of the InstanceLink"),
            Effect::DeleteLink => Self::new("delete", "InstanceLink"),
            Effect::Create { child } => Self::new("create", child.key().kind.as_str()),
            Effect::Replace { child, .. } => Self::new("update", child.key().kind.as_str()),
            Effect::Delete { key, .. } => Self::new("delete", key.kind.as_str()),
            Effect::Publish(_) => return None,
        })
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.object)
    }
}

/// The passes that run.
#[derive(Debug, Default)]
pub(crate) struct RunningPasses(Mutex<HashMap<LinkKey, Arc<Mutex<Progress>>>>);

#[derive(Debug)]
struct Progress {
    started: Instant,
    now: Work,
    since: Instant,
    longest: (Work, Duration),
    said_to_be_stuck: bool,
}

/// A pass that runs. It ends when this is dropped, also by a panic.
#[derive(Debug)]
pub(super) struct RunningPass<'a> {
    passes: &'a RunningPasses,
    key: &'a LinkKey,
    progress: Arc<Mutex<Progress>>,
}

/// Where a slow or stuck pass spent its time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) link: LinkKey,
    /// Since its start.
    pub(super) took: Duration,
    /// What it does now, or what took longest.
    pub(super) work: Work,
    /// How long that takes, or took.
    pub(super) of_it: Duration,
}

impl RunningPasses {
    /// A pass starts.
    pub(super) fn begin<'a>(&'a self, key: &'a LinkKey) -> RunningPass<'a> {
        let now = Instant::now();
        let progress = Arc::new(Mutex::new(Progress {
            started: now,
            now: Work::OBSERVING,
            since: now,
            longest: (Work::OBSERVING, Duration::ZERO),
            said_to_be_stuck: false,
        }));
        self.0.lock().insert(key.clone(), Arc::clone(&progress));
        RunningPass {
            passes: self,
            key,
            progress,
        }
    }

    /// The passes that are stuck and were not in this answer before.
    pub(super) fn newly_stuck(&self) -> Vec<Report> {
        let passes = self.0.lock();
        let stuck = passes.iter().filter_map(|(key, progress)| {
            let mut progress = progress.lock();
            let took = progress.started.elapsed();
            if took < STUCK || std::mem::replace(&mut progress.said_to_be_stuck, true) {
                return None;
            }
            Some(Report {
                link: key.clone(),
                took,
                work: progress.now,
                of_it: progress.since.elapsed(),
            })
        });
        stuck.collect()
    }
}

impl RunningPass<'_> {
    /// The pass begins this work; the one before it ended.
    pub(super) fn begins(&self, work: Work) {
        let mut progress = self.progress.lock();
        progress.end_work();
        progress.now = work;
    }

    /// What took most of the time of a group of requests.
    pub(super) fn was_mostly(&self, work: Work) {
        self.progress.lock().now = work;
    }

    /// Where the time went, if the pass was slow.
    pub(super) fn slow(&self) -> Option<Report> {
        let mut progress = self.progress.lock();
        progress.end_work();
        let took = progress.started.elapsed();
        let (work, of_it) = progress.longest;
        (took >= SLOW).then(|| Report {
            link: self.key.clone(),
            took,
            work,
            of_it,
        })
    }
}

impl Drop for RunningPass<'_> {
    fn drop(&mut self) {
        self.passes.0.lock().remove(self.key);
    }
}

impl Progress {
    fn end_work(&mut self) {
        let now = Instant::now();
        let took = now.saturating_duration_since(self.since);
        if took > self.longest.1 {
            self.longest = (self.now, took);
        }
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    fn key() -> LinkKey {
        LinkKey::new("shop", "web-db")
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_pass_reports_what_took_longest() {
        let (passes, key) = (RunningPasses::default(), key());
        let pass = passes.begin(&key);
        pass.begins(Work::DECIDING);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(pass.slow(), None);
        pass.begins(Work::new("update", "ConfigMap"));
        sleep(Duration::from_secs(6)).await;
        pass.was_mostly(Work::new("update", "EndpointSlice"));
        pass.begins(Work::OBSERVING);
        let report = pass.slow().unwrap();
        assert_eq!(report.work.to_string(), "update EndpointSlice");
        assert_eq!((report.took.as_secs(), report.of_it.as_secs()), (7, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stuck_pass_is_reported_once_while_it_runs() {
        let (passes, key) = (RunningPasses::default(), key());
        let pass = passes.begin(&key);
        pass.begins(Work::reading(Kind::Binding));
        sleep(Duration::from_secs(59)).await;
        assert_eq!(passes.newly_stuck(), []);
        sleep(Duration::from_secs(1)).await;
        let [report] = &passes.newly_stuck()[..] else {
            panic!("one pass is stuck")
        };
        assert_eq!((&report.link, report.work.to_string()), (&key, "get Secret".to_owned()));
        sleep(Duration::from_hours(1)).await;
        assert_eq!(passes.newly_stuck(), []);
        drop(pass);
        assert!(passes.0.lock().is_empty());
    }
}
