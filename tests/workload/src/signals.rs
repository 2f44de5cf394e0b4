//! The kernel does not deliver a signal without a handler to PID 1, and the process of a container is PID 1: without
//! this handler, every pod would need its whole grace period to end.

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Ends the process immediately and successfully on a signal.
pub(crate) fn end_on_term() -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot install signal handlers")?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            std::process::exit(0);
        }
    });
    Ok(())
}
