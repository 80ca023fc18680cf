//! A chain's JSON-RPC server for tests, on a real socket, over HTTP or WebSocket. It answers what a test tells it to.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

/// What the server does with a request.
pub(super) enum Reply {
    /// Answers with this result.
    Result(Value),
    /// Answers with this JSON-RPC error.
    Error(i64, String),
    /// Sends this text, whatever it is.
    Text(String),
    /// Answers with this HTTP status and text. Over WebSocket, closes the connection.
    Status(u16, String),
    /// Keeps the connection open and says nothing.
    Nothing,
}

/// Decides what to do with a method and its parameters.
type Script = dyn Fn(&str, &Value) -> Reply + Send + Sync;

/// A running server; stops when dropped.
pub(super) struct RpcServer {
    /// `http` or `ws`.
    scheme: &'static str,
    /// Where it listens.
    address: SocketAddr,
    /// Takes connections.
    task: JoinHandle<()>,
}

impl RpcServer {
    /// Starts a server over HTTP.
    pub(super) async fn http(script: impl Fn(&str, &Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("http", Arc::new(script)).await
    }

    /// Starts a server over WebSocket.
    pub(super) async fn ws(script: impl Fn(&str, &Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("ws", Arc::new(script)).await
    }

    /// Starts a server on a port of the system's choice.
    async fn start(scheme: &'static str, script: Arc<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let script = script.clone();
                connections.spawn(async move {
                    // A client that goes away in the middle is nothing to a server.
                    let _ = match scheme {
                        "ws" => serve_ws(stream, &*script).await.is_ok(),
                        _ => serve_http(stream, &*script).await.is_ok(),
                    };
                });
            }
        });
        Self { scheme, address, task }
    }

    /// Its URL, with a path that stands for an access key.
    pub(super) fn url(&self, key: &str) -> String {
        format!("{}://{}/v3/{key}", self.scheme, self.address)
    }

    /// Its URL under another scheme.
    pub(super) fn url_as(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}

impl Drop for RpcServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A URL where nobody listens.
pub(super) async fn dead_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The answer's text, or the reply that is no JSON-RPC answer.
fn answer(request: &[u8], script: &Script) -> Result<String, Reply> {
    let request: Value = serde_json::from_slice(request).unwrap();
    let mut answer = json!({ "jsonrpc": "2.0", "id": request["id"] });
    match script(request["method"].as_str().unwrap(), &request["params"]) {
        Reply::Result(value) => answer["result"] = value,
        Reply::Error(code, message) => answer["error"] = json!({ "code": code, "message": message }),
        Reply::Text(text) => return Ok(text),
        other => return Err(other),
    }
    Ok(answer.to_string())
}

/// Answers the requests of one connection.
async fn serve_http(stream: TcpStream, script: &Script) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 && line.trim() != "" {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        if length == 0 || stream.read_exact(&mut body).await.is_err() {
            return Ok(());
        }
        let (status, text) = match answer(&body, script) {
            Ok(text) => (200, text),
            Err(Reply::Status(status, text)) => (status, text),
            Err(_) => std::future::pending().await,
        };
        let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n\r\n", text.len());
        stream.get_mut().write_all((head + &text).as_bytes()).await?;
    }
}

/// Answers the messages of one connection.
async fn serve_ws(stream: TcpStream, script: &Script) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    while let Some(message) = socket.next().await {
        match message? {
            Message::Text(request) => match answer(request.as_bytes(), script) {
                Ok(text) => socket.send(Message::text(text)).await?,
                Err(Reply::Status(..)) => return socket.close(None).await,
                Err(_) => {}
            },
            Message::Close(_) => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}
