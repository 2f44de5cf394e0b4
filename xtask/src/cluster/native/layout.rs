//! Names, addresses and folders of a native cluster. All are derived from the name of the cluster, so that several clusters
//! run side by side, and a second run finds what the first run made.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::cluster::families::Families;
use crate::cluster::folders;
use crate::digest;

/// Names, addresses and folders of one cluster.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Without a node there is no pod network and no DNS, and root is not needed.
    pub(crate) node: bool,
    /// None without root. The control plane then listens on loopback, on ports of this cluster.
    pub(crate) netns: Option<String>,
    families: Families,
    index: u8,
}

/// The networks of the Services. They are the same in every cluster, because they exist only within the network namespace.
const SERVICES: [&str; 2] = ["10.97.0.0/16", "fd00:10:97::/108"];
/// The first address of IPv4 among them: the API server's.
pub(crate) const API_SERVICE: &str = "10.97.0.1";
/// The DNS server of the pods.
pub(crate) const DNS_SERVICE: &str = "10.97.0.10";
/// The name of the node.
pub(crate) const NODE: &str = "node1";

impl Layout {
    /// `node`: whether pods run; `root`: whether a network namespace can be made.
    pub(crate) fn new(name: &str, node: bool, root: bool) -> Result<Self> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 20 || !name.chars().all(fits) {
            bail!("'{name}' cannot name a cluster: use 1 to 20 of a-z, 0-9 and '-'");
        }
        let hash = digest::sha256([name.as_bytes()]);
        let byte = u8::from_str_radix(digest::short(&hash, 2), 16)?;
        Ok(Self {
            name: name.to_owned(),
            folder: folders::of(name)?,
            node: node && root,
            netns: root.then(|| format!("instancelink-{name}")),
            families: Families::default(),
            // Without 0 and 255: some tools take them for the addresses of network and broadcast.
            index: byte.clamp(1, 254),
        })
    }

    /// With addresses of these families. Only the start of a cluster needs them.
    pub(crate) fn with(self, families: Families) -> Self {
        Self { families, ..self }
    }

    pub(crate) fn is_dual_stack(&self) -> bool {
        self.families == Families::DualStack
    }

    /// The host's end of the pair of interfaces between host and namespace. A name has at most 15 characters.
    pub(crate) fn link(&self) -> String {
        format!("instlink{}", self.index)
    }

    /// The host's address on this pair.
    pub(crate) fn host_address(&self) -> String {
        format!("10.233.{}.1", self.index)
    }

    /// Where the API server and the node are.
    pub(crate) fn address(&self) -> String {
        match self.netns {
            Some(_) => format!("10.233.{}.2", self.index),
            None => "127.0.0.1".to_owned(),
        }
    }

    /// The same in IPv6. Nothing outside of the network namespace uses it.
    pub(crate) fn address6(&self) -> String {
        format!("fd00:10:233:{:x}::2", self.index)
    }

    /// The addresses of the node, one of each family.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.of_families([self.address(), self.address6()])
    }

    /// The networks of the pods. Each pod has an address in each of them.
    pub(crate) fn pods(&self) -> Vec<String> {
        let v6 = format!("fd00:10:245:{:x}::/64", self.index);
        self.of_families([format!("10.245.{}.0/24", self.index), v6])
    }

    /// The networks of the Services, as programs take them.
    pub(crate) fn services(&self) -> String {
        self.of_families(SERVICES.map(str::to_owned)).join(",")
    }

    /// What is of IPv4, and of the others what the cluster has.
    fn of_families(&self, mut all: [String; 2]) -> Vec<String> {
        let count = 1 + usize::from(self.is_dual_stack());
        all.iter_mut().take(count).map(std::mem::take).collect()
    }

    /// The usual port within a namespace, or else a port of this cluster.
    fn port(&self, usual: u16, offset: u16) -> u16 {
        match self.netns {
            Some(_) => usual,
            None => 20_000 + u16::from(self.index) * 8 + offset,
        }
    }

    pub(crate) fn api_port(&self) -> u16 {
        self.port(6443, 0)
    }

    pub(crate) fn etcd_port(&self) -> u16 {
        self.port(2379, 1)
    }

    pub(crate) fn etcd_peer_port(&self) -> u16 {
        self.port(2380, 2)
    }

    pub(crate) fn controllers_port(&self) -> u16 {
        self.port(10257, 3)
    }

    /// The parent of all cgroups of pods. Two kubelets with the same parent end each other's pods.
    pub(crate) fn cgroup(&self) -> String {
        format!("instancelink-{}", self.name)
    }

    /// The name of the CNI network. The files of the CNI plugins contain it.
    pub(crate) fn cni_network(&self) -> String {
        format!("instancelink-{}", self.name)
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn pids(&self) -> PathBuf {
        self.folder.join("pids")
    }

    pub(crate) fn pki(&self) -> PathBuf {
        self.folder.join("pki")
    }

    pub(crate) fn containerd_socket(&self) -> PathBuf {
        self.folder.join("containerd.sock")
    }

    pub(crate) fn pod_logs(&self) -> PathBuf {
        self.folder.join("pod-logs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_share_nothing_on_the_host() {
        let (a, b) = (
            Layout::new("il", true, true).unwrap(),
            Layout::new("bench", true, true).unwrap(),
        );
        assert_ne!(a.folder, b.folder);
        assert_ne!(a.netns, b.netns);
        assert_ne!(a.link(), b.link());
        assert_ne!(a.address(), b.address());
        assert_ne!(a.cgroup(), b.cgroup());
        let [a, b] = [a, b].map(|layout| layout.with(Families::DualStack));
        assert!(a.pods().iter().all(|network| !b.pods().contains(network)));
        assert!(a.addresses().iter().all(|address| !b.addresses().contains(address)));
    }

    #[test]
    fn a_cluster_has_networks_of_each_of_its_families() {
        let layout = || Layout::new("il", true, true).unwrap();
        assert_eq!(layout().with(Families::SingleStack).services(), "10.97.0.0/16");
        let dual = layout().with(Families::DualStack);
        assert_eq!(dual.services(), "10.97.0.0/16,fd00:10:97::/108");
        assert_eq!((dual.pods().len(), dual.addresses().len()), (2, 2));
    }

    #[test]
    fn without_root_there_is_no_node_and_the_ports_are_its_own() {
        let layout = Layout::new("il", true, false).unwrap();
        assert!(!layout.node);
        assert_eq!(layout.address(), "127.0.0.1");
        assert_ne!(layout.api_port(), 6443);
    }

    #[test]
    fn a_name_that_is_no_part_of_a_path_is_refused() {
        assert!(Layout::new("../x", true, true).is_err());
        assert!(Layout::new("", true, true).is_err());
    }
}
