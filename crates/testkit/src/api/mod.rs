//! A double of the API server: the part of it that the operator uses, with the semantics of the real one, in memory.
//!
//! [`Api`] holds the objects; [`service::Connection`] serves them to a client over HTTP. Time is tokio's, so that in a
//! runtime with paused time hours pass in milliseconds. The conformance suite runs the same scenarios against the double
//! and against a real API server, and compares the answers field by field.

pub mod admission;
pub mod author;
pub mod built_in;
pub mod call;
pub mod collector;
pub mod custom;
pub mod defaults;
pub mod delete;
pub mod failure;
pub mod field_error;
pub mod field_managers;
pub mod list;
pub mod names;
pub mod object;
pub mod patch;
pub mod policies;
pub mod preconditions;
pub mod resource;
pub mod selector;
mod server;
pub mod service;
pub mod store;
pub mod watch;
pub mod write;

pub use server::{Api, merge, patch};
