//! The server: `GET /…` returns the text and the pod's host name, `GET /readyz` whether it is ready, and
//! `POST /ready/true|false` changes that, so that a test can remove a pod from the endpoints and keep it running.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A client that sends nothing must not block a thread for ever.
const PATIENCE: Duration = Duration::from_secs(10);

struct Server {
    body: String,
    ready: AtomicBool,
    ready_file: Option<PathBuf>,
}

/// Serves on every port until the process ends.
pub(crate) fn run(ports: &[u16], text: &str, ready_file: Option<PathBuf>, ready: bool) -> Result<()> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let server = Arc::new(Server {
        body: format!("{text} from {}\n", host.trim()),
        ready: AtomicBool::new(false),
        ready_file,
    });
    server.set_ready(ready)?;
    let mut threads = Vec::new();
    for &port in ports {
        let listener = listen(port)?;
        let server = Arc::clone(&server);
        threads.push(std::thread::spawn(move || accept(&listener, &server)));
    }
    for thread in threads {
        // Only a panic ends an accepting thread, and it was reported already.
        let _ = thread.join();
    }
    Ok(())
}

/// Listens on `[::]`, which accepts IPv4 too, or on `0.0.0.0` if the kernel has no IPv6.
fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))
        .or_else(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))
        .with_context(|| format!("cannot listen on port {port}"))
}

fn accept(listener: &TcpListener, server: &Arc<Server>) {
    for stream in listener.incoming().flatten() {
        let server = Arc::clone(server);
        // A client may close the connection at any time.
        std::thread::spawn(move || drop(server.answer(stream)));
    }
}

impl Server {
    fn answer(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut request = String::new();
        reader.read_line(&mut request)?;
        // Reads all headers: closing with unread input would reset the connection.
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let mut words = request.split_whitespace();
        let (status, body) = match (words.next(), words.next()) {
            (Some("GET"), Some("/readyz")) if self.is_ready() => ("200 OK", "ready\n"),
            (Some("GET"), Some("/readyz")) => ("503 Service Unavailable", "not ready\n"),
            (Some("GET"), Some(_)) => ("200 OK", self.body.as_str()),
            (Some("POST"), Some("/ready/true")) => {
                self.set_ready(true)?;
                ("200 OK", "ready\n")
            }
            (Some("POST"), Some("/ready/false")) => {
                self.set_ready(false)?;
                ("200 OK", "not ready\n")
            }
            (Some("POST"), Some(_)) => ("404 Not Found", "no such switch\n"),
            _ => ("405 Method Not Allowed", "GET or POST\n"),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        Ok(())
    }

    fn is_ready(&self) -> bool {
        match &self.ready_file {
            Some(file) => file.exists(),
            None => self.ready.load(Ordering::SeqCst),
        }
    }

    fn set_ready(&self, ready: bool) -> Result<()> {
        self.ready.store(ready, Ordering::SeqCst);
        if let Some(file) = &self.ready_file {
            if ready {
                fs::write(file, "").with_context(|| format!("cannot write {}", file.display()))?;
            } else if file.exists() {
                fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
            }
        }
        Ok(())
    }
}
