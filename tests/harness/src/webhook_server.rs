//! A small HTTPS server in the process of the test. What it answers is decided elsewhere.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const WAITING_CONNECTIONS: u32 = 64;

/// Makes the answer to the body of a request. None if there is no answer.
pub(crate) type Respond = Arc<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// A port of a server that does not listen yet: connections are refused.
pub(crate) struct Reserved {
    socket: TcpSocket,
    tls: TlsAcceptor,
    /// Where the server will be.
    pub(crate) address: SocketAddr,
    /// Its certificate as PEM. Clients must trust it.
    pub(crate) certificate: String,
}

/// A server that runs until it is dropped.
pub(crate) struct Serving(JoinHandle<()>);

impl Reserved {
    /// Takes a port of this address.
    pub(crate) fn at(address: IpAddr) -> Self {
        let any_port = SocketAddr::new(address, 0);
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        };
        let socket = socket.expect("a socket");
        socket.bind(any_port).expect("a port of this machine");
        let address = socket.local_addr().expect("a socket has an address");
        let made = rcgen::generate_simple_self_signed(vec![address.ip().to_string()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate with its key");
        Self {
            socket,
            tls: TlsAcceptor::from(Arc::new(config)),
            address,
            certificate: made.cert.pem(),
        }
    }

    /// Starts the server.
    pub(crate) fn listen(self, respond: Respond) -> Serving {
        let listener = self.socket.listen(WAITING_CONNECTIONS).expect("a port that listens");
        Serving(tokio::spawn(serve(listener, self.tls, respond)))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, respond: Respond) {
    // They end with the server.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve_one(stream, tls.clone(), Arc::clone(&respond)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection. The API server sees and reports its failures.
async fn serve_one(stream: TcpStream, tls: TlsAcceptor, respond: Respond) {
    let Ok(stream) = tls.accept(stream).await else { return };
    let service = service_fn(|request| answer(request, Arc::clone(&respond)));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = served.await;
}

async fn answer(request: Request<Incoming>, respond: Respond) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let Some(answer) = respond(&body) else {
        return pending().await;
    };
    let answer = Response::builder()
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(answer)));
    Ok(answer.expect("a response"))
}
