use std::time::Duration;

use super::super::election::tests::{Server, contender_of};
use super::*;
use crate::vitals::VitalThread;

const DEADLINE: Duration = Duration::from_secs(3);

/// Passes of other tenants keep every thread busy for longer than the lease lasts.
#[test]
fn the_lease_is_kept_while_every_thread_of_the_passes_is_busy() {
    let vitals = VitalThread::start().unwrap();
    let passes = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = Server::default();
    let election = {
        let _there = vitals.runtime().enter();
        contender_of(&server, DEADLINE)
    };
    passes.block_on(async {
        let candidate = Candidate::new(election, vitals.runtime().clone());
        let term = candidate.acquire(&CancellationToken::new()).await.unwrap().unwrap();
        let (leadership, done) = (term.leadership(), CancellationToken::new());
        let busy = tokio::spawn(async { std::thread::sleep(4 * DEADLINE) });
        let watcher = {
            let (leadership, done) = (leadership.clone(), done.clone());
            std::thread::spawn(move || {
                std::thread::sleep(3 * DEADLINE);
                done.cancel();
                leadership.holds()
            })
        };
        assert!(term.keep(done).await.unwrap(), "it was not lost");
        assert!(watcher.join().unwrap(), "it still led after three times the deadline");
        assert!(!leadership.holds(), "it was released");
        busy.await.unwrap();
    });
    assert_eq!(server.holder(), None);
}
