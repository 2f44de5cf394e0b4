//! Which pods reach which: what a client pod gets from an address of another pod, and what it does not get.

use std::net::IpAddr;
use std::time::Duration;

use kube::ResourceExt as _;

use crate::{Client, Namespace, Resolver, eventually, idle_deployment};

/// From a change of a policy to the rules of the node. Measured: 10 to 330 ms.
const PLUGIN: Duration = Duration::from_secs(10);
/// Longer than any answer on one node takes. A refusal by IPv6 takes a second, and it is no answer either.
const ANSWER: &str = "300";
/// An answer that comes once in a while is an open way, too.
const TRIES: usize = 4;

impl Client {
    /// Whether one request is answered, in the time that an answer takes.
    pub async fn is_answered(&self, url: &str) -> bool {
        self.run(&["get", url, "--timeout-ms", ANSWER]).await.0
    }

    /// Waits until the URL does not answer this pod, and tries again several times. A refusal and silence count alike: which
    /// of them a pod gets depends on the network plugin and on the address family.
    pub async fn is_shut_out(&self, url: &str) {
        let mut in_a_row = 0;
        eventually(&format!("{url} does not answer {}", self.name), PLUGIN, async || {
            in_a_row = if self.is_answered(url).await { 0 } else { in_a_row + 1 };
            if in_a_row == TRIES {
                Ok(())
            } else {
                Err(format!("silent {in_a_row} times"))
            }
        })
        .await;
    }
}

impl Namespace {
    /// A Deployment of one pod that waits for commands, and a client in this pod.
    pub async fn source(&self, name: &str) -> Client {
        self.create_object(&idle_deployment(name)).await;
        self.scale(name, 1).await;
        self.client_of(name).await
    }

    /// A client in the one ready pod with this label `app`.
    pub async fn client_of(&self, app: &str) -> Client {
        self.ready_addresses(app, 1).await;
        let pod = self.pods_of(app).await.remove(0).name_any();
        self.client_in(Resolver::Musl, &pod).await
    }

    /// The URLs of the one ready pod with this label `app`: one for each of its addresses, of either family.
    pub async fn urls_of(&self, app: &str, port: u16) -> Vec<String> {
        let addresses = self.ready_addresses(app, 1).await;
        addresses.iter().map(|address| url(address, port)).collect()
    }
}

/// The URL of an address of either family.
pub fn url(address: &IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(v4) => format!("http://{v4}:{port}/"),
        IpAddr::V6(v6) => format!("http://[{v6}]:{port}/"),
    }
}
