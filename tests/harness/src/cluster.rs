//! The cluster under test: the one that `KUBECONFIG` names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use kube::{Client, Config};
use tokio::net::lookup_host;

/// Namespace of the operator.
pub const SYSTEM: &str = "instancelink-system";
/// The operator's user name.
pub const OPERATOR_ACCOUNT: &str = "system:serviceaccount:instancelink-system:instancelink";

/// A client with the rights of `KUBECONFIG`. Each test creates its own, because a connection belongs to one runtime.
pub async fn connect() -> Client {
    Client::try_from(config().await).expect("a client from KUBECONFIG")
}

/// The same, as another user. The user of `KUBECONFIG` must be allowed to impersonate.
pub(crate) async fn connect_as(user: &str) -> Client {
    let mut config = config().await;
    config.auth_info.impersonate = Some(user.to_owned());
    Client::try_from(config).expect("a client from KUBECONFIG")
}

/// The address of this machine from which it connects to the API server. The API server can reach it if the same network
/// leads back, as in native clusters.
pub(crate) async fn own_address() -> IpAddr {
    let url = config().await.cluster_url;
    let host = url.host().expect("the API server has a host").trim_matches(['[', ']']);
    let port = url.port_u16().unwrap_or(443);
    let mut found = lookup_host((host, port)).await.expect("the address of the API server");
    let server = found.next().expect("the API server has an address");
    let any: IpAddr = if server.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    // Nothing is sent: to connect a datagram socket only chooses the way.
    let socket = UdpSocket::bind((any, 0)).expect("a socket");
    socket.connect(server).expect("a way to the API server");
    socket.local_addr().expect("a socket has an address").ip()
}

async fn config() -> Config {
    Config::infer()
        .await
        .expect("KUBECONFIG names a cluster: start one with `cargo xtask up`, then `export KUBECONFIG=$(cargo xtask kubeconfig)`")
}
