//! Streaming lists that are not older than their request.
//!
//! kube asks for a streaming list from `resourceVersion=0`. A replica of the API server answers that from its cache, which
//! may be older than what another replica has already answered: an existing child would be taken for gone. Without a
//! version, the server first updates its cache to the time of the request
//! (<https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists>).

use http::{Request, Uri};
use kube::Client;
use kube::client::Body;

/// The same client, whose streaming lists are not older than the request.
pub(super) fn lists_of(client: &Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let client = client.clone();
    let send = tower::service_fn(move |mut request: Request<Body>| {
        if let Some(uri) = newest(request.uri()) {
            *request.uri_mut() = uri;
        }
        let client = client.clone();
        async move { client.send(request).await }
    });
    Client::new(send, namespace)
}

/// The address of a streaming list without the version from which any replica may answer; none for other requests.
fn newest(uri: &Uri) -> Option<Uri> {
    let query = uri.query()?;
    if !query.split('&').any(|pair| pair == "sendInitialEvents=true") {
        return None;
    }
    let others: Vec<&str> = query.split('&').filter(|pair| *pair != "resourceVersion=0").collect();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}?{}", uri.path(), others.join("&")).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use kube::core::Request as Requests;
    use kube::core::params::WatchParams;

    use super::*;

    fn address(params: &WatchParams, version: &str) -> Uri {
        let request = Requests::new("/api/v1/services").watch(params, version).unwrap();
        request.uri().clone()
    }

    #[test]
    fn a_streaming_list_may_not_come_from_a_replica_that_is_behind() {
        let streaming = WatchParams::default().initial_events().labels("a=b");
        let asked = newest(&address(&streaming, "0")).unwrap().to_string();
        assert!(
            asked.contains("sendInitialEvents=true") && asked.contains("labelSelector=a%3Db"),
            "{asked}"
        );
        assert!(
            asked.contains("resourceVersionMatch=NotOlderThan") && !asked.contains("resourceVersion="),
            "{asked}"
        );
    }

    #[test]
    fn a_watch_that_goes_on_is_left_as_it_is() {
        assert_eq!(newest(&address(&WatchParams::default(), "7")), None);
    }
}
