//! Who does the work in a run.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use control_plane::{Account, ControlPlane, Operator, Options, Program, kubeconfig_of, write};
use serde::Serialize;
use serde_json::json;
use tokio::process::Command;

/// One of those that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Contestant {
    /// This project's.
    Operator,
    /// Sends the same requests, decides nothing.
    Raw,
    /// controller-runtime, as tuned as it goes.
    Tuned,
    /// controller-runtime, as it is written first.
    Idiomatic,
    /// kopf.
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
    /// Starts its process and waits until it serves; none for the raw writer, which has to learn first.
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

/// A peer runs with the rights of a cluster's administrator: what it may do is not what is compared.
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
    // It says nowhere that its caches are filled; without links they are at once.
    tokio::time::sleep(Duration::from_secs(3)).await;
    program
}
