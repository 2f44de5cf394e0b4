//! The cluster under test: the one that `KUBECONFIG` names.

use kube::{Client, Config};

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

async fn config() -> Config {
    Config::infer()
        .await
        .expect("KUBECONFIG names a cluster: start one with `cargo xtask up`, then `export KUBECONFIG=$(cargo xtask kubeconfig)`")
}
