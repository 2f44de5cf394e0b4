//! The two Kubernetes clients: one for watches, which may be silent for minutes, and one for single requests.

use std::time::Duration;

use anyhow::Context;
use kube::{Client, Config};

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(15);

/// The address of the API server and the credentials: from `KUBECONFIG`, or from the pod of this process.
pub(crate) async fn config() -> anyhow::Result<Config> {
    Config::infer().await.context(
        "no cluster is configured. Set KUBECONFIG to the path of a kubeconfig, or run this in a pod with a service account token",
    )
}

/// A client for single requests: short timeouts, and no hidden retry, because each failure leads to a new decision.
pub(crate) fn for_calls(config: &Config) -> anyhow::Result<Client> {
    let mut config = config.clone();
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(READ);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    Client::try_from(config).context("the client for single requests cannot be built from this kubeconfig")
}

/// A client for watches. The timeout of each watch finds dead connections.
pub(crate) fn for_watches(config: &Config) -> anyhow::Result<Client> {
    let mut config = config.clone();
    config.connect_timeout = Some(CONNECT);
    config.default_retry = false;
    Client::try_from(config).context("the client for watches cannot be built from this kubeconfig")
}
