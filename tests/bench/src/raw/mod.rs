//! The raw writer: sends what the operator sends, as fast as the API server answers, and decides nothing. Its time is what
//! the API server takes, and its processor time the least that any client can do with.
//!
//! It learns from the operator: one source's links are activated by it, and what they became is the pattern of all others.

mod pattern;
pub mod writer;

use control_plane::{Account, ControlPlane, Program, kubeconfig_of, write};
use serde_json::json;
use tokio::process::Command;

use crate::world::World;
use pattern::Pattern;

/// Learns, and starts its process, which makes active whatever links come.
pub async fn start(plane: &ControlPlane, world: &World) -> Program {
    let learned = Pattern::learn(plane, world).await;
    let [pattern, kubeconfig, log] = ["pattern", "kubeconfig", "log"].map(|kind| plane.file(&format!("raw.{kind}")));
    write(&pattern, &serde_json::to_string(&learned).expect("JSON"));
    let token = Account::shipped().token(plane, None).await;
    write(&kubeconfig, &kubeconfig_of(&plane.server(), &json!({ "token": token })));
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg("raw").arg(pattern).env("KUBECONFIG", kubeconfig);
    let program = Program::start("raw writer", &log, &mut command);
    crate::bare::until_ready(&log).await;
    program
}
