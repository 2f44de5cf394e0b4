//! The entries of a Secret that say where to connect. An entry in a known form gets the alias as its host. Any other entry that
//! leads to the original host is named, because a client that uses it bypasses the link (contract#entries-past-the-alias).

mod go_dsn;
mod hosts;
mod keywords;
mod oracle;
mod origins;
mod pgpass;
mod uri;

use crate::child::{Confidential, Entries};
use origins::Origins;

pub(super) use uri::{of as uri_of, redirected as redirected_uri};

/// Entries that the link has itself. What the referenced Secret has under these names is not copied.
const OWN: [&str; 5] = ["type", "provider", "host", "port", "uri"];

/// The alias, as clients connect to it. Without a port, that of an entry stays.
#[derive(Clone, Copy)]
pub(super) struct Alias<'a> {
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
}

/// An entry in a known form. It has a secret value, so it cannot be shown.
struct Connection {
    /// The hosts to which it leads.
    hosts: Vec<String>,
    /// The same entry with the alias; none if that is not possible.
    redirected: Option<String>,
    /// A page or an interface beside the service: it may lead anywhere.
    is_web: bool,
}

/// What becomes of an entry.
enum Verdict {
    Unchanged,
    Redirected(String),
    PastTheAlias,
}

/// Gives the entries the alias. Returns the names of those that lead past it.
pub(super) fn redirect(entries: &mut Entries, alias: Alias<'_>) -> Vec<String> {
    let origins = Origins::of(entries);
    let mut past = Vec::new();
    for (key, value) in entries.iter_mut().filter(|(key, _)| !OWN.contains(&key.as_str())) {
        let Ok(text) = std::str::from_utf8(value.reveal()) else {
            continue;
        };
        match judge(key, text, alias, &origins) {
            Verdict::Unchanged => {}
            Verdict::Redirected(text) => *value = Confidential::from(text.as_str()),
            Verdict::PastTheAlias => past.push(key.clone()),
        }
    }
    past
}

fn judge(key: &str, text: &str, alias: Alias<'_>, origins: &Origins) -> Verdict {
    // A file often ends with a line break.
    let body = text.trim_end();
    let end = text.get(body.len()..).unwrap_or_default();
    let Some(connection) = parse(key, body, alias, origins) else {
        return if origins.are_mentioned(key, body) {
            Verdict::PastTheAlias
        } else {
            Verdict::Unchanged
        };
    };
    let hosts = || connection.hosts.iter().map(String::as_str);
    if hosts().all(|host| hosts::is_alias(host, alias.host)) {
        return Verdict::Unchanged;
    }
    let is_ours = |host: &str| origins.has(host) || (origins.are_unknown() && !connection.is_web);
    match &connection.redirected {
        Some(redirected) if hosts().all(is_ours) => Verdict::Redirected(format!("{redirected}{end}")),
        Some(_) | None if connection.is_web && !hosts().any(|host| origins.has(host)) => Verdict::Unchanged,
        Some(_) | None => Verdict::PastTheAlias,
    }
}

fn parse(key: &str, text: &str, alias: Alias<'_>, origins: &Origins) -> Option<Connection> {
    if key.contains("pgpass") {
        return pgpass::parse(text, alias, origins);
    }
    oracle::parse(text, alias)
        .or_else(|| uri::parse(text, alias))
        .or_else(|| go_dsn::parse(text, alias))
        .or_else(|| keywords::parse(text, alias))
}

#[cfg(test)]
mod tests;
