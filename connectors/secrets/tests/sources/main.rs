//! Sources of secrets against servers that speak their documented APIs: a fake Secret Manager and a fake Vault, on loopback.
//!
//! Every failure and every log line is searched for values: none may be in it.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

mod google;
mod rotation;
mod server;
mod vault;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrasift_secrets::{Secret, SecretError, SecretErrorKind, SecretRef, Sources, SourcesConfig};

/// Part of every value in these tests.
const CANARY: &str = "toxic";

/// TLS that believes nobody.
fn no_roots() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn config() -> SourcesConfig {
    SourcesConfig { wait: Duration::from_millis(500), ..SourcesConfig::new(no_roots()) }
}

async fn read(sources: &Sources, reference: &str) -> Result<String, SecretErrorKind> {
    let reference = SecretRef::parse(reference).unwrap();
    let read = sources.read(&reference).await;
    read.map(|secret| secret.expose().to_owned()).map_err(|error| told(&reference, &error))
}

/// The failure's kind, after looking for what must not be told.
fn told(reference: &SecretRef, error: &SecretError) -> SecretErrorKind {
    let text = format!("{error} {error:?}");
    assert!(!text.contains(CANARY), "a value in: {text}");
    assert!(text.contains(&reference.to_string()), "names the reference: {text}");
    error.kind()
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// All that is logged on this thread while it is held, dependencies included.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Types with secrets in them cannot be formatted: were one of them `Debug`, two impls would fit and this would not compile.
#[test]
fn what_holds_a_secret_cannot_be_printed() {
    trait Ambiguous<A> {
        fn looked_at() {}
    }
    struct Printable;
    impl<T> Ambiguous<()> for T {}
    impl<T: std::fmt::Debug> Ambiguous<Printable> for T {}
    <Secret as Ambiguous<_>>::looked_at();
    <terrasift_secrets::CurrentSecret as Ambiguous<_>>::looked_at();
    <terrasift_secrets::SecretBook as Ambiguous<_>>::looked_at();
    <Sources as Ambiguous<_>>::looked_at();
}
