//! References from the configuration to what stands behind them.
//!
//! Owns which references `serve` reads, and which of them may rotate. Must never show a value.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use terrasift_schemas::config::{Config, Vault};
use terrasift_secrets::{
    CurrentSecret, Declared, GoogleConfig, KvVersion, Secret, SecretBook, SecretRef, Sources, SourcesConfig,
    Taken, Unread, VaultConfig, VaultLogin,
};
use url::Url;

use crate::cache::CacheSettings;

/// The sources that the configuration names.
///
/// # Errors
/// Names the place in the file and its mend.
pub fn sources(config: &Config) -> anyhow::Result<Sources> {
    let mut sources = SourcesConfig::new(terrasift_terraform_cloud::tls());
    if let Some(google) = &config.secrets.google {
        let endpoint =
            google.endpoint.as_deref().map(|text| address("secrets.google.endpoint", text)).transpose()?;
        let credentials = google
            .credentials
            .as_deref()
            .map(|text| local("secrets.google.credentials", text))
            .transpose()?;
        sources.google = GoogleConfig { endpoint, credentials };
    }
    sources.vault = config.secrets.vault.as_ref().map(vault).transpose()?;
    Sources::new(sources).map_err(anyhow::Error::from)
}

fn vault(vault: &Vault) -> anyhow::Result<VaultConfig> {
    let login = match (&vault.token, &vault.kubernetes, &vault.app_role) {
        (Some(reference), None, None) => VaultLogin::Token(local("secrets.vault.token", reference)?),
        (None, Some(kubernetes), None) => VaultLogin::Kubernetes {
            mount: kubernetes.mount.clone(),
            role: kubernetes.role.clone(),
            token_file: PathBuf::from(&kubernetes.token_file),
        },
        (None, None, Some(role)) => VaultLogin::AppRole {
            mount: role.mount.clone(),
            role_id: role.role_id.clone(),
            secret_id: local("secrets.vault.app_role.secret_id", &role.secret_id)?,
        },
        _ => bail!("secrets.vault: exactly one of token, kubernetes and app_role says who we are"),
    };
    let authorities =
        vault.ca_file.as_ref().map(|file| crate::certificates::file_of("secrets.vault.ca_file", file));
    Ok(VaultConfig {
        address: address("secrets.vault.address", &vault.address)?,
        namespace: vault.namespace.clone(),
        authorities: authorities.transpose()?,
        kv: if vault.kv_version == 1 { KvVersion::V1 } else { KvVersion::V2 },
        login,
    })
}

fn address(place: &str, text: &str) -> anyhow::Result<Url> {
    text.parse().map_err(|_| anyhow::anyhow!("{place}: not a URL such as https://host:port"))
}

/// What opens a source stands on this machine.
fn local(place: &str, text: &str) -> anyhow::Result<SecretRef> {
    let reference = SecretRef::parse(text).with_context(|| place.to_owned())?;
    if !reference.is_local() {
        bail!("{place}: what opens a source is `env:NAME` or `file:/path`");
    }
    Ok(reference)
}

/// What `serve` reads.
#[must_use]
pub fn declared(config: &Config) -> Vec<Declared> {
    use Taken::{Always, AtStart};
    let (keys, kafka) = (&config.keys, &config.kafka.security);
    let mut declared = Vec::new();
    let mut add = |taken, place: &str, reference: Option<&String>| {
        let add =
            |reference: &String| Declared { place: place.to_owned(), reference: reference.clone(), taken };
        declared.extend(reference.map(add));
    };
    add(Always, "postgres.url", Some(&config.postgres.url));
    add(Always, "postgres.auditor_url", config.postgres.auditor_url.as_ref());
    add(Always, "redis.url", config.redis.url.as_ref());
    add(Always, "cache.url", CacheSettings::reference(config));
    add(Always, "kafka.security.password", kafka.password.as_ref());
    add(AtStart, "kafka.security.key", kafka.key.as_ref());
    add(Always, "http.tls.key", config.http.tls.as_ref().map(|tls| &tls.key));
    add(AtStart, IDENTITY_KEY, Some(&keys.identity));
    add(AtStart, "keys.hash", Some(&keys.hash));
    add(AtStart, "keys.cursor", Some(&keys.cursor));
    add(AtStart, "keys.api_key_pepper", Some(&keys.api_key_pepper));
    add(AtStart, "keys.audit_signing", keys.audit_signing.as_ref());
    for (index, tenant) in config.tenants.iter().enumerate() {
        for (n, token) in tenant.tokens.iter().enumerate() {
            add(Always, &format!("tenants[{index}].tokens[{n}]"), Some(&token.secret));
        }
        add(Always, &format!("tenants[{index}].webhook_secret"), tenant.webhook_secret.as_ref());
    }
    declared
}

/// Where the key stands that must never change.
pub const IDENTITY_KEY: &str = "keys.identity";

/// Reads all that `serve` needs.
///
/// # Errors
/// How to reach a source is not said in a way that can be used. Inside: all references that cannot be read.
pub async fn read(config: &Config) -> anyhow::Result<Result<SecretBook, Vec<Unread>>> {
    let overlap = Duration::from_secs(config.secrets.overlap_s);
    Ok(SecretBook::open(sources(config)?, overlap, declared(config)).await)
}

/// Reads all that `serve` needs.
///
/// # Errors
/// All references that cannot be read, each with its place and its mend.
pub async fn open(config: &Config) -> anyhow::Result<SecretBook> {
    read(config).await?.map_err(|unread| {
        anyhow::anyhow!("{}", unread.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })
}

/// A secret of the book.
///
/// # Errors
/// [`declared`] does not know the reference.
pub fn current(book: &SecretBook, place: &str, reference: &str) -> anyhow::Result<CurrentSecret> {
    book.current(reference).with_context(|| format!("{place}: was not read at the start"))
}

/// Reads one secret, for a command that needs few.
///
/// # Errors
/// Names the place and the reference, never a value.
pub fn one(config: &Config, place: &str, reference: &str) -> anyhow::Result<Secret> {
    let parsed = SecretRef::parse(reference).with_context(|| place.to_owned())?;
    if parsed.is_local() {
        return terrasift_secrets::resolve(&parsed).with_context(|| place.to_owned());
    }
    let sources = sources(config)?;
    // On a thread of its own: some callers are inside of a runtime, and one cannot wait inside of another.
    let read = std::thread::scope(|scope| {
        let read = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            Ok::<_, anyhow::Error>(runtime.context("cannot start a runtime")?.block_on(sources.read(&parsed)))
        };
        scope.spawn(read).join()
    });
    let read = read.map_err(|_| anyhow::anyhow!("{place}: reading was broken off"))??;
    read.with_context(|| place.to_owned())
}
