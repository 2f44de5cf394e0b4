//! An HTTP/1.1 GET with a deadline, and with a new name lookup and connection each time: a kept connection would hide
//! the change that a test looks for.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::address::Address;
use crate::resolve::{Answer, lookup};

/// The answer to a GET, and the address that gave it.
pub(crate) struct Response {
    pub(crate) code: u16,
    pub(crate) body: String,
    pub(crate) peer: SocketAddr,
}

/// Tries the addresses of the name in turn until one connects. The deadline covers everything after the lookup.
/// The lookup has the time limit of libc.
pub(crate) fn get(url: &str, timeout: Duration) -> Result<Response> {
    let address = Address::parse(url)?;
    let addresses = match lookup(&address.host) {
        Answer::Addresses(addresses) => addresses,
        Answer::NoSuchName => bail!("{}: no such name", address.host),
        Answer::Failed(text) => bail!("{}: {text}", address.host),
    };
    let deadline = Instant::now() + timeout;
    let mut failure = None;
    for ip in addresses {
        let peer = SocketAddr::new(ip, address.port);
        match TcpStream::connect_timeout(&peer, left(deadline)) {
            Ok(stream) => return exchange(stream, peer, &address, deadline),
            Err(error) => failure = Some(format!("cannot connect to {peer}: {error}")),
        }
    }
    bail!(failure.unwrap_or_else(|| format!("{}: no address", address.host)))
}

fn left(deadline: Instant) -> Duration {
    // The socket API takes zero as "no timeout".
    deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1))
}

fn exchange(mut stream: TcpStream, peer: SocketAddr, address: &Address, deadline: Instant) -> Result<Response> {
    stream.set_write_timeout(Some(left(deadline)))?;
    write!(
        stream,
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        address.path, address.host
    )?;
    let mut raw = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        stream.set_read_timeout(Some(left(deadline)))?;
        let read = stream
            .read(&mut chunk)
            .with_context(|| format!("no complete answer from {peer}"))?;
        if read == 0 {
            break;
        }
        raw.extend_from_slice(chunk.get(..read).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&raw);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .with_context(|| format!("{peer} does not speak HTTP"))?;
    let code = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .with_context(|| format!("{peer} gave no HTTP status"))?;
    Ok(Response {
        code,
        body: body.to_owned(),
        peer,
    })
}
