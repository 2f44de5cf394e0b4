//! The node: containerd, kubelet and kube-proxy. A comment gives the reason for each unusual setting.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::layout::{DNS_SERVICE, Layout, NODE};
use super::{TIMEOUT, cgroup, daemon};
use crate::artifacts::cluster_binaries as binaries;
use crate::cluster::kubectl::Kubectl;
use crate::{command, image};

/// Starts containerd. Returns when it answers.
pub(crate) fn start_containerd(layout: &Layout) -> Result<()> {
    let folder = layout.folder.join("cni");
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("10-bridge.conflist"),
        serde_json::to_string_pretty(&cni(layout))?,
    )?;
    let config = layout.folder.join("containerd.toml");
    fs::write(&config, containerd(layout))?;
    let program = command::find("containerd").context("containerd is not installed")?;
    daemon::start(
        layout,
        "containerd",
        &program,
        ["--config".as_ref(), config.as_os_str()],
    )?;
    command::wait_for("containerd answers", TIMEOUT, || {
        daemon::check(layout, "containerd")?;
        let mut ctr = Command::new("ctr");
        ctr.arg("--address").arg(layout.containerd_socket()).arg("version");
        Ok(command::succeeds(&mut ctr).then_some(()))
    })
}

/// Starts kubelet and kube-proxy.
pub(crate) fn start(layout: &Layout) -> Result<()> {
    cgroup::make(&layout.cgroup())?;
    let config = layout.folder.join("kubelet.json");
    fs::write(&config, serde_json::to_string_pretty(&kubelet(layout))?)?;
    daemon::start(
        layout,
        "kubelet",
        &binaries::named("kubelet")?,
        [
            format!("--config={}", config.display()),
            format!("--kubeconfig={}", layout.folder.join("node.kubeconfig").display()),
            format!("--root-dir={}", layout.folder.join("kubelet").display()),
            format!("--hostname-override={NODE}"),
            format!("--node-ip={}", layout.addresses().join(",")),
        ],
    )?;
    daemon::start(
        layout,
        "kube-proxy",
        &binaries::named("kube-proxy")?,
        [
            format!("--kubeconfig={}", layout.folder.join("proxy.kubeconfig").display()),
            format!("--hostname-override={NODE}"),
            format!("--cluster-cidr={}", layout.pods().join(",")),
            "--proxy-mode=nftables".to_owned(),
            // These limits belong to the machine. They cannot be set in a namespace.
            "--conntrack-max-per-core=0".to_owned(),
            "--conntrack-tcp-timeout-established=0".to_owned(),
            "--conntrack-tcp-timeout-close-wait=0".to_owned(),
        ],
    )
}

/// Returns when the node accepts pods and pods resolve names.
pub(crate) fn wait(layout: &Layout) -> Result<()> {
    let kubectl = Kubectl::new(&layout.kubeconfig())?;
    let limit = "--timeout=90s";
    let node = format!("node/{NODE}");
    command::capture(&mut kubectl.command(["wait", "--for=create", &node, limit]))
        // If the kubelet has ended, that is the reason, and its log says more.
        .or_else(|error| daemon::check(layout, "kubelet").and(Err(error)))?;
    command::capture(&mut kubectl.command(["wait", "--for=condition=Ready", &node, limit]))?;
    kubectl.rollout("kube-system", "coredns")?;
    daemon::check(layout, "kube-proxy")
}

fn cni(layout: &Layout) -> serde_json::Value {
    // A pod gets an address of each range.
    let ranges: Vec<_> = layout
        .pods()
        .iter()
        .map(|subnet| json!([{ "subnet": subnet }]))
        .collect();
    let mut routes = vec![json!({ "dst": "0.0.0.0/0" })];
    if layout.is_dual_stack() {
        routes.push(json!({ "dst": "::/0" }));
    }
    json!({
        "cniVersion": "0.4.0",
        "name": layout.cni_network(),
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": true,
                "ipMasq": false,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": layout.folder.join("cni-leases"),
                    "ranges": ranges,
                    "routes": routes,
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
}

fn containerd(layout: &Layout) -> String {
    let path = |name: &str| quoted(&layout.folder.join(name));
    format!(
        r#"version = 2
root = {root}
state = {state}
[grpc]
  address = {socket}
[plugins."io.containerd.internal.v1.opt"]
  path = {opt}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Without CAP_SYS_RESOURCE a sandbox that lowers its OOM score dies at once.
  restrict_oom_score_adj = true
  # Pods of an unprivileged user may listen on port 80.
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = {runc}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = {cni}
"#,
        root = path("containerd/root"),
        state = path("containerd/state"),
        socket = quoted(&layout.containerd_socket()),
        opt = path("containerd/opt"),
        pause = image::PAUSE,
        runc = path("containerd/runc"),
        cni = path("cni"),
    )
}

/// A string of TOML has the same form as a string of JSON.
fn quoted(path: &Path) -> String {
    json!(path).to_string()
}

fn kubelet(layout: &Layout) -> serde_json::Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": layout.pki().join("ca.crt") },
        },
        "authorization": { "mode": "Webhook" },
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", layout.cgroup()),
        "failCgroupV1": false,
        "failSwapOn": false,
        "resolvConf": "",
        "containerRuntimeEndpoint": format!("unix://{}", layout.containerd_socket().display()),
        "tlsCertFile": layout.pki().join("node.crt"),
        "tlsPrivateKeyFile": layout.pki().join("node.key"),
        // The disk of a developer is often nearly full. Images cannot be pulled again, so the kubelet must not remove them.
        "evictionHard": { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
        "imageGCHighThresholdPercent": 100,
        // Needs quotas, which not every root file system has.
        "localStorageCapacityIsolation": false,
        "maxPods": 240,
        // The defaults are outside of the cluster's folder.
        "podLogsDir": layout.pod_logs(),
        "volumePluginDir": layout.folder.join("volume-plugins"),
    })
}
