//! `jdbc:oracle:thin:[user/password]@[//]host[:port][:sid|/service]`, and descriptors in parentheses, which are not changed.

use super::hosts::plain;
use super::{Alias, Connection};

pub(super) fn parse(text: &str, alias: Alias<'_>) -> Option<Connection> {
    if !text.starts_with("jdbc:oracle:") {
        return None;
    }
    let (head, rest) = text.rsplit_once('@')?;
    if rest.trim_start().starts_with('(') {
        let lower = rest.to_ascii_lowercase().replace(' ', "");
        let hosts = lower.split("(host=").skip(1).filter_map(|rest| rest.split(')').next());
        return Some(Connection {
            hosts: hosts.map(plain).collect(),
            redirected: None,
            is_web: false,
        });
    }
    let (slashes, address) = rest.strip_prefix("//").map_or(("", rest), |address| ("//", address));
    let end = address.find([':', '/', '?']).unwrap_or(address.len());
    let (host, tail) = address.split_at_checked(end)?;
    let after_colon = tail.strip_prefix(':').unwrap_or_default();
    let digits = after_colon
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(after_colon.len());
    let (port, after_port) = after_colon.split_at_checked(digits)?;
    let tail = if port.is_empty() { tail } else { after_port };
    let port = alias.port.or_else(|| port.parse().ok());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(Connection {
        hosts: host.split(',').map(plain).collect(),
        redirected: (!host.contains(',')).then(|| format!("{head}@{slashes}{}{port}{tail}", alias.host)),
        is_web: false,
    })
}
