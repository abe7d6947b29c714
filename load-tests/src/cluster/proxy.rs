//! A TCP proxy that can fail: it cuts connections, swallows what is sent, or makes it late.
//!
//! Must never change a byte: what it passes on is what came, in order.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// How a proxy behaves, to open connections and to new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Passes on.
    Fair,
    /// Closes what is open and refuses what comes.
    Cut,
    /// Takes everything and passes on nothing, until the weather changes: as a network does that drops packets.
    BlackHole,
    /// Passes on each piece so much later.
    Late(Duration),
}

/// A running proxy on a port of its own. Dropping it cuts everything.
pub struct FaultProxy {
    port: u16,
    upstream: watch::Sender<Option<SocketAddr>>,
    weather: watch::Sender<Weather>,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// Takes a free port on the loopback address; connections are refused until [`FaultProxy::forward_to`].
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (upstream, upstreams) = watch::channel(None);
        let (weather, weathers) = watch::channel(Weather::Fair);
        let accepting = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let (to, weather) = (*upstreams.borrow(), weathers.clone());
                if let Some(to) = to
                    && *weather.borrow() != Weather::Cut
                {
                    tokio::spawn(carry(client, to, weather));
                }
            }
        });
        Ok(Self { port, upstream, weather, accepting })
    }

    /// As [`FaultProxy::bind`], to a port of the loopback address.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(upstream_port: u16) -> io::Result<Self> {
        let proxy = Self::bind().await?;
        proxy.forward_to(upstream_port);
        Ok(proxy)
    }

    /// From here on connections go to this port of the loopback address.
    pub fn forward_to(&self, port: u16) {
        self.upstream.send_replace(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    }

    /// Where clients connect.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes the weather, also for what is open.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.weather.send_replace(Weather::Cut);
    }
}

async fn carry(client: TcpStream, to: SocketAddr, weather: watch::Receiver<Weather>) {
    let Ok(server) = TcpStream::connect(to).await else { return };
    // Small requests and answers: waiting for more would be a fault of ours.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = pump(from_client, to_server, weather.clone());
    let back = pump(from_server, to_client, weather);
    // One end is the end of both: half-open connections are a case of their own.
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = tokio::select! {
            read = from.read(&mut chunk) => read,
            changed = weather.changed() => match (changed, *weather.borrow()) {
                (Err(_), _) | (_, Weather::Cut) => return,
                _ => continue,
            },
        };
        let Ok(length @ 1..) = read else { return };
        loop {
            let now = *weather.borrow_and_update();
            match now {
                Weather::Fair => break,
                Weather::Cut => return,
                Weather::BlackHole => {
                    if weather.changed().await.is_err() {
                        return;
                    }
                }
                Weather::Late(wait) => {
                    tokio::time::sleep(wait).await;
                    break;
                }
            }
        }
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    async fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        port
    }

    async fn answered(stream: &mut TcpStream, within: Duration) -> bool {
        let mut byte = [0];
        stream.write_all(b"x").await.is_ok()
            && matches!(tokio::time::timeout(within, stream.read_exact(&mut byte)).await, Ok(Ok(_)))
    }

    #[tokio::test]
    async fn a_proxy_passes_swallows_and_cuts() {
        let proxy = FaultProxy::start(echo().await).await.unwrap();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port()));
        let mut open = connect().await.unwrap();
        assert!(answered(&mut open, PATIENCE).await);
        proxy.set(Weather::BlackHole);
        assert!(!answered(&mut open, Duration::from_millis(100)).await);
        proxy.set(Weather::Fair);
        let mut byte = [0];
        tokio::time::timeout(PATIENCE, open.read_exact(&mut byte)).await.unwrap().unwrap();
        proxy.set(Weather::Cut);
        let end = tokio::time::timeout(PATIENCE, open.read(&mut byte)).await.unwrap();
        assert!(matches!(end, Ok(0) | Err(_)));
        let mut refused = connect().await.unwrap();
        assert!(!answered(&mut refused, PATIENCE).await);
        proxy.set(Weather::Fair);
        assert!(answered(&mut connect().await.unwrap(), PATIENCE).await);
    }
}
