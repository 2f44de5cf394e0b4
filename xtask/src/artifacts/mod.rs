//! Binaries: the cluster's and our own Go programs, built from Go modules, and our own Rust programs, linked statically
//! for images. `image` packs them; `cluster`, `dev` and `verify` run them.

pub(crate) mod cluster_binaries;
pub(crate) mod earlier_operator;
mod go_build;
pub(crate) mod go_programs;
mod kept_binaries;
mod kopf;
mod memory;
pub(crate) mod peers;
pub(crate) mod policy_engine;
pub(crate) mod side_by_side;
pub(crate) mod static_binaries;
