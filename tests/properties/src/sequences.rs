//! Runs many random cases from one seed on every core. A failing case is shrunk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// How many cases to run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Number of cases, on all cores together.
    pub cases: u32,
    /// No case starts after this time.
    pub time: Duration,
}

/// The result.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Number of cases that ran.
    pub cases: u64,
    /// The message of each failed case, after shrinking.
    pub violations: Vec<String>,
}

/// Checks cases of a strategy.
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
