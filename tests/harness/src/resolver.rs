//! The resolvers of programs in pods. With the same search list and DNS server they do not always give the same answer.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::workload::pod_template;

/// The resolver that a client pod uses.
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
    /// All resolvers.
    pub const ALL: [Self; 3] = [Self::Musl, Self::Glibc, Self::Go];

    /// A pod that waits for commands.
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

    /// The command that looks up the addresses of a name.
    pub(crate) fn question(self, name: &str) -> Vec<&str> {
        match self {
            Self::Musl => vec!["/workload", "resolve", name],
            Self::Glibc => vec!["getent", "ahosts", name],
            Self::Go => vec!["/resolver", "address", name],
        }
    }

    /// The meaning of the command's output: no address if the name does not exist, an error if the DNS gave no answer.
    pub(crate) fn answer(self, ok: bool, printed: &str) -> Result<BTreeSet<IpAddr>, String> {
        let first = |line: &str| {
            line.split_whitespace()
                .next()
                .map(|word| word.parse().expect("an address"))
        };
        // getent does not say why it found nothing.
        if ok {
            Ok(printed.lines().filter_map(first).collect())
        } else if printed.contains("no such name") || (self == Self::Glibc && !printed.contains("OCI runtime")) {
            Ok(BTreeSet::new())
        } else {
            Err(printed.to_owned())
        }
    }

    /// The command that looks up the SRV records of a name. No C library has a function for them: the musl image has no
    /// program, and in the glibc image it is busybox's program, which does not use the search list.
    pub(crate) fn question_for_ports(self, name: &str) -> Vec<&str> {
        match self {
            Self::Musl => panic!("the workload asks for addresses only"),
            Self::Glibc => vec!["nslookup", "-type=srv", name],
            Self::Go => vec!["/resolver", "srv", name],
        }
    }

    /// The ports and hosts in the command's output.
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
