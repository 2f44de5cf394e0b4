//! The operator's own user name, which manifests in messages need.
//!
//! In a pod, the token of the service account contains it, so that a start costs no request. Elsewhere the API server
//! answers it.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::PostParams;
use kube::{Api, Client, Config};
use serde::Deserialize;

/// Time for the request, which only messages need.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The start of the user name of each service account.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// The user name of this configuration; none if neither the token nor the API server tells it.
pub(crate) async fn of(config: &Config, calls: Client) -> Option<String> {
    let file = config.auth_info.token_file.as_deref();
    if let Some(name) = file.and_then(|file| in_token_file(Path::new(file))) {
        return Some(name);
    }
    match answered(calls).await {
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

fn in_token_file(file: &Path) -> Option<String> {
    in_token(std::fs::read_to_string(file).ok()?.trim())
}

/// The subject of a service account's token. The token is the operator's own, so its signature does not matter here.
fn in_token(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Some(claims.sub).filter(|name| name.starts_with(SERVICE_ACCOUNT))
}

async fn answered(calls: Client) -> anyhow::Result<String> {
    let api: Api<SelfSubjectReview> = Api::all(calls);
    let params = PostParams::default();
    let review = SelfSubjectReview::default();
    let answer = tokio::time::timeout(TIMEOUT, api.create(&params, &review)).await;
    let review = answer.context("no answer in time")??;
    let name = review.status.and_then(|status| status.user_info?.username);
    name.filter(|name| !name.is_empty())
        .context("the answer has no user name")
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

    fn token(claims: &Value) -> String {
        format!("header.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn the_token_of_a_service_account_contains_the_user_name() {
        let name = "system:serviceaccount:instancelink-system:instancelink";
        assert_eq!(in_token(&token(&json!({"sub": name}))).as_deref(), Some(name));
    }

    #[test]
    fn other_tokens_contain_no_user_name() {
        for token in [
            token(&json!({"sub": "1234"})),
            token(&json!({})),
            "opaque".to_owned(),
            "a.%.c".to_owned(),
        ] {
            assert_eq!(in_token(&token), None, "{token}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_operator_knows_its_user_name_or_why_the_api_server_did_not_tell_it() {
        let told = json!({"metadata": {}, "status": {"userInfo": {"username": "system:serviceaccount:a:b"}}});
        let name = answered(client(Some(told))).await;
        assert_eq!(name.unwrap(), "system:serviceaccount:a:b");
        let error = answered(client(Some(json!({"metadata": {}})))).await;
        assert_eq!(error.unwrap_err().to_string(), "the answer has no user name");
        let error = answered(client(None)).await;
        assert_eq!(error.unwrap_err().to_string(), "no answer in time");
    }
}
