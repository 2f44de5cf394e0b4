//! Many sequences, drawn from one seed on every core; a failing one is shrunk to the shortest that fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// How much is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// From what.
    pub seed: u64,
    /// How many cases, on all cores together.
    pub cases: u32,
    /// No case begins after this long; what was run is reported.
    pub time: Duration,
}

/// What was run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Cases.
    pub cases: u64,
    /// Shrunk cases that broke a promise, each as its check tells it.
    pub violations: Vec<String>,
}

/// Checks cases of a strategy until the plan is done.
pub fn run<S, F>(plan: Plan, strategy: impl Fn() -> S + Sync, check: F) -> Run
where
    S: Strategy,
    F: Fn(&S::Value) -> Result<(), String> + Sync,
{
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let per_thread = plan.cases.div_ceil(u32::try_from(threads).unwrap_or(1));
    let started = Instant::now();
    let cases = AtomicU64::new(0);
    let violations = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let (strategy, check, cases) = (&strategy, &check, &cases);
                scope.spawn(move || {
                    let config = Config {
                        cases: per_thread,
                        failure_persistence: None,
                        max_shrink_iters: 20_000,
                        ..Config::default()
                    };
                    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes(plan.seed, thread));
                    let mut runner = TestRunner::new_with_rng(config, rng);
                    let outcome = runner.run(&strategy(), |case| {
                        if started.elapsed() > plan.time {
                            return Ok(());
                        }
                        cases.fetch_add(1, Ordering::Relaxed);
                        check(&case).map_err(TestCaseError::fail)
                    });
                    match outcome {
                        Ok(()) => None,
                        Err(TestError::Fail(reason, _)) => Some(reason.to_string()),
                        Err(TestError::Abort(reason)) => Some(format!("aborted: {reason}")),
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .filter_map(|worker| worker.join().unwrap())
            .collect()
    });
    Run {
        cases: cases.into_inner(),
        violations,
    }
}

fn seed_bytes(seed: u64, thread: usize) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(thread as u64).to_le_bytes());
    bytes
}
