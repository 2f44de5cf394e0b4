//! A bound on the work of one decision. What users write decides how many labels are compared with selectors: pods times
//! policies. Beyond the bound, the decision says so instead of an answer, and the links of others have their turn.
//!
//! The bound counts lookups and not time, so the same snapshot always gets the same answer.

/// The most lookups in one question about pods and selectors: some 10 ms.
pub const MOST_LOOKUPS: usize = 100_000;
/// The most lookups for one event, of all that could be affected: one or two ms. All events wait meanwhile.
pub const MOST_OF_EVENT: usize = 20_000;

/// The bound is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooCostly;

/// What is left of the bound.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Budget {
    /// The whole of it.
    pub const fn whole() -> Self {
        Self { left: MOST_LOOKUPS }
    }

    /// What one event may take to find out what it concerns. Beyond it, everything that it may concern counts.
    pub const fn of_event() -> Self {
        Self { left: MOST_OF_EVENT }
    }

    /// For work that is bounded otherwise.
    pub(super) const fn unlimited() -> Self {
        Self { left: usize::MAX }
    }

    /// Takes a number of lookups from it.
    ///
    /// # Errors
    /// If less is left. Then nothing is left.
    pub fn spend(&mut self, lookups: usize) -> Result<(), TooCostly> {
        let left = self.left.checked_sub(lookups);
        self.left = left.unwrap_or_default();
        left.map(|_| ()).ok_or(TooCostly)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone() {
        let mut budget = Budget::whole();
        assert_eq!(budget.spend(MOST_LOOKUPS - 1), Ok(()));
        assert_eq!(budget.spend(2), Err(TooCostly));
        assert_eq!(budget.spend(1), Err(TooCostly));
    }
}
