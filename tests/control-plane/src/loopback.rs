//! One plain HTTP request to a program on this machine: the gateway of etcd, or the admin port of the operator.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The whole answer with its head, or an error.
pub(crate) async fn get(port: u16, path: &str) -> Result<String, String> {
    exchange(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    )
    .await
}

/// The same, with a JSON body.
pub(crate) async fn post(port: u16, path: &str, body: &str) -> Result<String, String> {
    let length = body.len();
    exchange(
        port,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        ),
    )
    .await
}

async fn exchange(port: u16, request: &str) -> Result<String, String> {
    let talk = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    talk.await.map_err(|e| e.to_string())
}
