//! The `uri` entry of a binding (RFC 3986).

/// True for a valid scheme: the part before `://`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// The URI of the alias, with the type as scheme; none if the type is not a valid scheme.
pub(super) fn of(type_: &str, host: &str, port: u16) -> Option<String> {
    is_scheme(type_).then(|| format!("{type_}://{host}:{port}"))
}

/// The URI with the alias as its host. Credentials, path and query stay, and the port too if the link has none. None for a
/// URI with several hosts or none, because a client would bypass the link.
pub(super) fn redirected(uri: &str, host: &str, port: Option<u16>) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    // jdbc:postgresql://…
    let is_plain = scheme.split(':').all(is_scheme) && !scheme.ends_with("+srv");
    if !is_plain || !uri.is_ascii() || uri.contains(|c: char| c.is_ascii_control() || c == ' ') {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, names) = match authority.rsplit_once('@') {
        Some((user, names)) => (format!("{user}@"), names),
        None => (String::new(), authority),
    };
    if names.contains(',') {
        return None;
    }
    let port = port.or_else(|| names.rsplit_once(':')?.1.parse().ok());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{user}{host}{port}{tail}"))
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
