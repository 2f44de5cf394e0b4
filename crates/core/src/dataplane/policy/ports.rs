//! The ports of a policy. Contiguous numbers of one protocol are one range.

use std::collections::BTreeSet;

use instancelink_api::spec::Protocol;
use k8s_openapi::api::networking::v1::NetworkPolicyPort;

use crate::resolve::pod_ports::PodPort;

/// The ports as a policy lists them, in their order: numbers before names.
pub(super) fn listed(ports: &BTreeSet<(Protocol, PodPort)>) -> Vec<NetworkPolicyPort> {
    let mut listed: Vec<NetworkPolicyPort> = Vec::new();
    // The protocol and the last number of the range that the next number can continue.
    let mut last: Option<(Protocol, u16)> = None;
    for (protocol, port) in ports {
        let number = match port {
            PodPort::Number(number) => Some(*number),
            PodPort::Name(_) => None,
        };
        let previous = number.and_then(|number| number.checked_sub(1));
        match listed.last_mut() {
            Some(range) if previous.is_some() && last == previous.map(|previous| (*protocol, previous)) => {
                range.end_port = number.map(i32::from);
            }
            _ => listed.push(NetworkPolicyPort {
                protocol: Some(protocol.as_str().to_owned()),
                port: Some(port.clone().into()),
                end_port: None,
            }),
        }
        last = number.map(|number| (*protocol, number));
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ports: &[(Protocol, PodPort)]) -> Vec<String> {
        let listed = listed(&ports.iter().cloned().collect());
        let shown = |port: &NetworkPolicyPort| {
            let number = serde_json::to_string(&port.port).unwrap();
            let end = port.end_port.map(|end| format!("-{end}")).unwrap_or_default();
            format!("{} {number}{end}", port.protocol.as_deref().unwrap_or_default())
        };
        listed.iter().map(shown).collect()
    }

    /// contract#network-policy
    #[test]
    fn contiguous_ports_of_one_protocol_are_one_range() {
        let tcp = |number| (Protocol::Tcp, PodPort::Number(number));
        let udp = |number| (Protocol::Udp, PodPort::Number(number));
        let name = |name: &str| (Protocol::Tcp, PodPort::Name(name.to_owned()));
        assert_eq!(shown(&[tcp(5432)]), ["TCP 5432"]);
        assert_eq!(shown(&[tcp(80), tcp(81), tcp(82), tcp(84)]), ["TCP 80-82", "TCP 84"]);
        assert_eq!(shown(&[tcp(80), udp(81)]), ["TCP 80", "UDP 81"]);
        assert_eq!(shown(&[tcp(65534), tcp(65535), udp(1)]), ["TCP 65534-65535", "UDP 1"]);
        assert_eq!(shown(&[tcp(1), tcp(2), name("sql")]), ["TCP 1-2", "TCP \"sql\""]);
        assert_eq!(shown(&[]), Vec::<String>::new());
    }
}
