//! The name of a source's directory, and of an alias in it (contract#directory-name, contract#dns-names).

use instancelink_api::InstanceLink;

use crate::child::names::{directory_by_name, directory_by_uid};

/// Longest name of a Service.
const LABEL_LENGTH: usize = 63;

/// The name of a source's directory Service and of its environment ConfigMap: `<instance>-links`, or `il-<10 hex digits>` of
/// the source's UID if that is not a valid name for a Service. Names of instances may have dots, a leading digit, and up to
/// 253 characters.
pub fn directory_name(instance_name: &str, source_uid: &str) -> String {
    let name = directory_by_name(instance_name);
    if is_dns_1035_label(&name) {
        name
    } else {
        directory_by_uid(source_uid)
    }
}

/// The directory of a link's source. Without `source_uid`, the UID in the status is used.
pub fn directory_of(link: &InstanceLink, source_uid: Option<&str>) -> String {
    let remembered = link.status.as_ref().and_then(|status| status.instance_id.as_deref());
    let uid = source_uid.or(remembered).unwrap_or_default();
    directory_name(&link.spec.instance_ref.name, uid)
}

/// The same, if it is known. A name that is made of the UID of a source is not, before the source was seen.
pub fn known_directory_of(link: &InstanceLink, source_uid: Option<&str>) -> Option<String> {
    let remembered = link.status.as_ref().and_then(|status| status.instance_id.as_deref());
    let uid = source_uid.or(remembered).unwrap_or_default();
    let is_known = !uid.is_empty() || is_dns_1035_label(&directory_by_name(&link.spec.instance_ref.name));
    is_known.then(|| directory_of(link, source_uid))
}

/// The alias as a fully qualified name in the cluster, without a trailing dot.
pub fn fqdn(alias: &str, directory: &str, namespace: &str, domain: &str) -> String {
    format!("{}.{domain}", host(alias, directory, namespace))
}

/// The alias as a name that every pod resolves with any cluster domain.
pub fn host(alias: &str, directory: &str, namespace: &str) -> String {
    format!("{alias}.{directory}.{namespace}.svc")
}

fn is_dns_1035_label(name: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.len() <= LABEL_LENGTH
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contract#directory-name
    #[test]
    fn a_directory_has_the_name_of_its_source() {
        assert_eq!(directory_name("web", "uid"), "web-links");
    }

    /// contract#directory-name
    #[test]
    fn a_source_whose_name_is_no_service_name_has_a_directory_named_by_its_uid() {
        let long = "w".repeat(58);
        for name in ["web.v2", "2web", long.as_str()] {
            let directory = directory_name(name, "uid");
            assert!(is_dns_1035_label(&directory), "{directory}");
            assert_eq!(directory.len(), "il-".len() + 10);
            assert_ne!(directory, directory_name(name, "another uid"));
        }
        assert_eq!(directory_name(&"w".repeat(57), "uid").len(), 63);
    }

    /// contract#dns-names
    #[test]
    fn an_alias_is_a_name_under_its_directory() {
        assert_eq!(
            fqdn("db", "web-links", "shop", "cluster.local"),
            "db.web-links.shop.svc.cluster.local"
        );
    }
}
