//! Connections that can be broken on purpose, and bodies that never arrive whole.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Bytes in one chunk of an endless body.
const CHUNK: usize = 64 * 1024;

/// Accepts connections whose handlers can cut them.
pub(super) struct Listener(TcpListener);

impl Listener {
    pub(super) fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        TcpListener::from_std(listener).map(Self)
    }
}

impl axum::serve::Listener for Listener {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        // Small answers should not wait for more; failing to say so costs only speed.
        drop(stream.set_nodelay(true));
        (Wire { stream, cut: Arc::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A TCP stream that fails its next write once it is cut; the server then drops it, and the peer sees a reset.
pub(super) struct Wire {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut.load(Ordering::SeqCst) {
            self.stream.set_zero_linger()?;
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What a handler knows of the connection that a call came by.
#[derive(Clone)]
pub(super) struct Line {
    cut: Arc<AtomicBool>,
    peer: SocketAddr,
}

impl Line {
    /// Breaks the connection instead of answering.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Whether the call comes from this machine.
    pub(super) fn is_local(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }
}

impl Connected<IncomingStream<'_, Listener>> for Line {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self { cut: Arc::clone(&stream.io().cut), peer: *stream.remote_addr() }
    }
}

/// The first half of a body; then the connection breaks.
pub(super) fn half(text: &[u8]) -> Body {
    let first = Bytes::copy_from_slice(&text[..text.len() / 2]);
    Body::from_stream(stream::unfold(0, move |step| {
        let first = first.clone();
        async move {
            match step {
                0 => Some((Ok(first), 1)),
                1 => {
                    // Gives the server the chance to send what it has.
                    tokio::task::yield_now().await;
                    Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), 2))
                }
                _ => None,
            }
        }
    }))
}

/// A JSON string of that many bytes.
pub(super) fn endless(bytes: u64) -> Body {
    let chunk = Bytes::from(vec![b'x'; CHUNK]);
    Body::from_stream(stream::unfold(None, move |left| {
        let chunk = chunk.clone();
        async move {
            match left {
                None => Some((Ok::<_, io::Error>(Bytes::from_static(b"\"")), Some(bytes))),
                Some(0) => None,
                Some(left) => {
                    let size = left.min(CHUNK as u64);
                    let size_here = usize::try_from(size).unwrap_or(CHUNK);
                    let last = left == size;
                    let mut part = chunk.slice(..size_here);
                    if last {
                        part = Bytes::from([&part[..size_here - 1], b"\""].concat());
                    }
                    Some((Ok(part), Some(left - size)))
                }
            }
        }
    }))
}
