//! The raw writer: sends what the operator sends, as fast as the API server answers, and decides nothing. Its time is what
//! the API server takes, and its processor time the least that any client can do with.
//!
//! It learns from the operator: one source's links are activated by it, and what they became is the pattern of all others;
//! and of slices it changes those that stand.

pub mod links;
mod pattern;
pub mod slices;

use std::ffi::OsStr;

use control_plane::{ControlPlane, Program, write};

use crate::bare;
use crate::world::World;
use pattern::Pattern;

/// Learns, and starts the process that makes active whatever links come.
pub async fn of_links(plane: &ControlPlane, world: &World) -> Program {
    let learned = Pattern::learn(plane, world).await;
    let pattern = plane.file("raw.pattern");
    write(&pattern, &serde_json::to_string(&learned).expect("JSON"));
    start(plane, "links", pattern.as_os_str()).await
}

/// Starts the process that says in the slices of a namespace what its pods say.
pub async fn of_slices(plane: &ControlPlane, namespace: &str) -> Program {
    start(plane, "slices", namespace.as_ref()).await
}

async fn start(plane: &ControlPlane, what: &str, of: &OsStr) -> Program {
    bare::start(plane, "raw writer", &["raw".as_ref(), what.as_ref(), of])
        .await
        .0
}
