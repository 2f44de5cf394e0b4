//! Debian packages that a task needs. Each installation is announced.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command;
use crate::progress::{say, step};

/// A package, and how to see that its programs are there, from Debian or from elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct Package {
    name: &'static str,
    there: fn() -> bool,
}

/// What a node needs beside the binaries that are built here.
pub(crate) const NODE: &[Package] = &[
    Package {
        name: "containerd",
        there: || command::find("containerd").is_some(),
    },
    Package {
        name: "runc",
        there: || command::find("runc").is_some(),
    },
    Package {
        name: "containernetworking-plugins",
        there: || Path::new("/usr/lib/cni/bridge").exists(),
    },
    Package {
        name: "iproute2",
        there: || command::find("ip").is_some(),
    },
    Package {
        name: "nftables",
        there: || command::find("nft").is_some(),
    },
    Package {
        name: "conntrack",
        there: || command::find("conntrack").is_some(),
    },
    Package {
        name: "ethtool",
        there: || command::find("ethtool").is_some(),
    },
    Package {
        name: "socat",
        there: || command::find("socat").is_some(),
    },
];

/// What a cluster needs to enforce NetworkPolicies.
pub(crate) const POLICIES: &[Package] = &[
    Package {
        name: "iptables",
        there: || command::find("iptables").is_some(),
    },
    Package {
        name: "ipset",
        there: || command::find("ipset").is_some(),
    },
];

/// The packages for a control plane in a separate network namespace.
pub(crate) const NAMESPACE: &[Package] = &[Package {
    name: "iproute2",
    there: || command::find("ip").is_some(),
}];

/// The C compiler for static binaries: some dependencies have C and assembler in them.
pub(crate) const STATIC: &[Package] = &[
    Package {
        name: "musl-tools",
        there: || command::find("musl-gcc").is_some(),
    },
    Package {
        name: "make",
        there: || command::find("make").is_some(),
    },
];

/// Counts instructions.
pub(crate) const CALLGRIND: &[Package] = &[Package {
    name: "valgrind",
    there: || command::find("valgrind").is_some(),
}];

/// Installs the missing packages.
pub(crate) fn ensure(packages: &[Package]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().filter(|p| !(p.there)()).map(|p| p.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if command::find("apt-get").is_none() {
        bail!(
            "missing: {list} (Debian's package names); install the packages that your system has for them, then run this again"
        );
    }
    if !crate::paths::is_root() {
        bail!("missing: {list}; install them with `sudo apt-get install {list}`, then run this again");
    }
    say(&format!("installing Debian packages: {list}"));
    step(&format!("install {list}"), || {
        let apt = || {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet=2");
            apt
        };
        command::capture(apt().arg("update"))?;
        command::capture(
            apt()
                .args(["install", "--yes", "--no-install-recommends"])
                .args(&missing),
        )?;
        Ok(())
    })
}
