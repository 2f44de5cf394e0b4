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

/// The operator's own user name at the API server; none if the API server does not tell it.
pub(crate) async fn user_name(calls: Client) -> Option<String> {
    match own_user_name(calls).await {
        Ok(name) => Some(name),
        Err(error) => {
            tracing::warn!(
                %error,
                "the API server did not tell the operator's own user name. Messages about missing rights contain manifests, \
                 and these name the service account instancelink in the namespace instancelink-system. If the operator \
                 has another account, set --user-name"
            );
            None
        }
    }
}

async fn own_user_name(calls: Client) -> anyhow::Result<String> {
    let api: Api<SelfSubjectReview> = Api::all(calls);
    let params = PostParams::default();
    let review = SelfSubjectReview::default();
    let answer = tokio::time::timeout(USER_NAME, api.create(&params, &review)).await;
    let review = answer.context("no answer in time")??;
    let name = review.status.and_then(|status| status.user_info?.username);
    name.filter(|name| !name.is_empty())
        .context("the answer has no user name")
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

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    /// A client of an API server that answers each request with this, or not at all.
    fn client(answer: Option<Value>) -> Client {
        let serve = tower::service_fn(move |_: Request<Body>| {
            let answer = answer.clone();
            async move {
                let Some(answer) = answer else {
                    return std::future::pending().await;
                };
                let body = Body::from(serde_json::to_vec(&answer).unwrap());
                Ok::<_, std::convert::Infallible>(Response::new(body))
            }
        });
        Client::new(serve, "system")
    }

    #[tokio::test(start_paused = true)]
    async fn the_operator_knows_its_user_name_or_why_the_api_server_did_not_tell_it() {
        let told = json!({"metadata": {}, "status": {"userInfo": {"username": "system:serviceaccount:a:b"}}});
        let name = own_user_name(client(Some(told))).await;
        assert_eq!(name.unwrap(), "system:serviceaccount:a:b");
        let error = own_user_name(client(Some(json!({"metadata": {}})))).await;
        assert_eq!(error.unwrap_err().to_string(), "the answer has no user name");
        let error = own_user_name(client(None)).await;
        assert_eq!(error.unwrap_err().to_string(), "no answer in time");
    }
}
