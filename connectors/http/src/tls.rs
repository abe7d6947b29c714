//! TLS 1.3: handshakes, bounded in time and number, by a certificate that is replaced while connections are open.
//!
//! Must never read a file (the binary brings what stands there), speak an older version, or log what a peer sent: why a handshake
//! failed is one of our own words.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus::{IntCounterVec, Opts, Registry};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{CertificateError, RootCertStore, ServerConfig};
use terrasift_postgres::{TrailEntry, TrailOutcome};
use terrasift_secrets::Secret;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::audit_trail::AuditTrail;
use crate::certificate::ClientCertificate;
use crate::config::HttpConfig;

/// What is spoken inside: a client that wants something else is told in the handshake.
const PROTOCOL: &[u8] = b"http/1.1";

/// What a server proves itself with, and whom it believes. No `Debug`: it holds a key.
pub struct TlsMaterial {
    /// Our certificate and its chain, PEM.
    pub certificate: Vec<u8>,
    /// Its private key, PEM without a password.
    pub key: Secret,
    /// Whose certificates clients may show; without it they are not asked for one.
    pub clients: Option<ClientAuthority>,
}

impl TlsMaterial {
    /// Whether TLS can be spoken with it.
    ///
    /// # Errors
    /// [`TlsError`] when it is of no use.
    pub fn check(&self) -> Result<(), TlsError> {
        server_config(self).map(drop)
    }
}

/// Who may issue certificates of clients.
pub struct ClientAuthority {
    /// Certificates of the authorities, PEM.
    pub certificates: Vec<u8>,
    /// Whether a client without a certificate is refused in the handshake.
    pub required: bool,
}

/// Why TLS cannot be spoken with what was given.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate.
    #[error("no certificate of ours: write it and its chain as PEM, our own first")]
    Certificate,
    /// No key.
    #[error("no private key: write it as PEM, without a password")]
    Key,
    /// They do not belong together, or are of no use.
    #[error("the key does not belong to the first certificate, or one of them is of no known kind")]
    Pair,
    /// No authority.
    #[error("no certificate of an authority of clients: write at least one as PEM")]
    Authority,
    /// The provider of cryptography cannot do TLS 1.3.
    #[error("this build cannot speak TLS 1.3")]
    Version,
    /// A metric of this name is there already.
    #[error("tls metrics cannot be registered: give each server its own registry")]
    Metrics(#[source] prometheus::Error),
}

/// The server's side of TLS. Cheap to clone; all clones have one certificate.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    current: RwLock<Arc<ServerConfig>>,
    turns: Semaphore,
    handshakes: IntCounterVec,
    reloads: IntCounterVec,
    trail: AuditTrail,
}

impl Tls {
    /// Begins with `material`. Handshakes that fail by the client's certificate are recorded in `trail`.
    ///
    /// # Errors
    /// [`TlsError`] when the material is of no use.
    pub fn new(
        material: &TlsMaterial,
        config: &HttpConfig,
        trail: AuditTrail,
        registry: &Registry,
    ) -> Result<Self, TlsError> {
        let counter = |name: &str, help: &str| {
            let counter =
                IntCounterVec::new(Opts::new(name, help), &["outcome"]).map_err(TlsError::Metrics)?;
            registry.register(Box::new(counter.clone())).map_err(TlsError::Metrics)?;
            Ok::<_, TlsError>(counter)
        };
        Ok(Self(Arc::new(Shared {
            current: RwLock::new(server_config(material)?),
            turns: Semaphore::new(config.max_handshakes),
            handshakes: counter("terrasift_tls_handshakes_total", "handshakes, by what came of them")?,
            reloads: counter("terrasift_tls_reloads_total", "changed certificates, by what came of them")?,
            trail,
        })))
    }

    /// Takes other material for handshakes from now on; open connections stay as they are.
    ///
    /// # Errors
    /// [`TlsError`] when it is of no use: what was there before stays.
    pub fn replace(&self, material: &TlsMaterial) -> Result<(), TlsError> {
        let made = server_config(material);
        self.0.reloads.with_label_values(&[if made.is_ok() { "taken" } else { "refused" }]).inc();
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = made?;
        Ok(())
    }

    /// Shakes hands, within the time for it. `None`: nobody to talk to.
    pub(crate) async fn greet(
        &self,
        stream: TcpStream,
        from: IpAddr,
        config: &HttpConfig,
    ) -> Option<(TlsStream<TcpStream>, Option<ClientCertificate>)> {
        let shaken = timeout(config.handshake_timeout, self.shake_hands(stream)).await;
        let failure = match shaken {
            Ok(Ok(stream)) => {
                self.0.handshakes.with_label_values(&["done"]).inc();
                let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let shown = shown.map(ClientCertificate::read);
                return Some((stream, shown));
            }
            Ok(Err(error)) => failure(&error),
            Err(_) => "timeout",
        };
        self.0.handshakes.with_label_values(&[failure]).inc();
        tracing::info!(outcome = failure, "no tls connection");
        if failure.starts_with("certificate_") {
            self.0.trail.note(refused(failure, from));
        }
        None
    }

    /// What a client says first costs nothing; what it is answered is computed in turns.
    async fn shake_hands(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let _turn = self.0.turns.acquire().await.map_err(io::Error::other)?;
        let current = Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner));
        hello.into_stream(current).await
    }
}

fn server_config(material: &TlsMaterial) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(&material.certificate).ok_or(TlsError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(material.key.expose().as_bytes()).map_err(|_| TlsError::Key)?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| TlsError::Version)?;
    let builder = match &material.clients {
        None => builder.with_no_client_auth(),
        Some(authority) => builder.with_client_cert_verifier(verifier(authority, provider)?),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|_| TlsError::Pair)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    if material.clients.is_some() {
        // A resumed session brings its client's certificate along unchecked, however long that is over.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

fn verifier(
    authority: &ClientAuthority,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&authority.certificates).ok_or(TlsError::Authority)? {
        roots.add(certificate).map_err(|_| TlsError::Authority)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if authority.required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|_| TlsError::Authority)
}

/// The certificates of a PEM text; `None` when one is broken or none is there.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!found.is_empty()).then_some(found)
}

/// Why a handshake failed, as a label.
fn failure(error: &io::Error) -> &'static str {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return "closed";
    };
    match error {
        rustls::Error::NoCertificatesPresented => "certificate_missing",
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "certificate_expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "certificate_too_early"
            }
            CertificateError::UnknownIssuer => "certificate_unknown_authority",
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "certificate_wrong_purpose"
            }
            _ => "certificate_invalid",
        },
        rustls::Error::PeerIncompatible(_) => "incompatible",
        rustls::Error::AlertReceived(_) => "given_up_by_peer",
        _ => "no_tls",
    }
}

/// The record of a client whose certificate was refused. Whose it is, nothing proves.
fn refused(failure: &'static str, from: IpAddr) -> TrailEntry {
    TrailEntry {
        at: OffsetDateTime::now_utc(),
        tenant: None,
        actor: String::new(),
        action: "TLS".to_owned(),
        resource: "handshake".to_owned(),
        outcome: TrailOutcome::Denied,
        code: failure.to_owned(),
        trace: String::new(),
        client: from.to_string(),
    }
}
