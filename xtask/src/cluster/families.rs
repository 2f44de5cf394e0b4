//! The address families of a native cluster.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::progress::say;

/// The interfaces with an IPv6 address; the kernel has this file if it has IPv6.
const IPV6: &str = "/proc/net/if_inet6";

/// Which addresses nodes, pods and Services have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Families {
    /// One of IPv4. A record without families is of an older version, which started such clusters.
    #[default]
    SingleStack,
    /// One of IPv4 and one of IPv6.
    DualStack,
}

impl Families {
    /// Those of a new cluster.
    pub(crate) fn of_new(single_stack: bool) -> Self {
        if single_stack {
            return Self::SingleStack;
        }
        if Path::new(IPV6).exists() {
            return Self::DualStack;
        }
        say("this kernel has no IPv6, so the cluster has IPv4 only");
        Self::SingleStack
    }
}
