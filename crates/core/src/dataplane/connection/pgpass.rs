//! The password file of `PostgreSQL`: lines of `host:port:database:user:password`, with `\:` and `\\` in a field.

use super::hosts::plain;
use super::origins::Origins;
use super::{Alias, Connection};

/// Only lines for the original host get the alias. Without a known host, it is the only one of the file.
pub(super) fn parse(text: &str, alias: Alias<'_>, origins: &Origins) -> Option<Connection> {
    let lines: Vec<Line<'_>> = text.split('\n').map(Line::of).collect::<Option<_>>()?;
    let mut hosts: Vec<String> = lines.iter().filter_map(Line::host).map(plain).collect();
    hosts.retain(|host| host != "*");
    hosts.sort();
    hosts.dedup();
    let is_single = hosts.len() == 1;
    let is_ours = |host: &str| {
        let host = plain(host);
        host != "*" && (origins.has(&host) || (origins.are_unknown() && is_single))
    };
    let has_ours = hosts.iter().any(|host| is_ours(host));
    if has_ours {
        hosts.retain(|host| is_ours(host));
    }
    let redirected = lines.iter().map(|line| match line {
        Line::Comment(line) => (*line).to_owned(),
        Line::Entry { host, port, rest } if is_ours(host) => {
            let number = alias.port.filter(|_| *port != "*").map(|number| number.to_string());
            format!("{}:{}:{rest}", alias.host, number.as_deref().unwrap_or(port))
        }
        Line::Entry { host, port, rest } => format!("{host}:{port}:{rest}"),
    });
    let redirected: Vec<String> = redirected.collect();
    Some(Connection {
        hosts,
        redirected: has_ours.then(|| redirected.join("\n")),
        is_web: false,
    })
}

/// A line of the file.
enum Line<'a> {
    /// A comment or an empty line.
    Comment(&'a str),
    Entry {
        host: &'a str,
        port: &'a str,
        rest: &'a str,
    },
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Option<Self> {
        if line.trim().is_empty() || line.starts_with('#') {
            return Some(Self::Comment(line));
        }
        let (host, rest) = field(line)?;
        let (port, rest) = field(rest)?;
        let (_database, tail) = field(rest)?;
        let (_user, _password) = field(tail)?;
        Some(Self::Entry { host, port, rest })
    }

    const fn host(&self) -> Option<&'a str> {
        match self {
            Self::Comment(_) => None,
            Self::Entry { host, .. } => Some(host),
        }
    }
}

/// The first field of a line, and what follows its colon.
fn field(line: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = line.bytes().position(|byte| {
        let ends = byte == b':' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    Some((line.get(..end)?, line.get(end + 1..)?))
}
