//! The certificates of the HTTP server: read at the start, looked at again and again, taken when they changed.
//!
//! Must never take what is of no use: the certificate that holds stays until there is a better one.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use terrasift_http::{ClientAuthority, Doors, HttpConfig, Tls, TlsMaterial};
use terrasift_schemas::config::{ClientCertificates, Config, HttpTls, Role};
use terrasift_secrets::{CurrentSecret, Secret, SecretBook, SecretError, SecretRef};
use tokio::time::MissedTickBehavior;

use crate::secrets;

/// Largest file of certificates: room for some hundred authorities.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What TLS is spoken with, and where it stands. No Debug: it holds a key.
pub struct Certificates {
    source: HttpTls,
    key: KeyAt,
    material: TlsMaterial,
    /// Of what was looked at last; absent when it could not be read.
    digest: Option<[u8; 32]>,
}

/// Where our key is read. No Debug: it holds one.
#[derive(Clone)]
enum KeyAt {
    /// Beside its certificate, with which it has to change.
    Here(SecretRef),
    /// Elsewhere: as it was read last.
    Elsewhere(CurrentSecret),
}

impl KeyAt {
    fn read(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Here(reference) => terrasift_secrets::resolve(reference),
            Self::Elsewhere(secret) => Ok(secret.now()),
        }
    }
}

/// Reads the certificates, where the configuration has some.
///
/// # Errors
/// Names the place in the file and its mend.
pub fn read(config: &Config, book: &SecretBook) -> anyhow::Result<Option<Certificates>> {
    let Some(source) = &config.http.tls else { return Ok(None) };
    if source.client_certificates == ClientCertificates::Required && config.roles.contains(&Role::Webhook) {
        bail!(
            "http.tls.client_certificates: required would close the webhooks, whose senders have none: \
             use optional, or give the role webhook a process of its own"
        );
    }
    let reference = SecretRef::parse(&source.key).context("http.tls.key")?;
    let key = if reference.is_local() {
        KeyAt::Here(reference)
    } else {
        KeyAt::Elsewhere(secrets::current(book, "http.tls.key", &source.key)?)
    };
    let material = material(source, &key)?;
    material.check().context("http.tls")?;
    let digest = Some(digest(&material));
    Ok(Some(Certificates { source: source.clone(), key, material, digest }))
}

impl Certificates {
    /// Makes what speaks TLS.
    pub fn tls(&self, http: &HttpConfig, doors: &Doors) -> anyhow::Result<Tls> {
        Tls::new(&self.material, http, doors.trail.clone(), &doors.registry).context("http.tls")
    }

    /// Looks again and again; ends when it is aborted.
    pub async fn watch(mut self, tls: Tls) {
        let mut ticks = tokio::time::interval(Duration::from_secs(self.source.reload_s));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (source, key) = (self.source.clone(), self.key.clone());
            // The runtime is shutting down, or the look panicked: the certificate that holds stays.
            let Ok(read) = tokio::task::spawn_blocking(move || material(&source, &key)).await else { return };
            self.look(read, &tls);
        }
    }

    /// Each change is tried once, and told once.
    fn look(&mut self, read: anyhow::Result<TlsMaterial>, tls: &Tls) {
        let now = read.as_ref().ok().map(digest);
        if now == self.digest {
            return;
        }
        self.digest = now;
        match read.and_then(|material| tls.replace(&material).context("http.tls")) {
            Ok(()) => tracing::info!("certificates were taken"),
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "changed certificates are of no use: those from before stay"
            ),
        }
    }
}

fn material(source: &HttpTls, key: &KeyAt) -> anyhow::Result<TlsMaterial> {
    let clients = source.client_ca_file.as_ref().map(|file| {
        Ok::<_, anyhow::Error>(ClientAuthority {
            certificates: file_of("http.tls.client_ca_file", file)?,
            required: source.client_certificates == ClientCertificates::Required,
        })
    });
    Ok(TlsMaterial {
        certificate: file_of("http.tls.certificate_file", &source.certificate_file)?,
        key: key.read().context("http.tls.key")?,
        clients: clients.transpose()?,
    })
}

/// A file of certificates, bounded.
///
/// # Errors
/// Names the place in the file and the path.
pub fn file_of(place: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let context = || format!("{place}: cannot read {path}");
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(context)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(context)?;
    if bytes.len() > usize::try_from(FILE_BYTES_MAX).unwrap_or(usize::MAX) {
        bail!("{place}: more than 1 MiB is no file of certificates");
    }
    Ok(bytes)
}

fn digest(material: &TlsMaterial) -> [u8; 32] {
    let mut hash = Sha256::new();
    let clients = material.clients.as_ref().map_or(&[][..], |clients| &clients.certificates);
    for part in [&material.certificate, material.key.expose().as_bytes(), clients] {
        hash.update(Sha256::digest(part));
    }
    hash.finalize().into()
}
