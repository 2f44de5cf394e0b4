//! Replays the saved inputs of the fuzzers in every ordinary run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value is a failed test"
)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use instancelink_properties::fuzz::TARGETS;

/// Much more than any input needs, even without optimisation on a busy machine. Quadratic time exceeds it.
const LONGEST: Duration = Duration::from_secs(20);

#[test]
fn every_saved_input_passes() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fuzz/corpus")
            .join(name);
        let inputs: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            let data = fs::read(&input).unwrap();
            let outcome = std::panic::catch_unwind(|| target(&data));
            assert!(outcome.is_ok(), "{name} fails on {}", input.display());
        }
    }
}

#[test]
fn a_long_input_takes_linear_time() {
    for (name, target) in TARGETS {
        for byte in [b'a', b'/', b'{', b'[', b'"', 0x0f, 0x01, b'\n', 0xff] {
            let data = vec![byte; 1 << 17];
            let started = Instant::now();
            target(&data);
            assert!(
                started.elapsed() < LONGEST,
                "{name}: 128 KiB of {byte:#x} took {:?}",
                started.elapsed()
            );
        }
    }
}
