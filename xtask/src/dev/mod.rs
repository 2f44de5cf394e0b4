//! What a developer does with a cluster: start it with the operator and the demo, and see what runs.

mod demo;
mod install;
pub(crate) mod status;
pub(crate) mod up;
