//! Digests of the files in the working tree that a build or a test depends on.
//!
//! A caller declares its [`Needs`]. [`Workspace`] finds the packages, external crates, files and settings that they stand for.
//! `verify::proofs` compares digests to know whether a test that passed must run again; `artifacts` to know whether a binary
//! must be built again.

mod files;
mod lockfile;
mod members;
mod needs;
mod workspace;

pub(crate) use files::Files;
pub(crate) use members::{Dependency, Member, Members};
pub(crate) use needs::{ASSETS, Needs};
pub(crate) use workspace::{Inputs, Workspace};
