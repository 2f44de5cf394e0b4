//! The cost of the operator in writes, time and memory, compared with others.
//!
//! Each run has its own control plane, durable and without a node. Pods are objects whose status the harness writes.
//! A run has one contestant: the operator, a raw writer that sends the same requests and decides nothing, or a peer.
//! The requests are those in the audit log of the API server, not those that a client counts.

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
