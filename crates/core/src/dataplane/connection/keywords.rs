//! Lists of keywords: `host=pg port=5432 password='a b'` of libpq, and `Server=pg,1433;Password="a;b"` of ADO.NET and ODBC.

mod pairs;

use super::hosts::plain;
use super::{Alias, Connection};
use pairs::Pair;

/// The keywords of a host.
const HOSTS: [&str; 7] = [
    "host",
    "server",
    "data source",
    "datasource",
    "address",
    "addr",
    "network address",
];

pub(super) fn parse(text: &str, alias: Alias<'_>) -> Option<Connection> {
    let pairs = pairs::with_semicolons(text).or_else(|| pairs::with_spaces(text))?;
    let mut hosts = Vec::new();
    let mut is_possible = true;
    let mut changes: Vec<(&Pair, String)> = Vec::new();
    for pair in &pairs {
        let value = text.get(pair.value.clone())?.trim_matches(['\'', '"']);
        match pair.key.as_str() {
            key if HOSTS.contains(&key) => {
                let (scheme, address) = value
                    .strip_prefix("tcp:")
                    .map_or(("", value), |address| ("tcp:", address));
                let (host, port) = address
                    .split_once(',')
                    .map_or((address, None), |(host, port)| (host, Some(port)));
                hosts.push(plain(host));
                // A list of hosts, `host\instance` without a port, or a socket.
                is_possible &=
                    port.is_none_or(|port| port.trim().parse::<u16>().is_ok()) && !host.contains(['\\', '/']);
                let port = port.map(|port| {
                    alias
                        .port
                        .map_or_else(|| port.trim().to_owned(), |port| port.to_string())
                });
                let port = port.map(|port| format!(",{port}")).unwrap_or_default();
                changes.push((pair, format!("{scheme}{}{port}", alias.host)));
            }
            // libpq connects to this address and not to `host`.
            "hostaddr" => {
                hosts.push(plain(value));
                is_possible = false;
            }
            "port" => changes.extend(alias.port.map(|port| (pair, port.to_string()))),
            _ => {}
        }
    }
    if hosts.is_empty() {
        return None;
    }
    let redirected = if is_possible {
        Some(with_values(text, &changes)?)
    } else {
        None
    };
    Some(Connection {
        hosts,
        redirected,
        is_web: false,
    })
}

/// The text with these values, which are in the order of the text.
fn with_values(text: &str, values: &[(&Pair, String)]) -> Option<String> {
    let mut changed = String::new();
    let mut from = 0;
    for (pair, value) in values {
        changed.push_str(text.get(from..pair.value.start)?);
        changed.push_str(value);
        from = pair.value.end;
    }
    changed.push_str(text.get(from..)?);
    Some(changed)
}
