//! Starts etcd, the API server and the controllers, and the scheduler if there is a node.

use std::path::Path;

use anyhow::Result;

use super::layout::Layout;
use super::{TIMEOUT, daemon};
use crate::artifacts::cluster_binaries as binaries;
use crate::cluster::kubectl::Kubectl;
use crate::command;

/// Returns when the API server is ready. Nothing needs to wait for the controllers.
pub(crate) fn start(layout: &Layout) -> Result<()> {
    start_etcd(layout)?;
    start_api_server(layout)?;
    let kubectl = Kubectl::new(&layout.kubeconfig())?;
    command::wait_for("the API server is ready", TIMEOUT, || {
        daemon::check(layout, "etcd")?;
        daemon::check(layout, "kube-apiserver")?;
        let ready = command::succeeds(&mut kubectl.command(["get", "--raw", "/readyz"]));
        Ok(ready.then_some(()))
    })?;
    start_controllers(layout)?;
    if layout.node { start_scheduler(layout) } else { Ok(()) }
}

fn start_etcd(layout: &Layout) -> Result<()> {
    let clients = format!("http://127.0.0.1:{}", layout.etcd_port());
    let peers = format!("http://127.0.0.1:{}", layout.etcd_peer_port());
    daemon::start(
        layout,
        "etcd",
        &binaries::named("etcd")?,
        [
            format!("--data-dir={}", layout.folder.join("etcd").display()),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            // Ten times faster. The data does not need to survive a crash of the machine.
            "--unsafe-no-fsync".to_owned(),
        ],
    )
}

fn start_api_server(layout: &Layout) -> Result<()> {
    let pki = |file: &str| layout.pki().join(file).display().to_string();
    let mut args = vec![
        format!("--etcd-servers=http://127.0.0.1:{}", layout.etcd_port()),
        format!("--service-cluster-ip-range={}", layout.services()),
        format!("--advertise-address={}", layout.address()),
        format!("--secure-port={}", layout.api_port()),
        format!("--tls-cert-file={}", pki("apiserver.crt")),
        format!("--tls-private-key-file={}", pki("apiserver.key")),
        format!("--client-ca-file={}", pki("ca.crt")),
        format!("--service-account-key-file={}", pki("tokens.pub")),
        format!("--service-account-signing-key-file={}", pki("tokens.key")),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--allow-privileged=true".to_owned(),
        // Nothing resolves node names.
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        format!("--kubelet-client-certificate={}", pki("kubelet-client.crt")),
        format!("--kubelet-client-key={}", pki("kubelet-client.key")),
        format!("--requestheader-client-ca-file={}", pki("ca.crt")),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        format!("--proxy-client-cert-file={}", pki("front-proxy.crt")),
        format!("--proxy-client-key-file={}", pki("front-proxy.key")),
    ];
    if layout.netns.is_none() {
        // A loopback address cannot be the endpoint of a Service, and without a node nothing uses that Service.
        args.push("--endpoint-reconciler-type=none".to_owned());
    }
    daemon::start(layout, "kube-apiserver", &binaries::named("kube-apiserver")?, args)
}

fn start_controllers(layout: &Layout) -> Result<()> {
    let pki = |file: &str| layout.pki().join(file).display().to_string();
    daemon::start(
        layout,
        "kube-controller-manager",
        &binaries::named("kube-controller-manager")?,
        [
            kubeconfig(&layout.folder.join("controllers.kubeconfig")),
            format!("--secure-port={}", layout.controllers_port()),
            "--use-service-account-credentials=true".to_owned(),
            format!("--service-account-private-key-file={}", pki("tokens.key")),
            format!("--root-ca-file={}", pki("ca.crt")),
            format!("--cluster-signing-cert-file={}", pki("ca.crt")),
            format!("--cluster-signing-key-file={}", pki("ca.key")),
            format!("--cluster-cidr={}", layout.pods().join(",")),
            // All of the network: there is one node. For IPv6 the default is the same.
            "--node-cidr-mask-size-ipv4=24".to_owned(),
            "--allocate-node-cidrs=true".to_owned(),
            format!("--service-cluster-ip-range={}", layout.services()),
            "--leader-elect=false".to_owned(),
        ],
    )
}

fn start_scheduler(layout: &Layout) -> Result<()> {
    daemon::start(
        layout,
        "kube-scheduler",
        &binaries::named("kube-scheduler")?,
        [
            kubeconfig(&layout.folder.join("scheduler.kubeconfig")),
            "--leader-elect=false".to_owned(),
        ],
    )
}

fn kubeconfig(file: &Path) -> String {
    format!("--kubeconfig={}", file.display())
}
