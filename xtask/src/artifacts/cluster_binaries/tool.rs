//! The list of the cluster's programs, with the package of each, and the command that prints the version of an
//! installed one.

/// Must be the version in `tools/cluster/go.mod`; a test compares them.
pub(super) const KUBERNETES: &str = "1.37.2";
/// The same for etcd.
const ETCD_VERSION: &str = "3.7.3";

/// A program of the cluster: its file name, its package, and how one of the machine says which version it is.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(super) package: &'static str,
    pub(super) version: Option<Version>,
}

/// The arguments that make a program print its version, and what the line begins with.
#[derive(Clone, Copy)]
pub(super) struct Version {
    pub(super) arguments: &'static [&'static str],
    prefix: &'static str,
    pub(super) number: &'static str,
}

const fn kubernetes(name: &'static str, package: &'static str) -> Tool {
    Tool {
        name,
        package,
        version: Some(Version {
            arguments: &["--version"],
            prefix: "Kubernetes v",
            number: KUBERNETES,
        }),
    }
}

pub(crate) const KUBECTL: Tool = Tool {
    name: "kubectl",
    package: "k8s.io/kubernetes/cmd/kubectl",
    version: Some(Version {
        arguments: &["version", "--client"],
        prefix: "Client Version: v",
        number: KUBERNETES,
    }),
};
const ETCD: Tool = Tool {
    name: "etcd",
    package: "go.etcd.io/etcd/server/v3",
    version: Some(Version {
        arguments: &["--version"],
        prefix: "etcd Version: ",
        number: ETCD_VERSION,
    }),
};
const API_SERVER: Tool = kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver");
const CONTROLLERS: Tool = kubernetes(
    "kube-controller-manager",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
);
const SCHEDULER: Tool = kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler");
const KUBELET: Tool = kubernetes("kubelet", "k8s.io/kubernetes/cmd/kubelet");
const PROXY: Tool = kubernetes("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy");
/// Always built here: it runs in an image of one file, and one of the machine may need libraries.
const COREDNS: Tool = Tool {
    name: "coredns",
    package: "./coredns",
    version: None,
};

/// What a cluster without a node needs.
pub(crate) const CONTROL_PLANE: &[Tool] = &[KUBECTL, ETCD, API_SERVER, CONTROLLERS];
/// What a cluster with a node needs.
pub(crate) const WITH_NODE: &[Tool] = &[
    KUBECTL,
    ETCD,
    API_SERVER,
    CONTROLLERS,
    SCHEDULER,
    KUBELET,
    PROXY,
    COREDNS,
];

impl Tool {
    /// The file that Go builds its package as: the last part of the path that is no version.
    pub(super) fn built_as(self) -> &'static str {
        let is_version = |part: &str| {
            part.strip_prefix('v')
                .is_some_and(|digits| digits.parse::<u32>().is_ok())
        };
        let name = self.package.rsplit('/').find(|part| !is_version(part));
        name.unwrap_or(self.package)
    }
}

impl Version {
    /// Whether the output of a program has exactly this version.
    pub(super) fn is_printed_in(self, text: &str) -> bool {
        let printed = text.lines().find_map(|line| line.strip_prefix(self.prefix));
        printed.is_some_and(|version| version.trim() == self.number)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::paths;

    #[test]
    fn the_versions_in_programs_are_the_versions_pinned() {
        let pins = fs::read_to_string(paths::checkout().join("tools/cluster/go.mod")).unwrap();
        assert!(pins.contains(&format!("k8s.io/kubernetes v{KUBERNETES} ")));
        assert!(pins.contains(&format!("go.etcd.io/etcd/server/v3 v{ETCD_VERSION} ")));
    }

    #[test]
    fn a_program_of_the_machine_is_used_only_in_exactly_the_pinned_version() {
        let kubectl = KUBECTL.version.unwrap();
        assert!(kubectl.is_printed_in(&format!("Client Version: v{KUBERNETES}\nKustomize Version: v5.8.1\n")));
        assert!(!kubectl.is_printed_in(&format!("Client Version: v{KUBERNETES}-distribution.3\n")));
        assert!(!kubectl.is_printed_in("Client Version: v1.36.0\n"));
        assert!(!kubectl.is_printed_in("error: unknown command\n"));
        let etcd = ETCD.version.unwrap();
        assert!(etcd.is_printed_in(&format!("etcd Version: {ETCD_VERSION}\nGit SHA: 1234567\n")));
    }

    #[test]
    fn go_names_a_program_by_the_last_part_of_its_package_that_is_no_version() {
        assert_eq!(ETCD.built_as(), "server");
        assert_eq!(KUBELET.built_as(), "kubelet");
        assert_eq!(COREDNS.built_as(), "coredns");
    }
}
