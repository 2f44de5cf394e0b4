//! What the operator costs: in writes, in time, in memory, and in comparison.
//!
//! Each run has a control plane of its own, durable and without a node; pods are objects whose status the harness writes.
//! A run has one contestant: the operator, a raw writer that sends the same requests and decides nothing, or a peer.
//! Requests are counted by the API server, in its audit log, and never by who sends them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a measurement that fails is none
#![allow(clippy::missing_panics_doc, clippy::future_not_send)] // every run is on a runtime of its own

pub mod arrivals;
pub mod audit;
pub mod bare;
pub mod contestant;
pub mod edges;
pub mod gate;
pub mod machine;
pub mod moments;
pub mod pace;
pub mod quiet;
pub mod raw;
pub mod report;
pub mod sample;
pub mod scenario;
pub mod shape;
pub mod tenants;
pub mod world;
