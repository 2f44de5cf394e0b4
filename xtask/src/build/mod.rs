//! Binaries: the cluster's and our own Go programs, built from Go modules, and ours, built as static files for images.

pub(crate) mod cluster;
pub(crate) mod earlier;
pub(crate) mod go;
mod kopf;
pub(crate) mod ours;
pub(crate) mod peers;
