//! The contestants: the programs that do the work in a run.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use control_plane::{Account, ControlPlane, Operator, Options, Program, kubeconfig_of, write};
use serde::Serialize;
use serde_json::json;
use tokio::process::Command;

/// A contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Contestant {
    /// The operator of this project.
    Operator,
    /// The raw writer, which sends the same requests and decides nothing.
    Raw,
    /// A peer in controller-runtime with tuned settings.
    Tuned,
    /// A peer in idiomatic controller-runtime.
    Idiomatic,
    /// A peer in kopf.
    Kopf,
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "operator",
            Self::Raw => "raw writer",
            Self::Tuned => "controller-runtime, tuned",
            Self::Idiomatic => "controller-runtime, idiomatic",
            Self::Kopf => "kopf",
        })
    }
}

impl Contestant {
    /// Starts its process and waits until it serves. None for the raw writer, which must learn first.
    pub async fn start(self, plane: &ControlPlane) -> Option<Program> {
        match self {
            Self::Raw => None,
            Self::Operator => {
                let options = Options {
                    log: "error",
                    ..Options::alone()
                };
                Some(Operator::start_ready(plane, &plane.server(), &options).await.program)
            }
            Self::Tuned => Some(peer(plane, "twin", &["--mode=tuned"]).await),
            Self::Idiomatic => Some(peer(plane, "twin", &["--mode=idiomatic"]).await),
            Self::Kopf => Some(peer(plane, "kopf-twin", &[]).await),
        }
    }
}

/// A peer runs with the rights of a cluster administrator, because rights are not compared.
async fn peer(plane: &ControlPlane, name: &str, arguments: &[&str]) -> Program {
    let variable = format!("INSTANCELINK_{}", name.to_uppercase().replace('-', "_"));
    let path = std::env::var_os(&variable).map(PathBuf::from);
    let path = path.unwrap_or_else(|| panic!("{variable} does not say where it is: run `cargo xtask bench`"));
    let account = Account::named("peer");
    account.make_administrator(plane).await;
    let kubeconfig = plane.file("peer.kubeconfig");
    let token = account.token(plane, None).await;
    write(&kubeconfig, &kubeconfig_of(&plane.server(), &json!({ "token": token })));
    let mut command = Command::new(path);
    command.args(arguments).env("KUBECONFIG", kubeconfig);
    let program = Program::start(name, &plane.file(&format!("{name}.log")), &mut command);
    // It does not report when its caches are filled. Without links they are filled immediately.
    tokio::time::sleep(Duration::from_secs(3)).await;
    program
}
