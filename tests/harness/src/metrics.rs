//! Writes, as the API server counts them.

use std::collections::BTreeMap;

use kube::Client;

/// Write requests that were answered since the API server started, by `group/resource[/subresource]`.
pub async fn writes_by_resource(client: &Client) -> BTreeMap<String, u64> {
    let request = http::Request::get("/metrics").body(Vec::new()).expect("a request");
    let text = client.request_text(request).await.expect("the API server's metrics");
    let mut counts = BTreeMap::new();
    for line in text.lines().filter_map(|l| l.strip_prefix("apiserver_request_total{")) {
        let Some((labels, value)) = line.rsplit_once("} ") else {
            continue;
        };
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\"")).unwrap_or_default();
            rest.split('"').next().unwrap_or_default()
        };
        if !matches!(
            label("verb"),
            "POST" | "PUT" | "PATCH" | "DELETE" | "APPLY" | "DELETECOLLECTION"
        ) {
            continue;
        }
        let key = format!("{}/{}/{}", label("group"), label("resource"), label("subresource"));
        let value: f64 = value.trim().parse().unwrap_or_default();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a counter of requests"
        )]
        let value = value as u64;
        *counts.entry(key.trim_end_matches('/').to_owned()).or_default() += value;
    }
    counts
}
