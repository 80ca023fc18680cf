//! The event socket: every event of the whole network, as text.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// The reference client pings as often.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A socket that answers none of so many pings in a row, and says nothing else, is dead.
const UNANSWERED_PINGS: u32 = 4;
/// The longest frame that is read; events of real jobs take 2 to 10 kB.
const MAX_FRAME: usize = 16 << 20;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// As whom a socket is opened. The solver tells both the same; but when a provider's socket closes, its open offers are withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Who pays for jobs.
    JobCreator,
    /// Who runs them.
    ResourceProvider,
}

impl Role {
    /// The role's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobCreator => "JobCreator",
            Self::ResourceProvider => "ResourceProvider",
        }
    }
}

/// An open event socket. There is no replay: ask over HTTP after every connect.
pub struct EventSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    ping: Interval,
    /// Pings since anything was heard. Counted rather than timed: the clock need not be read for each event of others, and who did not listen
    /// for a while does not take that for silence.
    unanswered: u32,
}

impl EventSocket {
    /// Connects. `base` is the API's base, ending with a slash.
    pub(super) async fn connect(base: &Url, role: Role, address: &str) -> Result<Self> {
        let operation = "open the solver's event socket";
        let mut url = base.clone();
        let scheme = if base.scheme() == "https" { "wss" } else { "ws" };
        let unfit = |()| Error::new(ErrorKind::Config, operation).with_message("the solver URL cannot carry a socket");
        url.set_scheme(scheme).map_err(unfit)?;
        url.path_segments_mut().map_err(unfit)?.pop_if_empty().push("ws");
        // The reference client begins the query with an ampersand; a solver takes it with or without.
        url.set_query(Some(&format!("&Type={}&ID={address}", role.as_str())));
        let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
        let connecting = tokio_tungstenite::connect_async_with_config(url.as_str(), Some(config), true);
        let failed = |message: &str| {
            Error::new(ErrorKind::Connection, operation)
                .with_message(format_args!("{}: {message}", base.host_str().unwrap_or_default()))
        };
        let (stream, _) = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .map_err(|_| failed("no answer in time"))?
            .map_err(|error| failed(&error.to_string()).with_source(error))?;
        let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Ok(Self { stream, ping, unanswered: 0 })
    }

    /// The next event's text.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`] when the socket closed, broke, or has been silent for 20 s or more.
    pub async fn next(&mut self) -> Result<Utf8Bytes> {
        let operation = "listen to the solver's events";
        let broken = |error: tungstenite::Error| {
            Error::new(ErrorKind::Connection, operation).with_message("the socket broke").with_source(error)
        };
        loop {
            tokio::select! {
                frame = self.stream.next() => {
                    self.unanswered = 0;
                    match frame {
                        Some(Ok(Message::Text(text))) => return Ok(text),
                        Some(Ok(Message::Close(_))) | None => {
                            return Err(Error::new(ErrorKind::Connection, operation).with_message("the solver closed the socket"));
                        }
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return Err(broken(error)),
                    }
                }
                _ = self.ping.tick() => {
                    if self.unanswered == UNANSWERED_PINGS {
                        return Err(Error::new(ErrorKind::Connection, operation).with_message("the solver has gone silent"));
                    }
                    self.unanswered += 1;
                    self.stream.send(Message::Ping(tungstenite::Bytes::new())).await.map_err(broken)?;
                }
            }
        }
    }

    /// Says good-bye.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
    }
}

impl std::fmt::Debug for EventSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventSocket").field("unanswered", &self.unanswered).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A socket, and a solver's end of it.
    async fn connected() -> (EventSocket, WebSocketStream<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api/v1/", listener.local_addr().unwrap()).parse().unwrap();
        let accepting = async {
            let (stream, _) = listener.accept().await.unwrap();
            tokio_tungstenite::accept_async(stream).await.unwrap()
        };
        let (socket, solver) = tokio::join!(EventSocket::connect(&base, Role::JobCreator, "0x1"), accepting);
        (socket.unwrap(), solver)
    }

    #[tokio::test]
    async fn a_solver_that_does_not_even_answer_pings_is_gone() {
        let (mut socket, _solver) = connected().await;
        tokio::time::pause();
        let start = Instant::now();
        let error = socket.next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(error.to_string().contains("silent"), "{error}");
        assert!(start.elapsed() >= PING_EVERY * UNANSWERED_PINGS, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn who_did_not_listen_for_a_while_does_not_take_that_for_silence() {
        let (mut socket, mut solver) = connected().await;
        solver.send(Message::text("event")).await.unwrap();
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(600)).await;
        tokio::time::resume();
        assert_eq!(socket.next().await.unwrap().as_str(), "event");
    }

    #[tokio::test]
    async fn a_solver_that_answers_pings_is_there() {
        let (mut socket, mut solver) = connected().await;
        socket.unanswered = UNANSWERED_PINGS;
        solver.send(Message::Pong(tungstenite::Bytes::new())).await.unwrap();
        tokio::time::pause();
        // Past the next ping, at which it would be given up.
        let listening = tokio::time::timeout(PING_EVERY + Duration::from_secs(1), socket.next());
        assert!(listening.await.is_err());
    }
}
