//! Names of hosts, and which of them are the same.

/// A host in lower case, without the brackets of IPv6 and without a final dot.
pub(super) fn plain(host: &str) -> String {
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// True for the same name, with and without the domains that a search list adds.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    a == b || begins_with_name(a, b) || begins_with_name(b, a)
}

fn begins_with_name(long: &str, name: &str) -> bool {
    !name.is_empty() && long.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
}

/// True for the name of the alias, with or without the domain of the cluster. A shorter name may be another Service.
pub(super) fn is_alias(host: &str, alias: &str) -> bool {
    let host = plain(host);
    host == alias || begins_with_name(&host, alias)
}
