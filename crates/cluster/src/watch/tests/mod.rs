//! Watches against a small API server.

mod reference_grants;
mod scaled_kinds;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::affects::{Links, ReferenceGrants};
use crate::meter::Meter;
use crate::name::ObjectName;
use crate::world::*;

/// Counts nothing.
struct Silent;

impl Meter for Silent {
    fn requested(&self, _: &'static str, _: &'static str, _: Option<u16>, _: Duration) {}
    fn watch_failed(&self, _: &'static str) {}
}
