//! The original hosts of a Secret, and whether a text mentions one of them.

use super::hosts::{is_same, plain};
use super::uri;
use crate::child::Entries;

/// Words in the names of entries that have a host.
const OF_HOSTS: [&str; 8] = ["host", "server", "addr", "endpoint", "url", "uri", "dsn", "fqdn"];

/// The hosts to which the referenced Secret leads, by its entries `host` and `uri`.
pub(super) struct Origins(Vec<String>);

impl Origins {
    pub(super) fn of(entries: &Entries) -> Self {
        let text = |key: &str| std::str::from_utf8(entries.get(key)?.reveal()).ok();
        let mut hosts: Vec<String> = text("host").map(|host| plain(host.trim())).into_iter().collect();
        hosts.extend(text("uri").map(|uri| uri::hosts(uri.trim_end())).unwrap_or_default());
        hosts.retain(|host| !host.is_empty());
        Self(hosts)
    }

    /// The Secret does not say which host it is about.
    pub(super) const fn are_unknown(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, host: &str) -> bool {
        let host = plain(host);
        self.0.iter().any(|origin| is_same(origin, &host))
    }

    /// True if a text of an unknown form mentions one of them in a way that a client can connect to. A word that only equals a
    /// short host name, such as a user `pg`, does not count.
    pub(super) fn are_mentioned(&self, key: &str, text: &str) -> bool {
        if self.are_unknown() {
            return false;
        }
        let key = key.to_ascii_lowercase();
        let is_of_host = OF_HOSTS.iter().any(|word| key.contains(word));
        words(text).any(|(word, rest)| {
            let has_port = rest
                .strip_prefix(':')
                .is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
            (word.contains('.') || is_of_host || has_port) && self.has(word)
        })
    }
}

/// The words of a text that can be hosts, each with the text that follows it.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(is_of_host)?;
        let word = rest.get(start..)?;
        let end = word.find(|c| !is_of_host(c)).unwrap_or(word.len());
        let (word, after) = word.split_at_checked(end)?;
        rest = after;
        Some((word, after))
    })
}
