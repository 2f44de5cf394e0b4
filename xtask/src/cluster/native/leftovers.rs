//! Files that kubelet and libcni leave in fixed folders of the machine. Other clusters can use the same folders, so only files
//! that certainly belong to this cluster are removed.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::layout::Layout;
use crate::command;

/// Where libcni keeps its results: a file for each network of each sandbox.
const CNI_RESULTS: &str = "/var/lib/cni/results";
/// Where the kubelet makes links for log collectors.
const CONTAINER_LOGS: &str = "/var/log/containers";
/// Where the kubelet listens for device plugins.
const DEVICE_PLUGINS: &str = "/var/lib/kubelet/device-plugins";

/// Removes them. Errors are ignored: a file that stays does not disturb the next cluster.
pub(crate) fn remove(layout: &Layout) {
    remove_sandbox_networks(layout);
    for link in files(CONTAINER_LOGS) {
        if fs::read_link(&link).is_ok_and(|to| to.starts_with(layout.pod_logs())) {
            let _ = fs::remove_file(link);
        }
    }
    let plugins = Path::new(DEVICE_PLUGINS);
    if UnixStream::connect(plugins.join("kubelet.sock")).is_err() {
        let _ = fs::remove_file(plugins.join("kubelet.sock"));
        let _ = fs::remove_file(plugins.join("kubelet_internal_checkpoint"));
    }
    // Folders are removed if they are empty, the outer after the inner.
    for folder in [
        CONTAINER_LOGS,
        CNI_RESULTS,
        "/var/lib/cni",
        DEVICE_PLUGINS,
        "/var/lib/kubelet",
    ] {
        let _ = fs::remove_dir(folder);
    }
}

/// A result of libcni for one network of one sandbox.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NetworkResult {
    container_id: String,
    network_name: String,
    #[serde(default)]
    result: Outcome,
}

#[derive(Default, Deserialize)]
struct Outcome {
    #[serde(default)]
    interfaces: Vec<Interface>,
}

#[derive(Deserialize)]
struct Interface {
    /// The path of the network namespace. None for the end on the node.
    sandbox: Option<PathBuf>,
}

/// Removes the network namespaces of pods. The results with the name of our network name them.
fn remove_sandbox_networks(layout: &Layout) {
    for file in files(CNI_RESULTS) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let Ok(result) = serde_json::from_str::<NetworkResult>(&text) else {
            continue;
        };
        if result.network_name != layout.cni_network() {
            continue;
        }
        for netns in result
            .result
            .interfaces
            .into_iter()
            .filter_map(|interface| interface.sandbox)
        {
            if let Some(name) = netns.file_name() {
                let _ = command::capture(Command::new("ip").args(["netns", "del"]).arg(name));
            }
        }
        let _ = fs::remove_file(&file);
        let loopback = format!("cni-loopback-{}-lo", result.container_id);
        let _ = fs::remove_file(Path::new(CNI_RESULTS).join(loopback));
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_names_the_namespace_of_its_sandbox() {
        let text = r#"{"kind":"cniCacheV1","containerId":"a","networkName":"n","ifName":"eth0",
            "result":{"interfaces":[{"name":"cni0"},{"name":"eth0","sandbox":"/run/netns/cni-1"}]}}"#;
        let result: NetworkResult = serde_json::from_str(text).unwrap();
        let found: Vec<_> = result.result.interfaces.into_iter().filter_map(|i| i.sandbox).collect();
        assert_eq!(found, [PathBuf::from("/run/netns/cni-1")]);
    }
}
