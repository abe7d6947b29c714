//! Where log lines go: JSON to standard error in production, JSON to a file in the demo.
//!
//! Must never be set up twice, nor log what a library says about URLs or bodies.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

/// Libraries are quiet: at `debug` some of them print requests.
const FILTER: &str = "info,hyper=warn,reqwest=warn,sqlx=warn,rdkafka=off,librdkafka=off,rustls=warn";

/// Logs to standard error.
///
/// # Errors
/// When logging was set up before.
pub fn to_stderr() -> anyhow::Result<()> {
    let subscriber =
        tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(FILTER)).with_writer(std::io::stderr);
    subscriber.try_init().map_err(|_| anyhow::anyhow!("logging is set up already"))
}

/// Logs to a file.
///
/// # Errors
/// When the file cannot be opened.
pub fn to_file(path: &Path) -> anyhow::Result<()> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.with_context(|| format!("cannot open the log {}", path.display()))?;
    let subscriber =
        tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(FILTER)).with_writer(Arc::new(file));
    subscriber.try_init().map_err(|_| anyhow::anyhow!("logging is set up already"))
}
