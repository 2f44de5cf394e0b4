//! The part of URLs these tests need: `http://host[:port][/path]`.

use anyhow::{Context as _, Result, bail};

/// The address and the path of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
}

impl Address {
    /// Assumes `http://` if it is left out.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        if url.starts_with("https://") {
            bail!("{url} is https; this client speaks http only");
        }
        let rest = url.strip_prefix("http://").unwrap_or(url);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = if let Some(bracketed) = authority.strip_prefix('[') {
            let (host, after) = bracketed
                .split_once(']')
                .with_context(|| format!("{url}: the bracket is not closed"))?;
            (host, after.strip_prefix(':'))
        } else {
            match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            }
        };
        let port = match port {
            Some(port) => port.parse().with_context(|| format!("{url}: '{port}' is not a port"))?,
            None => 80,
        };
        if host.is_empty() {
            bail!("{url} names no host");
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            path: format!("/{path}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (String, u16, String) {
        let a = Address::parse(url).unwrap();
        (a.host, a.port, a.path)
    }

    #[test]
    fn port_path_and_scheme_may_be_left_out() {
        assert_eq!(parsed("db"), ("db".into(), 80, "/".into()));
        assert_eq!(parsed("http://db:5432/a/b"), ("db".into(), 5432, "/a/b".into()));
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        assert_eq!(parsed("http://[fd00::1]:81/"), ("fd00::1".into(), 81, "/".into()));
    }
}
