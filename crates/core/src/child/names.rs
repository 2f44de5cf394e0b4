//! The names of children: how they are made, and which link a name was made for. A name never changes, so it is the one
//! mark of a child that nobody can remove.

use super::{Family, Kind};
use crate::hash;

const VIRTUAL_IP: &str = "-vip";
const BINDING: &str = "-binding";
const EGRESS: &str = "-egress";
const DIRECTORY: &str = "-links";
const DIRECTORY_BY_UID: &str = "il-";
/// Hexadecimal digits of a UID's hash in a name.
pub(crate) const DIGITS: usize = 10;
/// Not `-vip-v4`: a link called `…-vip` has a slice with that name.
const SLICES: [&str; 4] = ["-v4", "-v6", "-vip4", "-vip6"];

/// The name of a link's virtual IP.
pub fn virtual_ip(link: &str) -> String {
    format!("{link}{VIRTUAL_IP}")
}

/// The name of a link's binding.
pub fn binding(link: &str) -> String {
    format!("{link}{BINDING}")
}

/// The name of a link's policy. It is unique in the target's namespace, where links of all namespaces may have policies.
pub fn policy(link: &str, uid: &str) -> String {
    format!("{link}-{}", hash::hex(uid, DIGITS))
}

/// The name of a link's policy for the egress of its source, which is in the link's namespace.
pub fn egress(link: &str, uid: &str) -> String {
    format!("{}{EGRESS}", policy(link, uid))
}

/// True for the name of a policy for egress. No other policy of a link ends so.
pub fn is_egress(name: &str) -> bool {
    name.ends_with(EGRESS)
}

/// The name of a link's first slice of a family. The others add their number.
pub(crate) fn slice(link: &str, family: Family, is_under_virtual_ip: bool) -> String {
    let suffix = family.suffix();
    if is_under_virtual_ip {
        format!("{link}-{}", suffix.replace('v', "vip"))
    } else {
        format!("{link}-{suffix}")
    }
}

/// The name of a directory whose source's name cannot be part of it.
pub(crate) fn directory_by_uid(source_uid: &str) -> String {
    format!("{DIRECTORY_BY_UID}{}", hash::hex(source_uid, DIGITS))
}

/// The name of a directory after its source. It may be no valid name of a Service.
pub(crate) fn directory_by_name(instance: &str) -> String {
    format!("{instance}{DIRECTORY}")
}

/// True for a name that a directory, and so an environment, may have.
pub fn is_directory(name: &str) -> bool {
    let by_name = name
        .strip_suffix(DIRECTORY)
        .is_some_and(|instance| !instance.is_empty());
    by_name || name.strip_prefix(DIRECTORY_BY_UID).is_some_and(is_hash)
}

/// The link that a child of this kind with this name was made for. None if no link has such a child.
pub fn link_in(kind: Kind, name: &str) -> Option<&str> {
    let link = match kind {
        Kind::Slice => link_of_slice(name),
        Kind::VirtualIp => name.strip_suffix(VIRTUAL_IP),
        Kind::Binding => name.strip_suffix(BINDING),
        Kind::Policy => name
            .strip_suffix(EGRESS)
            .unwrap_or(name)
            .rsplit_once('-')
            .filter(|(_, hash)| is_hash(hash))
            .map(|(link, _)| link),
        Kind::Directory | Kind::Environment => None,
    };
    link.filter(|link| is_label(link))
}

/// True for a DNS label as in RFC 1123: the name of a namespace, and of each link.
pub fn is_label(text: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

/// True for a DNS subdomain as in RFC 1123: the name of an object.
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label_of_any_length)
}

fn is_label_of_any_length(text: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

fn link_of_slice(name: &str) -> Option<&str> {
    let of_first = |name: &'_ str| SLICES.iter().find_map(|suffix| name.strip_suffix(suffix).map(str::len));
    let first = of_first(name).or_else(|| {
        let (first, number) = name.rsplit_once('-')?;
        // As the operator writes numbers: from 2 on, without a leading zero.
        let is_number = number.parse::<usize>().is_ok_and(|n| n >= 2 && n.to_string() == number);
        of_first(first).filter(|_| is_number)
    })?;
    name.get(..first)
}

fn is_hash(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_read_back_from_the_name_of_each_child() {
        for link in [
            "web-db",
            "x-v4",
            "x-v4-2",
            "a-vip",
            "b-binding",
            "c-0123456789",
            "d-0123456789-egress",
        ] {
            for family in [Family::V4, Family::V6] {
                for under in [false, true] {
                    let first = slice(link, family, under);
                    for name in [first.clone(), format!("{first}-2"), format!("{first}-17")] {
                        assert_eq!(link_in(Kind::Slice, &name), Some(link), "{name}");
                    }
                }
            }
            assert_eq!(link_in(Kind::VirtualIp, &virtual_ip(link)), Some(link));
            assert_eq!(link_in(Kind::Binding, &binding(link)), Some(link));
            let (ingress, egress) = (policy(link, "some uid"), egress(link, "some uid"));
            assert_eq!(link_in(Kind::Policy, &ingress), Some(link));
            assert_eq!(link_in(Kind::Policy, &egress), Some(link));
            assert!(is_egress(&egress) && !is_egress(&ingress));
        }
        assert!(is_directory(&directory_by_uid("some uid")) && is_directory(&directory_by_name("web")));
    }

    #[test]
    fn a_name_that_no_child_has_leads_to_no_link() {
        for (kind, name) in [
            (Kind::Slice, "web-db"),
            (Kind::Slice, "web-db-v4-1"),
            (Kind::Slice, "web-db-v4-02"),
            (Kind::Slice, "web-db-v4-x"),
            (Kind::Slice, "-v4"),
            (Kind::Slice, "web.db-v4"),
            (Kind::VirtualIp, "-vip"),
            (Kind::VirtualIp, "web-db"),
            (Kind::Binding, "web-db"),
            (Kind::Policy, "web-db"),
            (Kind::Policy, "web-db-0123456789a"),
            (Kind::Policy, "web-db-egress"),
            (Kind::Policy, "-0123456789-egress"),
            (Kind::Policy, "web-db-012345678X"),
            (Kind::Directory, "web-links"),
        ] {
            assert_eq!(link_in(kind, name), None, "{name}");
        }
        for name in ["web", "-links", "il-", "il-012345678", "il-01234567890"] {
            assert!(!is_directory(name), "{name}");
        }
    }

    #[test]
    fn names_of_objects_are_labels_with_dots() {
        for name in ["a", "a.b-c.0", "0"] {
            assert!(is_subdomain(name), "{name}");
        }
        let long = "a".repeat(254);
        for name in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "A",
            "a/b",
            "..",
            "a%2f",
            "-a",
            "a-",
            "ä",
            long.as_str(),
        ] {
            assert!(!is_subdomain(name), "{name}");
            assert!(!is_label(name), "{name}");
        }
        assert!(!is_label("a.b") && is_label("a-b"));
    }
}
