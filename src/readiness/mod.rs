//! Writes the readiness gates of pods that wait for their links, in the namespaces that permit it
//! (`contract#readiness-gates`). Core decides which conditions are due. Pods without such a gate never reach this module.

mod gate_writer;
mod namespace_backoff;
mod namespace_queue;
mod pods;
mod requests;

pub(crate) use gate_writer::GateWriter;
pub(crate) use requests::GateRequests;
