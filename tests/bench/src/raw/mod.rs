//! The raw writer sends the same requests as the operator, as fast as the API server answers, and decides nothing. Its
//! time is that of the API server, and its CPU time the minimum for any client.
//!
//! First the operator activates the links of one source. The raw writer copies these writes for all other links.
//! In existing slices it only changes endpoints.

pub mod links;
mod pattern;
pub mod slices;

use std::ffi::OsStr;

use control_plane::{ControlPlane, Program, write};

use crate::bare;
use crate::world::World;
use pattern::Pattern;

/// Learns the pattern, and starts the process that activates new links.
pub async fn of_links(plane: &ControlPlane, world: &World) -> Program {
    let learned = Pattern::learn(plane, world).await;
    let pattern = plane.file("raw.pattern");
    write(&pattern, &serde_json::to_string(&learned).expect("JSON"));
    start(plane, "links", pattern.as_os_str()).await
}

/// Starts the process that follows the pods of a namespace in its slices.
pub async fn of_slices(plane: &ControlPlane, namespace: &str) -> Program {
    start(plane, "slices", namespace.as_ref()).await
}

async fn start(plane: &ControlPlane, what: &str, of: &OsStr) -> Program {
    bare::start(plane, "raw writer", &["raw".as_ref(), what.as_ref(), of])
        .await
        .0
}
