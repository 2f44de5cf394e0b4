//! Looks up a name with the system's resolver.

use std::io::{self, Write as _};
use std::net::{IpAddr, ToSocketAddrs as _};
use std::process::ExitCode;

use anyhow::{Result, bail};

/// The exit code if the name does not exist, to distinguish it from a failed lookup.
pub(crate) const NO_SUCH_NAME: u8 = 3;

/// The result of a lookup. A name that does not exist is an answer, not a failure.
pub(crate) enum Answer {
    Addresses(Vec<IpAddr>),
    NoSuchName,
    /// The resolver did not answer, or refused.
    Failed(String),
}

/// Sends a new query each time: neither libc nor this program caches.
pub(crate) fn lookup(name: &str) -> Answer {
    match (name, 0).to_socket_addrs() {
        Ok(found) => {
            let mut addresses: Vec<IpAddr> = found.map(|a| a.ip()).collect();
            addresses.sort();
            addresses.dedup();
            Answer::Addresses(addresses)
        }
        // std returns the code of getaddrinfo only as text. musl says "Name does not resolve" (EAI_NONAME) and "Name
        // has no usable address" (EAI_NODATA), glibc "Name or service not known" and "No address associated…"; both say
        // "Try again" or "Temporary failure" if the server could not be reached.
        Err(error) => {
            let text = error.to_string();
            let gone = [
                "Name does not resolve",
                "no usable address",
                "not known",
                "No address associated",
            ];
            if gone.iter().any(|g| text.contains(g)) {
                Answer::NoSuchName
            } else {
                Answer::Failed(text)
            }
        }
    }
}

/// One address in each line.
pub(crate) fn run(name: &str) -> Result<ExitCode> {
    match lookup(name) {
        Answer::Addresses(addresses) => {
            for address in addresses {
                writeln!(io::stdout(), "{address}")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Answer::NoSuchName => {
            writeln!(io::stderr(), "{name}: no such name")?;
            Ok(ExitCode::from(NO_SUCH_NAME))
        }
        Answer::Failed(text) => bail!("{name}: {text}"),
    }
}
