//! The two clients: one for watches, which are silent for minutes, and one for calls, which are not.

use std::time::Duration;

use anyhow::Context;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::PostParams;
use kube::{Api, Client, Config};

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(15);
/// The user name is not worth a longer wait.
const ASK_FOR_NAME: Duration = Duration::from_secs(3);

/// Where the API server is and who we are: from `KUBECONFIG`, or from the pod this runs in.
pub(crate) async fn config() -> anyhow::Result<Config> {
    Config::infer().await.context(
        "no cluster to talk to: set KUBECONFIG to a readable kubeconfig, or run in a pod with a service account token",
    )
}

/// The operator's own user name, as the API server knows it; none where it does not say.
pub(crate) async fn user_name(config: &Config) -> Option<String> {
    let api: Api<SelfSubjectReview> = Api::all(for_calls(config).ok()?);
    let params = PostParams::default();
    let review = SelfSubjectReview::default();
    let answer = tokio::time::timeout(ASK_FOR_NAME, api.create(&params, &review)).await;
    let name = answer.ok().and_then(Result::ok)?.status?.user_info?.username;
    name.filter(|name| !name.is_empty())
}

/// A client for calls: short timeouts, and no hidden retry, because what to do after a failure is decided anew.
pub(crate) fn for_calls(config: &Config) -> anyhow::Result<Client> {
    let mut config = config.clone();
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(READ);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    Client::try_from(config).context("the client for calls cannot be built from this kubeconfig")
}

/// A client for watches. Dead connections are found by the watch's own timeout.
pub(crate) fn for_watches(config: &Config) -> anyhow::Result<Client> {
    let mut config = config.clone();
    config.connect_timeout = Some(CONNECT);
    config.default_retry = false;
    Client::try_from(config).context("the client for watches cannot be built from this kubeconfig")
}
