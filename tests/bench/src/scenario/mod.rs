//! What is measured.

pub mod create;
