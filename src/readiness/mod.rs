//! Writes the readiness gates of pods that wait for their links, in the namespaces that permit it
//! (`contract#readiness-gates`). Core decides which conditions are due. Pods without such a gate never reach this module.

mod gate_writer;
mod pods;

pub(crate) use gate_writer::GateWriter;
