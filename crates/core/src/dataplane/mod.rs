//! The data plane of a link: its desired children, and the writes that create or remove them. `lifecycle` decides when.
//!
//! ```text
//! build ──► Plan ──► bring_up ──► effects, until none is left; is_up says whether all of them are confirmed
//!                    problems ──► what prevents the plan, for conditions
//! take_down ──► Teardown::Act(effects), Draining, …, Done
//! teardown_now ──► the same without a drain
//! prune ──► while no plan can be built: removes endpoints that no longer answer
//! ```
//! Every function starts from the snapshot, so a crash between two groups of writes needs no recovery: the next call
//! continues.

mod binding;
mod conflict;
mod connection;
mod deletion;
mod diff;
mod directory;
mod dispute;
mod docker;
mod drain;
mod environment;
mod environment_size;
mod held;
mod infrastructure;
mod naming;
mod notes;
mod ownership;
mod plan;
mod policy;
mod policy_without_target;
mod prune;
mod removal;
mod slice_packing;
mod slices;
mod teardown;
mod virtual_ip;
mod writes;

pub use crate::resolve::Unservable;
pub use binding::{DesiredBinding, in_status, is_unseen};
pub use conflict::{outlasts_conflicts, own_uid};
pub use deletion::why_deleted;
pub use diff::{bring_up, is_up, problems};
pub use dispute::{is_altered, is_repeated, recall, record};
pub use environment::DesiredEnvironment;
pub use infrastructure::{MOST_LINKS, counts};
pub use notes::Note;
pub use plan::{Plan, build};
pub use prune::prune;
pub use slices::answers;
pub use teardown::{Teardown, TeardownNow, has_children, take_down, teardown_now};

pub(crate) use binding::unconfirmed;
pub(crate) use environment::without;
pub(crate) use held::{held_since, is_overdue, overdue_at};
pub(crate) use policy::{is_policy_permitted, is_written, selects_others};
pub(crate) use writes::{Body, child_of, delete, repair};

#[cfg(test)]
mod docs_table;
#[cfg(test)]
mod tests;
