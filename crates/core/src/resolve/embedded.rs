//! The IPv4 address in an IPv6 address that stands for it (contract#excluded-addresses).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The IPv4 host that this IPv6 address leads to by a standard that fixes its place: the well-known prefix of NAT64 (RFC 6052),
/// 6to4 (RFC 3056), and the compatible form (RFC 4291). The prefixes that a network chooses for itself are not known here.
pub(super) fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let ([0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] | [0, 0, 0, 0, 0, 0, high, low]) =
        address.segments()
    else {
        return None;
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::pods::is_usable;

    /// contract#excluded-addresses
    #[test]
    fn an_address_that_stands_for_a_special_one_is_not_usable() {
        for bad in [
            "64:ff9b::169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::224.0.0.1",
            "64:ff9b::",
            "2002:a9fe:a9fe::1",
            "2002:7f00:1::",
            "::169.254.169.254",
            "::127.0.0.1",
            "::ffff:169.254.169.254",
        ] {
            assert!(!is_usable(&bad.parse::<IpAddr>().unwrap()), "{bad}");
        }
    }

    /// contract#excluded-addresses
    #[test]
    fn the_address_of_an_ordinary_host_behind_nat64_is_usable() {
        for good in [
            "64:ff9b::192.0.2.1",
            "2002:c000:201::1",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9a::a9fe:a9fe",
            "2001:db8::a9fe:a9fe",
            "fd00:ec2::254",
        ] {
            assert!(is_usable(&good.parse::<IpAddr>().unwrap()), "{good}");
        }
    }
}
