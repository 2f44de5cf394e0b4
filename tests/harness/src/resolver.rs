//! The resolvers that programs in pods bring with them. Given one search list and one DNS server they do not always say
//! the same.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::workload::pod_template;

/// Whose resolver a client pod asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolver {
    /// The C library of Alpine and of static binaries; the tests' workload.
    Musl,
    /// The C library of most distributions; `getent` in the image of PostgreSQL.
    Glibc,
    /// Go's own, in a program without a C library.
    Go,
}

impl Resolver {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Musl, Self::Glibc, Self::Go];

    /// A pod that waits to be asked.
    pub(crate) fn pod_template(self, labels: &Value) -> Value {
        let mut pod = pod_template(labels, &["sleep"]);
        let container = &mut pod["spec"]["containers"][0];
        match self {
            Self::Musl => {}
            Self::Glibc => {
                container["image"] = "localhost/postgres:dev".into();
                container["command"] = json!(["sleep"]);
                container["args"] = json!(["infinity"]);
            }
            Self::Go => container["image"] = "localhost/resolver:dev".into(),
        }
        pod
    }

    /// The command that asks for a name's addresses.
    pub(crate) fn question(self, name: &str) -> Vec<&str> {
        match self {
            Self::Musl => vec!["/workload", "resolve", name],
            Self::Glibc => vec!["getent", "ahosts", name],
            Self::Go => vec!["/resolver", "address", name],
        }
    }

    /// What the command's output means: no address where there is no such name, an error where nobody could tell.
    pub(crate) fn answer(self, ok: bool, printed: &str) -> Result<BTreeSet<IpAddr>, String> {
        let first = |line: &str| {
            line.split_whitespace()
                .next()
                .map(|word| word.parse().expect("an address"))
        };
        // getent says nothing of why it found nothing.
        if ok {
            Ok(printed.lines().filter_map(first).collect())
        } else if printed.contains("no such name") || (self == Self::Glibc && !printed.contains("OCI runtime")) {
            Ok(BTreeSet::new())
        } else {
            Err(printed.to_owned())
        }
    }

    /// The command that asks for a name's SRV records. No C library has a call for them: musl's image has none, and in
    /// glibc's it is busybox's own program, which does not know the search list.
    pub(crate) fn question_for_ports(self, name: &str) -> Vec<&str> {
        match self {
            Self::Musl => panic!("the workload asks for addresses only"),
            Self::Glibc => vec!["nslookup", "-type=srv", name],
            Self::Go => vec!["/resolver", "srv", name],
        }
    }

    /// Ports and hosts in what the command printed.
    pub(crate) fn ports(self, printed: &str) -> BTreeSet<(u16, String)> {
        let records = printed.lines().filter_map(|line| match self {
            Self::Go => line.split_once(' '),
            // `_db._tcp.x service = <priority> <weight> <port> <host>`
            Self::Musl | Self::Glibc => line.split_once("service = ")?.1.splitn(3, ' ').nth(2)?.split_once(' '),
        });
        records
            .map(|(port, host)| {
                let host = host.trim().trim_end_matches('.').to_owned();
                (port.parse().expect("a port"), host)
            })
            .collect()
    }
}
