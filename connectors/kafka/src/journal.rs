//! What librdkafka has to say, as log lines of constant text.
//!
//! Must never pass its free text on: that can quote a configuration.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::error::{KafkaError as Native, RDKafkaErrorCode as Code};
use rdkafka::statistics::Statistics;

use crate::{KafkaError, KafkaErrorKind};

/// The context of clients that have nothing else to listen to. Clones share what it has heard.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    /// A broker, or we, did not trust the other.
    distrust: Arc<AtomicBool>,
}

impl Journal {
    /// Whether a broker, or we, did not trust the other: to wait longer is in vain.
    pub(crate) fn distrusts(&self) -> bool {
        self.distrust.load(Ordering::Relaxed)
    }

    /// A broker has answered: what comes next has other reasons.
    pub(crate) fn answered(&self) {
        self.distrust.store(false, Ordering::Relaxed);
    }

    /// librdkafka tries a refused login again until a request times out; then this says why.
    pub(crate) fn explain(&self, error: KafkaError) -> KafkaError {
        if error.kind() == KafkaErrorKind::Unavailable && self.distrusts() {
            let why = "a certificate, name or password is refused: check kafka.security";
            return error.because(KafkaErrorKind::Unauthorized, why);
        }
        error
    }
}

impl ClientContext for Journal {
    fn log(&self, level: Level, facility: &str, _: &str) {
        line(level, facility);
    }
    fn error(&self, error: Native, _: &str) {
        if matches!(error.rdkafka_error_code(), Some(Code::Authentication | Code::SSL)) {
            self.distrust.store(true, Ordering::Relaxed);
        }
        failure(&error);
    }
    fn stats(&self, _: Statistics) {}
}

/// Logs librdkafka's facility, a constant such as `FAIL` or `REQTMOUT`, without its text.
pub(crate) fn line(level: Level, facility: &str) {
    match level {
        Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
            tracing::error!(facility, "librdkafka reports an error");
        }
        Level::Warning => tracing::warn!(facility, "librdkafka warns"),
        Level::Notice | Level::Info | Level::Debug => tracing::debug!(facility, "librdkafka notes"),
    }
}

/// Logs the name of a client-wide error.
pub(crate) fn failure(error: &Native) {
    let code = error.rdkafka_error_code().map(|code| format!("{code:?}"));
    tracing::warn!(code, "the kafka client is in trouble");
}
