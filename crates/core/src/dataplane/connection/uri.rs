//! URIs (RFC 3986), also those of JDBC.

use super::hosts::plain;
use super::{Alias, Connection};

/// Options that lead to another host than the one in front of the path.
const HOST_OPTIONS: [&str; 3] = ["host", "hostaddr", "servername"];
/// Schemes of pages and interfaces.
const WEB: [&str; 4] = ["http", "https", "ws", "wss"];

/// True for a valid scheme: the part before `://`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// The URI of the alias, with the type as scheme; none if the type is not a valid scheme.
pub(in crate::dataplane) fn of(type_: &str, host: &str, port: u16) -> Option<String> {
    is_scheme(type_).then(|| format!("{type_}://{host}:{port}"))
}

/// The URI with the alias as its host. Credentials, path and query stay, and the port too if the link has none. None for a
/// URI with several hosts or none, because a client would bypass the link.
pub(in crate::dataplane) fn redirected(uri: &str, host: &str, port: Option<u16>) -> Option<String> {
    let parts = Parts::of(uri)?;
    let is_looked_up = parts.scheme.ends_with("+srv");
    if is_looked_up || parts.names.contains([',', '\\']) || parts.hosts_in_options().next().is_some() {
        return None;
    }
    let port = port.or_else(|| parts.names.rsplit_once(':')?.1.parse().ok());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let Parts { scheme, user, tail, .. } = parts;
    Some(format!("{scheme}://{user}{host}{port}{tail}"))
}

/// The hosts in a URI.
pub(super) fn hosts(uri: &str) -> Vec<String> {
    Parts::of(uri).map(|parts| parts.hosts()).unwrap_or_default()
}

/// A text that is a URI as a whole.
pub(super) fn parse(text: &str, alias: Alias<'_>) -> Option<Connection> {
    let parts = Parts::of(text)?;
    Some(Connection {
        hosts: parts.hosts(),
        redirected: redirected(text, alias.host, alias.port),
        is_web: WEB.contains(&parts.scheme.to_ascii_lowercase().as_str()),
    })
}

/// `scheme://user@names/path?options`
struct Parts<'a> {
    scheme: &'a str,
    /// With its `@`.
    user: &'a str,
    /// The hosts, with their ports.
    names: &'a str,
    /// Path and options.
    tail: &'a str,
}

impl<'a> Parts<'a> {
    fn of(uri: &'a str) -> Option<Self> {
        if !uri.is_ascii() || uri.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return None;
        }
        let (scheme, rest) = uri.split_once("://")?;
        // jdbc:postgresql://…
        if !scheme.split(':').all(is_scheme) {
            return None;
        }
        // The options of SQL Server follow a semicolon. Elsewhere it may be in a password.
        let ends: &[char] = if scheme == "jdbc:sqlserver" {
            &['/', '?', '#', ';']
        } else {
            &['/', '?', '#']
        };
        let (authority, tail) = rest.split_at_checked(rest.find(ends).unwrap_or(rest.len()))?;
        let (user, names) = authority.split_at_checked(authority.rfind('@').map_or(0, |at| at + 1))?;
        Some(Self {
            scheme,
            user,
            names,
            tail,
        })
    }

    fn hosts(&self) -> Vec<String> {
        let named = self.names.split(',').map(without_port).filter(|host| !host.is_empty());
        named.chain(self.hosts_in_options()).map(plain).collect()
    }

    /// Hosts in the options. A socket is none.
    fn hosts_in_options(&self) -> impl Iterator<Item = &'a str> {
        let options = self.tail.split_once(['?', ';']).map_or("", |(_, options)| options);
        let pairs = options.split(['&', ';']).filter_map(|option| option.split_once('='));
        let of_hosts = pairs.filter(|(key, _)| HOST_OPTIONS.contains(&key.to_ascii_lowercase().as_str()));
        let hosts = of_hosts.flat_map(|(_, value)| value.split(',')).map(without_port);
        hosts.filter(|host| !host.is_empty() && !host.starts_with(['/', '%']))
    }
}

/// A host without its port. The colons of IPv6 are in brackets.
fn without_port(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_is_a_valid_scheme_has_a_uri() {
        assert_eq!(of("postgresql", "db", 5432).unwrap(), "postgresql://db:5432");
        for type_ in ["my sql", "", "7zip", "a/b", "ü"] {
            assert_eq!(of(type_, "db", 1), None, "{type_}");
        }
    }

    #[test]
    fn a_uri_gets_the_alias_as_its_host_and_keeps_the_rest() {
        for (uri, expected) in [
            (
                "postgres://u:p@pg.example:5/shop?a=b#c",
                "postgres://u:p@db:9/shop?a=b#c",
            ),
            ("redis://cache", "redis://db:9"),
            ("http://[fd00::1]:80/x", "http://db:9/x"),
            ("amqp://u:p%40@h", "amqp://u:p%40@db:9"),
            ("jdbc:postgresql://pg/shop", "jdbc:postgresql://db:9/shop"),
            ("mysql://u@h?x=a@b:1", "mysql://u@db:9?x=a@b:1"),
        ] {
            assert_eq!(redirected(uri, "db", Some(9)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_uri_keeps_its_port_if_the_link_has_none() {
        assert_eq!(redirected("a://h:5/x", "db", None).unwrap(), "a://db:5/x");
        assert_eq!(redirected("a://h/x", "db", None).unwrap(), "a://db/x");
    }

    #[test]
    fn a_uri_without_a_single_host_is_left_out() {
        for uri in [
            "mongodb+srv://u:p@cluster.example/db",
            "mongodb://a:1,b:2/db",
            "host=pg user=u",
            "jdbc:oracle:thin:@//h:1/x",
            "a://h/x y",
            "://h",
        ] {
            assert_eq!(redirected(uri, "db", Some(9)), None, "{uri}");
        }
    }
}
