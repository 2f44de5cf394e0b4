//! An API server that still answers, but slowly, and much of it with a refusal.

use std::time::Duration;

use crate::Fault;

/// Every request takes longer by a time, and a part of them is refused: half of those with 429, half with 500.
#[derive(Clone, Debug)]
pub struct BrownOut {
    late: Duration,
    refused: f64,
    state: u64,
}

impl BrownOut {
    /// One that refuses this part of all requests; which of them follows from the seed.
    pub fn new(late: Duration, refused: f64, seed: u64) -> Self {
        Self {
            late,
            refused,
            state: seed,
        }
    }

    /// What happens to the next request: how much later it is looked at, and how it is refused, if it is.
    pub(crate) fn next(&mut self) -> (Duration, Option<Fault>) {
        let drawn = self.draw();
        let fault = if drawn < self.refused / 2.0 {
            Some(Fault::TooMany)
        } else if drawn < self.refused {
            Some(Fault::Failure)
        } else {
            None
        };
        (self.late, fault)
    }

    /// The next number from 0 to 1 (splitmix64).
    #[allow(clippy::cast_precision_loss)] // 53 bits of it
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_is_refused_is_too_many_and_the_same_seed_refuses_the_same() {
        let all = |seed| {
            let mut brown_out = BrownOut::new(Duration::ZERO, 0.3, seed);
            (0..10_000).map(|_| brown_out.next().1).collect::<Vec<_>>()
        };
        let count = |fault| all(1).iter().filter(|found| **found == fault).count();
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
        for fault in [Fault::TooMany, Fault::Failure] {
            assert!((1400..1600).contains(&count(Some(fault))), "{}", count(Some(fault)));
        }
    }
}
