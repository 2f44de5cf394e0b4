//! From "something about this link changed" to "nothing is due": the loop over one link, and the requests that it sends.
//!
//! ```text
//! driver ─► pass: observe ─► decide ─► ask ─► execute ─► fold ─► decide …
//! ```

mod alterations;
mod batches;
mod driver;
mod executor;
mod link_patch;
mod link_writes;
mod memory;
mod outcome;
mod pass;
mod record;
mod refuse;
mod refused_link;
mod refused_writes;
mod running;
mod unconfirmed_writes;

pub(crate) use batches::Batches;
pub(crate) use driver::Driver;
pub(crate) use executor::Executor;
pub(crate) use link_writes::RecentLinkWrites;
pub(crate) use memory::RecentWrites;
pub(crate) use pass::{PassContext, source_of};
pub(crate) use refused_link::RefusedLinks;
pub(crate) use refused_writes::RefusedWrites;
pub(crate) use running::RunningPasses;
