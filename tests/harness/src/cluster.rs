//! The cluster under test: any that `KUBECONFIG` leads to.

use kube::{Client, Config};

/// Namespace of the operator.
pub const SYSTEM: &str = "instancelink-system";
/// The operator's user name.
pub const OPERATOR_ACCOUNT: &str = "system:serviceaccount:instancelink-system:instancelink";

/// A client with the rights of `KUBECONFIG`. Each test makes its own: a connection belongs to one runtime.
pub async fn connect() -> Client {
    Client::try_from(config().await).expect("a client from KUBECONFIG")
}

/// The same, acting as another user; the tests' own user must be allowed to impersonate.
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
