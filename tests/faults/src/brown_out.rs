//! A brown-out: the API server answers slowly and refuses many requests.

use std::time::Duration;

use instancelink_testkit::dice::Dice;

use crate::Fault;

/// Each request is delayed, and a part of them is refused: half of those with 429, half with 500.
#[derive(Clone, Debug)]
pub struct BrownOut {
    late: Duration,
    refused: u32,
    dice: Dice,
}

impl BrownOut {
    /// A brown-out that refuses this percentage of requests. The seed determines which.
    pub fn new(late: Duration, refused: u32, seed: u64) -> Self {
        Self {
            late,
            refused,
            dice: Dice(seed),
        }
    }

    /// The delay of the next request, and the status that it is refused with, if it is refused.
    pub(crate) fn next(&mut self) -> (Duration, Option<Fault>) {
        let drawn = self.dice.roll(100);
        let fault = if drawn < self.refused / 2 {
            Some(Fault::TooMany)
        } else if drawn < self.refused {
            Some(Fault::Failure)
        } else {
            None
        };
        (self.late, fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_is_refused_is_too_many_and_the_same_seed_refuses_the_same() {
        let all = |seed| {
            let mut brown_out = BrownOut::new(Duration::ZERO, 30, seed);
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
