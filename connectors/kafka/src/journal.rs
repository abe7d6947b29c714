//! What librdkafka has to say, as log lines of constant text.
//!
//! Must never pass its free text on: that can quote a configuration.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;

/// The context of clients that have nothing else to listen to.
#[derive(Clone)]
pub(crate) struct Journal;

impl ClientContext for Journal {
    fn log(&self, level: Level, facility: &str, _: &str) {
        line(level, facility);
    }
    fn error(&self, error: KafkaError, _: &str) {
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
pub(crate) fn failure(error: &KafkaError) {
    let code = error.rdkafka_error_code().map(|code| format!("{code:?}"));
    tracing::warn!(code, "the kafka client is in trouble");
}
