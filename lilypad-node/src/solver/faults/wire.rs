//! Connections that end after so many bytes.
//!
//! Answers can't be cut at a byte from where they are made: what was handed over may or may not be sent before the end is. So a connection
//! writes through a [`Wire`], which an answer with a [`Cut`] tells when to stop.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// No end in sight.
const ENDLESS: u64 = u64::MAX;

/// Marks an answer whose connection is closed in the middle.
#[derive(Debug, Clone, Copy)]
pub(in crate::solver) enum Cut {
    /// After so many bytes, the head included.
    Answer(u64),
    /// After so many bytes of the body.
    Body(u64),
}

/// When a connection ends.
#[derive(Debug)]
pub(in crate::solver) struct WireState {
    /// How many bytes may still be written.
    left: AtomicU64,
    /// Whether to end when everything that waits is written.
    is_last: AtomicBool,
}

impl Default for WireState {
    fn default() -> Self {
        Self { left: AtomicU64::new(ENDLESS), is_last: AtomicBool::new(false) }
    }
}

impl WireState {
    /// Has the connection end in the middle of `response`, which is written next.
    pub(in crate::solver) fn cut(self: &Arc<Self>, mut response: Response, cut: Cut) -> Response {
        // In case that there is less to write than expected.
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        match cut {
            Cut::Answer(at) => {
                self.left.store(at, Ordering::Release);
                response
            }
            Cut::Body(at) => response.map(|inner| {
                let whole = inner.size_hint().exact().unwrap_or(u64::MAX);
                let left = at.min(whole.saturating_sub(1));
                Body::new(CutBody { inner, left, state: self.clone() })
            }),
        }
    }

    /// Whether it is over.
    fn is_over(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }
}

/// A connection that ends when it is told to.
#[derive(Debug)]
pub(in crate::solver) struct Wire {
    /// The connection.
    stream: TcpStream,
    /// When it ends.
    state: Arc<WireState>,
}

impl Wire {
    /// A connection that does not end yet.
    pub(in crate::solver) fn new(stream: TcpStream, state: Arc<WireState>) -> Self {
        Self { stream, state }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.state.left.load(Ordering::Acquire);
        if left == ENDLESS {
            return Pin::new(&mut self.stream).poll_write(cx, buf);
        }
        if left == 0 {
            return Poll::Ready(Err(end()));
        }
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let written = Pin::new(&mut self.stream).poll_write(cx, &buf[..count]);
        if let Poll::Ready(Ok(written)) = written {
            self.state.left.store(left - written as u64, Ordering::Release);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        match flushed {
            Poll::Ready(Ok(())) if self.state.is_over() || self.state.is_last.load(Ordering::Acquire) => {
                Poll::Ready(Err(end()))
            }
            flushed => flushed,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.state.left.load(Ordering::Acquire) == ENDLESS {
            return Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        }
        let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| buf);
        self.poll_write(cx, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The error with which a connection ends that was told to.
fn end() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "cut on purpose")
}

/// A body of which a part is written, and then no more.
struct CutBody {
    /// The whole.
    inner: Body,
    /// How many bytes are still to be written.
    left: u64,
    /// Ends the connection.
    state: Arc<WireState>,
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.left > 0 {
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(mut chunk) = frame.into_data() else { return Poll::Ready(None) };
                    chunk.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.left -= chunk.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
                Poll::Ready(None) => self.left = 0,
                other => return other,
            }
        }
        // Nothing wakes it: the connection is flushed next, and that is its end.
        self.state.is_last.store(true, Ordering::Release);
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
