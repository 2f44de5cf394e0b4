//! A thread of its own for what must go on whatever the passes do: the lease, the probes and the metrics.
//!
//! The passes run on the threads of the main runtime. If they are all busy, nothing else there has its turn: a leader
//! would lose its lease, and the kubelet would restart it, for as long as the work is there.

mod pulse;

use std::thread::{Builder, JoinHandle};

use anyhow::Context;
use kube::Client;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use pulse::Pulse;

/// Where the lease is renewed and the probes are answered, and the clients that work there: a connection lives on the
/// runtime that opened it.
#[derive(Clone)]
pub struct Vitals {
    /// The runtime.
    pub runtime: Handle,
    /// A client for watches.
    pub watches: Client,
    /// A client for single requests.
    pub calls: Client,
}

/// The thread. It ends when this is dropped.
pub(crate) struct VitalThread {
    runtime: Handle,
    thread: Option<JoinHandle<()>>,
    stop: Option<DropGuard>,
}

impl VitalThread {
    /// Starts the thread, with a runtime of its own.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the runtime of the lease and the probes cannot be started")?;
        let handle = runtime.handle().clone();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let run = move || {
            runtime.block_on(stopped.cancelled());
            runtime.shutdown_background();
        };
        let thread = Builder::new().name("vitals".to_owned()).spawn(run);
        Ok(Self {
            runtime: handle,
            thread: Some(thread.context("the thread of the lease and the probes cannot be started")?),
            stop: Some(stop.drop_guard()),
        })
    }

    /// Its runtime.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

impl Drop for VitalThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
