//! For tests: how many labels, keys and values this thread has compared with selectors. It bounds the work of a decision
//! independently of the machine.

use std::cell::Cell;

thread_local! {
    static MADE: Cell<u64> = const { Cell::new(0) };
}

/// The comparisons so far.
pub fn made() -> u64 {
    MADE.get()
}

pub(super) fn count() {
    MADE.set(MADE.get() + 1);
}
