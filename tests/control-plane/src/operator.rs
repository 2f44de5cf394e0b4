//! The operator as a process, with the same binary as in its image.
//!
//! `cargo xtask campaigns` builds it and passes its path in `INSTANCELINK_OPERATOR`.

use std::path::PathBuf;
use std::time::Duration;

use harness::{SYSTEM, eventually};
use serde_json::json;
use tokio::process::Command;

use crate::plane::{free_ports, kubeconfig_of, write};
use crate::{Account, ControlPlane, Program, loopback};

const STARTS: Duration = Duration::from_mins(1);

/// How it is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Part of the names of its files and its lease.
    pub name: String,
    /// Its service account.
    pub account: Account,
    /// More arguments.
    pub arguments: Vec<String>,
    /// What is logged.
    pub log: &'static str,
    /// The binary.
    pub binary: PathBuf,
}

impl Options {
    /// An operator that runs alone, with the rights of `deploy/`.
    pub fn alone() -> Self {
        Self {
            name: "operator".to_owned(),
            account: Account::shipped(),
            arguments: Vec::new(),
            log: "info",
            binary: binary(),
        }
    }

    /// One of several operators with leader election. The times of the lease, in milliseconds: duration, renew
    /// deadline, retry.
    pub fn elected(name: &str, [duration, deadline, retry]: [u64; 3]) -> Self {
        let arguments = [
            "--leader-elect".to_owned(),
            format!("--lease-namespace={SYSTEM}"),
            format!("--pod-name={name}"),
            format!("--lease-duration={duration}ms"),
            format!("--lease-renew-deadline={deadline}ms"),
            format!("--lease-retry={retry}ms"),
        ];
        Self {
            name: name.to_owned(),
            arguments: arguments.to_vec(),
            ..Self::alone()
        }
    }
}

/// A running operator.
pub struct Operator {
    /// Its process.
    pub program: Program,
    /// The file its token is read from.
    pub token: PathBuf,
    admin_port: u16,
}

impl Operator {
    /// Starts an operator that uses the API server, or a proxy in front of it, at this address.
    pub async fn start(plane: &ControlPlane, server: &str, options: &Options) -> Self {
        let token = plane.file(&format!("{}.token", options.name));
        if !token.exists() {
            write(&token, &options.account.token(plane, None).await);
        }
        let kubeconfig = plane.file(&format!("{}.kubeconfig", options.name));
        write(&kubeconfig, &kubeconfig_of(server, &json!({ "tokenFile": token })));
        let [admin_port] = free_ports();
        let mut command = Command::new(&options.binary);
        command
            .arg("operator")
            .arg("--verify-dns=false")
            .arg(format!("--admin-port={admin_port}"))
            .args(&options.arguments)
            .env("KUBECONFIG", kubeconfig)
            .env("INSTANCELINK_LOG", options.log)
            .env("INSTANCELINK_LOG_FORMAT", "text");
        let log = plane.file(&format!("{}.log", options.name));
        Self {
            program: Program::start(&options.name, &log, &mut command),
            token,
            admin_port,
        }
    }

    /// The same, and waits until it is ready.
    pub async fn start_ready(plane: &ControlPlane, server: &str, options: &Options) -> Self {
        let mut operator = Self::start(plane, server, options).await;
        operator.is_ready(STARTS).await;
        operator
    }

    /// Waits until its readiness probe succeeds.
    pub async fn is_ready(&mut self, limit: Duration) {
        eventually("the operator is ready", limit, async || {
            if let Some(status) = self.program.ended() {
                panic!("the operator ended with {status}\n{}", self.program.tail());
            }
            self.readiness().await
        })
        .await;
    }

    /// Whether it is ready, or why not.
    pub async fn readiness(&self) -> Result<(), String> {
        let answer = loopback::get(self.admin_port, "/readyz").await?;
        if answer.starts_with("HTTP/1.1 200") {
            Ok(())
        } else {
            Err(answer.lines().last().unwrap_or_default().to_owned())
        }
    }

    /// Whether its liveness probe succeeds.
    pub async fn lives(&self) -> bool {
        loopback::get(self.admin_port, "/livez")
            .await
            .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

fn binary() -> PathBuf {
    std::env::var_os("INSTANCELINK_OPERATOR")
        .map(PathBuf::from)
        .expect("INSTANCELINK_OPERATOR says where the operator's binary is: run `cargo xtask campaigns`")
}
