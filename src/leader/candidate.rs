//! The election on the runtime of the vitals: the lease is renewed there, however busy the threads of the passes are.

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::election::Election;
use super::leadership::Leadership;

/// A contender that does not lead.
pub(crate) struct Candidate {
    election: Box<Election>,
    runtime: Handle,
}

/// The time for which this process leads. If it is dropped, the lease is neither renewed nor released.
pub(crate) struct Term {
    leadership: Leadership,
    caches_are_current: bool,
    election: Box<Election>,
    runtime: Handle,
}

impl Candidate {
    /// A contender whose requests run on this runtime.
    pub(crate) fn new(election: Election, runtime: Handle) -> Self {
        let election = Box::new(election);
        Self { election, runtime }
    }

    /// Reads the lease before the first lists begin.
    ///
    /// # Errors
    /// If the runtime ended.
    pub(crate) async fn read_initial(self) -> anyhow::Result<Self> {
        let Self { mut election, runtime } = self;
        let election = on(&runtime, async move {
            election.read_initial().await;
            election
        });
        Ok(Self {
            election: election.await?,
            runtime,
        })
    }

    /// Waits until this process leads. None if `stop` comes first; then this process does not hold the lease.
    ///
    /// # Errors
    /// If the runtime ended.
    pub(crate) async fn acquire(self, stop: &CancellationToken) -> anyhow::Result<Option<Term>> {
        let Self { mut election, runtime } = self;
        let stop = stop.clone();
        let acquired = on(
            &runtime,
            async move { election.acquire(&stop).await.then_some(election) },
        );
        Ok(acquired.await?.map(|election| Term {
            leadership: election.leadership(),
            caches_are_current: election.caches_are_current(),
            election,
            runtime,
        }))
    }
}

impl Term {
    /// The answer to "may this process write?", for the rest of the operator.
    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// True if the lists of this process contain everything that earlier leaders wrote.
    pub(crate) const fn caches_are_current(&self) -> bool {
        self.caches_are_current
    }

    /// Renews the lease until `done`, and releases it then. False as soon as the leadership is lost.
    ///
    /// # Errors
    /// If the runtime ended.
    pub(crate) async fn keep(self, done: CancellationToken) -> anyhow::Result<bool> {
        let Self {
            mut election, runtime, ..
        } = self;
        on(&runtime, async move {
            let kept = election.renew_until(&done).await;
            if kept {
                election.release().await;
            }
            kept
        })
        .await
    }
}

/// Runs a task on this runtime. The task ends when the future is dropped.
async fn on<T: Send + 'static>(runtime: &Handle, task: impl Future<Output = T> + Send + 'static) -> anyhow::Result<T> {
    let mut tasks = JoinSet::new();
    tasks.spawn_on(task, runtime);
    let ended = tasks
        .join_next()
        .await
        .context("the task of the lease did not start; this is a bug")?;
    ended.context("the task of the lease ended; this is a bug")
}

#[cfg(test)]
mod tests;
