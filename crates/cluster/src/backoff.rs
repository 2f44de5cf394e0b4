//! How long to wait after a failure. The jitter is computed from the key: it spreads many objects, and it is the same in
//! every run of a test.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// The longest pause after a temporary failure.
pub const LONGEST: Duration = Duration::from_secs(4);
const FIRST: Duration = Duration::from_millis(500);

/// After the `times`-th failure in a row: 0.5 s, doubled with each failure up to `longest`.
pub fn up_to<K: Hash>(longest: Duration, key: &K, times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times.saturating_sub(1)).unwrap_or(u32::MAX);
    spread(key, times, FIRST.saturating_mul(factor).min(longest))
}

/// Between 80 % and 100 % of the delay.
pub fn spread<K: Hash>(key: &K, times: u32, delay: Duration) -> Duration {
    delay.mul_f64(f64::from(100 - up_to_percent(20, key, times)) / 100.0)
}

/// Between nothing and the whole delay.
pub fn anywhere<K: Hash>(key: &K, times: u32, delay: Duration) -> Duration {
    delay.mul_f64(f64::from(up_to_percent(100, key, times)) / 100.0)
}

fn up_to_percent<K: Hash>(most: u32, key: &K, times: u32) -> u32 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    times.hash(&mut hasher);
    u32::try_from(hasher.finish() % (u64::from(most) + 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        for (times, millis) in [(1, 500), (2, 1000), (3, 2000), (4, 4000), (5, 4000), (4_000_000, 4000)] {
            let (delay, expected) = (up_to(LONGEST, &"a", times), Duration::from_millis(millis));
            assert!(
                delay <= expected && delay >= expected.mul_f64(0.79),
                "{delay:?} for {expected:?}"
            );
        }
    }
}
