//! Connections: accepted up to a cap, bounded in every wait, drained at the end.
//!
//! hyper is driven directly because `axum::serve` sets no header-read timeout. Must never outlive its drain timeout.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::certificate::ClientCertificate;
use crate::config::HttpConfig;
use crate::gate::AnsweredFor;
use crate::silence::Silence;
use crate::tls::Tls;

/// Largest request head, bytes. API keys, cursors and traces are far below.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Pause after a failed accept: it fails when files run out, and spinning would not free any.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Whether the shutdown began. Handlers that wait take it as a parameter; outside of [`serve`] it never begins.
#[derive(Clone)]
pub(crate) struct Draining(Option<watch::Receiver<bool>>);

impl Draining {
    pub(crate) fn has_begun(&self) -> bool {
        self.0.as_ref().is_some_and(|begun| *begun.borrow())
    }

    /// Resolves when it begins.
    pub(crate) async fn begins(&self) {
        if let Some(begun) = &self.0 {
            let mut begun = begun.clone();
            // An error means that the sender is gone: then it is over, too.
            drop(begun.wait_for(|begun| *begun).await);
        } else {
            std::future::pending::<()>().await;
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Draining {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self(None)))
    }
}

/// Who is at the other end of a request's connection, as far as the connection tells.
#[derive(Clone)]
pub(crate) struct Peer {
    /// IPv4 also where the socket is one of IPv6.
    pub address: IpAddr,
    /// What the client showed in the handshake, which checked it.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// What each connection is served with.
#[derive(Clone)]
struct Serving {
    router: Router,
    config: HttpConfig,
    tls: Option<Tls>,
    begun: watch::Receiver<bool>,
}

/// Serves `router`, inside TLS where `tls` is given, until `shutdown` resolves, then lets running requests end (long-polls answer at once) for at most
/// the drain timeout.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: HttpConfig,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()>,
) {
    let (begin, begun) = watch::channel(false);
    let router = router.layer(Extension(Draining(Some(begun.clone()))));
    let slots = Arc::new(Semaphore::new(config.max_connections));
    let drain_timeout = config.drain_timeout;
    let serving = Serving { router, config, tls, begun };
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, address, slot) = accept(&listener, &slots) => {
                connections.spawn(receive(stream, address, slot, serving.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    begin.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(drain_timeout, all).await.is_err() {
        tracing::warn!("connections were cut at the end of the drain timeout");
        connections.shutdown().await;
    }
}

/// The next connection with its place under the cap. At the cap nothing is accepted: the backlog waits in the kernel.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(slot) = Arc::clone(slots).acquire_owned().await else {
            std::future::pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address.ip().to_canonical(), slot),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "accept failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Shakes hands where TLS is spoken, then converses. The connection's place is free again at the end.
async fn receive(stream: TcpStream, address: IpAddr, slot: OwnedSemaphorePermit, serving: Serving) {
    // Answers are small and final: waiting to fill a packet only adds latency.
    drop(stream.set_nodelay(true));
    match serving.tls.clone() {
        None => converse(stream, Peer { address, certificate: None }, serving).await,
        Some(tls) => {
            let draining = Draining(Some(serving.begun.clone()));
            let greeted = tokio::select! {
                greeted = tls.greet(stream, address, &serving.config) => greeted,
                () = draining.begins() => None,
            };
            if let Some((stream, certificate)) = greeted {
                let certificate = certificate.map(Arc::new);
                converse(stream, Peer { address, certificate }, serving).await;
            }
        }
    }
    drop(slot);
}

async fn converse<S>(stream: S, peer: Peer, serving: Serving)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Serving { router, config, begun, .. } = serving;
    let silence = Arc::new(Silence::begin());
    let (routes, noted) = (TowerToHyperService::new(router), Arc::clone(&silence));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        noted.asked();
        request.extensions_mut().insert(peer.clone());
        let (answering, noted) = (routes.call(request), Arc::clone(&noted));
        async move {
            let answer = answering.await;
            let proven =
                answer.as_ref().is_ok_and(|answer| answer.extensions().get::<AnsweredFor>().is_some());
            noted.answered(proven);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // hyper's timer runs from the end of an answer to the end of the next head; strangers have less.
        .header_read_timeout(config.idle_timeout.max(config.header_read_timeout))
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let draining = Draining(Some(begun));
    let over = tokio::select! {
        // In this order: what has come whole is answered, also in the last moment.
        biased;
        _ = connection.as_mut() => true,
        () = silence.of_a_stranger(config.header_read_timeout) => true,
        () = draining.begins() => false,
        () = sleep(config.connection_age_max) => false,
    };
    if !over {
        connection.as_mut().graceful_shutdown();
        // Long enough for any answer that is under way; what is not read by then never will be.
        let rest = config.request_timeout.saturating_add(config.request_timeout);
        drop(timeout(rest.max(config.drain_timeout), connection).await);
    }
}
