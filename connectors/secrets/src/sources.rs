//! All sources behind one call.
//!
//! Must never ask a source that no configuration names.

use std::time::Duration;

use crate::google::{Google, GoogleConfig};
use crate::vault::{Vault, VaultConfig};
use crate::{Secret, SecretError, SecretErrorKind, SecretRef, local, value};

/// Longest wait for one answer of a source.
const WAIT: Duration = Duration::from_secs(10);

/// How to reach the sources outside this machine. No `Debug`: it has a TLS configuration in it.
#[derive(Clone)]
pub struct SourcesConfig {
    /// Google Secret Manager; by default Google's own, with the application's default credentials.
    pub google: GoogleConfig,
    /// Vault, where there is one.
    pub vault: Option<VaultConfig>,
    /// TLS of this process, for sources without authorities of their own.
    pub tls: rustls::ClientConfig,
    /// Longest wait for one answer.
    pub wait: Duration,
}

impl SourcesConfig {
    /// Without Vault, and with Google's own Secret Manager.
    #[must_use]
    pub fn new(tls: rustls::ClientConfig) -> Self {
        Self { google: GoogleConfig::default(), vault: None, tls, wait: WAIT }
    }
}

/// Where secrets are read. No `Debug`: it holds credentials.
pub struct Sources {
    google: Google,
    vault: Option<Vault>,
}

impl Sources {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// [`SecretErrorKind::NotConfigured`] when an address, authorities or a namespace are of no use.
    pub fn new(config: SourcesConfig) -> Result<Self, SecretError> {
        let SourcesConfig { google, vault, tls, wait } = config;
        let vault = vault.map(|vault| Vault::new(vault, &tls, wait)).transpose()?;
        Ok(Self { google: Google::new(google, wait)?, vault })
    }

    /// Reads the secret behind a reference.
    ///
    /// # Errors
    /// [`SecretError`]: names the reference and how to mend it, never a value.
    pub async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let value = match reference {
            SecretRef::Env(_) => return local::resolve(reference),
            SecretRef::File(_) => {
                let copy = reference.clone();
                let read = tokio::task::spawn_blocking(move || local::resolve(&copy)).await;
                let gone = (SecretErrorKind::Unavailable, "reading was broken off");
                return read.unwrap_or_else(|_| Err(SecretError::of(reference, gone)));
            }
            SecretRef::Google(name) => self.google.read(name).await,
            SecretRef::Vault(name) => match &self.vault {
                Some(vault) => vault.read(name).await,
                None => Err((SecretErrorKind::NotConfigured, "no vault is configured: set secrets.vault")),
            },
        };
        let value = value.map_err(|refusal| SecretError::of(reference, refusal))?;
        value::check(&value)
            .map_err(|detail| SecretError::of(reference, (SecretErrorKind::BadValue, detail)))?;
        Ok(Secret::new(value.to_string()))
    }
}
