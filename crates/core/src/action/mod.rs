//! Actions: what a user can ask for, what the operator answers, and what the link remembers.

mod fit;
mod judge;
mod memory;
mod request;
mod table;
mod take;

pub use judge::{ActionContext, Decision, judge};
pub(crate) use memory::name_of;
pub use memory::{Memory, is_own};
pub use request::{Request, parse};
pub use table::{Legality, available, cell};
pub use take::{expire, take};
