//! `[user[:password]@]tcp(host[:port])/database[?options]`: the DSN of Go's driver for `MySQL`.

use super::hosts::plain;
use super::{Alias, Connection};

pub(super) fn parse(text: &str, alias: Alias<'_>) -> Option<Connection> {
    // A password may have the same characters.
    let at = text.rfind("tcp(")? + "tcp(".len();
    let (head, rest) = text.split_at_checked(at)?;
    let (address, tail) = rest.split_once(')')?;
    let is_form = (head == "tcp(" || head.ends_with("@tcp(")) && tail.starts_with('/');
    if !is_form {
        return None;
    }
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') => (host, port.parse().ok()),
        _ => (address, None),
    };
    let port = alias.port.or(port);
    let port = port.map(|port: u16| format!(":{port}")).unwrap_or_default();
    Some(Connection {
        hosts: vec![plain(host)],
        redirected: Some(format!("{head}{}{port}){tail}", alias.host)),
        is_web: false,
    })
}
