//! The two Kubernetes clients: one for watches, which may be silent for minutes, and one for single requests.

use std::time::Duration;

use anyhow::Context;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::PostParams;
use kube::{Api, Client, Config};

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(15);
/// Time for the request for the user name, which only messages need.
const USER_NAME: Duration = Duration::from_secs(3);

/// The address of the API server and the credentials: from `KUBECONFIG`, or from the pod of this process.
pub(crate) async fn config() -> anyhow::Result<Config> {
    Config::infer().await.context(
        "no cluster is configured. Set KUBECONFIG to the path of a kubeconfig, or run this in a pod with a service account token",
    )
}

/// The operator's own user name at the API server; none if there is no answer.
pub(crate) async fn user_name(config: &Config) -> Option<String> {
    let api: Api<SelfSubjectReview> = Api::all(for_calls(config).ok()?);
    let params = PostParams::default();
    let review = SelfSubjectReview::default();
    let answer = tokio::time::timeout(USER_NAME, api.create(&params, &review)).await;
    let name = answer.ok().and_then(Result::ok)?.status?.user_info?.username;
    name.filter(|name| !name.is_empty())
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
