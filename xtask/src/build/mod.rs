//! Binaries: the cluster's, built from Go modules, and ours, built as static files for images.

pub(crate) mod cluster;
pub(crate) mod ours;
pub(crate) mod resolver;
