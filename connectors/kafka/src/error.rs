//! What can go wrong with Kafka, as one small type.
//!
//! Must never carry a record's key, headers or value, nor librdkafka's free text, which can quote a configuration.

use rdkafka::error::{KafkaError as Native, RDKafkaErrorCode as Code};

/// What went wrong, in the classes a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KafkaErrorKind {
    /// No broker answers, or not in time: try again later.
    Unavailable,
    /// The queue to the broker is full: slow down, then try again.
    Full,
    /// The record cannot be sent, ever (too large, for example).
    Refused,
    /// The configuration is not accepted: a person must mend it.
    Configuration,
    /// Credentials or permissions are missing.
    Unauthorized,
    /// A topic is missing, or not as it must be.
    Topic,
    /// This client is closed or fenced, and has to be built anew.
    Fatal,
}

/// A Kafka failure: what was tried, and librdkafka's constant name for why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct KafkaError {
    kind: KafkaErrorKind,
    what: &'static str,
    reason: String,
}

impl KafkaError {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> KafkaErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: KafkaErrorKind, what: &'static str, reason: impl Into<String>) -> Self {
        Self { kind, what, reason: reason.into() }
    }

    /// The same failure, when more is known of why.
    pub(crate) fn because(self, kind: KafkaErrorKind, reason: &str) -> Self {
        Self::new(kind, self.what, reason)
    }

    pub(crate) fn native(what: &'static str, error: &Native) -> Self {
        if let Native::ClientConfig(_, _, key, _) = error {
            let reason = format!("the property `{key}` is not accepted by this build of librdkafka");
            return Self::new(KafkaErrorKind::Configuration, what, reason);
        }
        // rdkafka leaves the codes of admin requests out.
        let code = if let Native::AdminOp(code) = error { Some(*code) } else { error.rdkafka_error_code() };
        match code {
            Some(code) => Self::code(what, code),
            None => Self::new(KafkaErrorKind::Configuration, what, "the client cannot be built or used"),
        }
    }

    pub(crate) fn code(what: &'static str, code: Code) -> Self {
        let kind = match code {
            Code::QueueFull => KafkaErrorKind::Full,
            Code::MessageSizeTooLarge
            | Code::InvalidMessageSize
            | Code::InvalidMessage
            | Code::InvalidRecord => KafkaErrorKind::Refused,
            Code::InvalidArgument | Code::InvalidConfig | Code::UnsupportedSASLMechanism => {
                KafkaErrorKind::Configuration
            }
            Code::Authentication
            | Code::SSL
            | Code::SaslAuthenticationFailed
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed => KafkaErrorKind::Unauthorized,
            Code::UnknownTopic
            | Code::UnknownTopicOrPartition
            | Code::UnknownPartition
            | Code::InvalidTopic => KafkaErrorKind::Topic,
            Code::Fatal | Code::Fenced | Code::FencedInstanceId => KafkaErrorKind::Fatal,
            _ => KafkaErrorKind::Unavailable,
        };
        // The debug name of the code is a constant: `BrokerTransportFailure`, `MessageTimedOut` …
        Self::new(kind, what, format!("{code:?}"))
    }
}
