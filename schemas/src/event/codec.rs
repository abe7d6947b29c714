//! CloudEvents 1.0, Kafka protocol binding, binary mode: attributes in headers, JSON data in the value.
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>)
//!
//! Must never repeat a record's bytes in a reject: they could be anything.

use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{
    EncodedRecord, Envelope, Event, SANITIZATION_FAILED_TOPIC, SANITIZATION_FAILED_TYPE, STATE_UPDATED_TOPIC,
    STATE_UPDATED_TYPE, SanitizationFailed, StateUpdated, WORKSPACE_DISCOVERED_TOPIC,
    WORKSPACE_DISCOVERED_TYPE, WorkspaceDiscovered,
};
use crate::trace::TraceParent;

/// Largest record value that is looked at: events carry ids only, and are far below this.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// A Kafka record as a consumer sees it, borrowed.
#[derive(Clone, Copy)]
pub struct RecordView<'a> {
    /// Topic it was read from.
    pub topic: &'a str,
    /// Key bytes.
    pub key: Option<&'a [u8]>,
    /// Header names and values, in order.
    pub headers: &'a [(String, Vec<u8>)],
    /// Value bytes; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// Why a record does not fit. Constant texts: what is wrong and how the producer mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// No key.
    #[error("the record has no key: set it to tenant/workspace")]
    NoKey,
    /// Key and data name different workspaces.
    #[error("the record's key is not the tenant/workspace of its data")]
    KeyMismatch,
    /// No value.
    #[error("the record is a tombstone: these topics carry events, not state")]
    Tombstone,
    /// Too long.
    #[error("the record's value is longer than 65536 bytes: events carry ids, not payloads")]
    TooLong,
    /// A required CloudEvents header is missing or not text.
    #[error("the record lacks ce_specversion 1.0, ce_id, ce_source or ce_type: use CloudEvents binary mode")]
    NotACloudEvent,
    /// `ce_type` is not one of this topic's.
    #[error("the record's ce_type is unknown on this topic")]
    UnknownType,
    /// `content-type` is not JSON.
    #[error("the record's content-type is not application/json")]
    NotJsonContent,
    /// The value is not JSON.
    #[error("the record's value is not JSON")]
    NotJson,
    /// JSON, but not as the schema says.
    #[error("the record's value does not fit the schema of its type: compare with the published JSON Schema")]
    SchemaMismatch,
}

/// Reads a record.
///
/// # Errors
/// [`RejectReason`] when it does not fit the contract.
pub fn decode(record: RecordView<'_>) -> Result<Envelope, RejectReason> {
    let value = record.value.ok_or(RejectReason::Tombstone)?;
    let key = record.key.filter(|key| !key.is_empty()).ok_or(RejectReason::NoKey)?;
    if value.len() > MAX_VALUE_BYTES {
        return Err(RejectReason::TooLong);
    }
    let header = |name: &str| {
        record
            .headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .and_then(|(_, bytes)| std::str::from_utf8(bytes).ok())
            .filter(|text| !text.is_empty())
    };
    let required = |name: &str| header(name).ok_or(RejectReason::NotACloudEvent);
    if required("ce_specversion")? != "1.0" {
        return Err(RejectReason::NotACloudEvent);
    }
    let (id, source, kind) = (required("ce_id")?, required("ce_source")?, required("ce_type")?);
    if header("content-type").is_some_and(|media| !is_json(media)) {
        return Err(RejectReason::NotJsonContent);
    }
    let event = match (record.topic, kind) {
        (WORKSPACE_DISCOVERED_TOPIC, WORKSPACE_DISCOVERED_TYPE) => Event::WorkspaceDiscovered(parse(value)?),
        (STATE_UPDATED_TOPIC, STATE_UPDATED_TYPE) => Event::StateUpdated(parse(value)?),
        (SANITIZATION_FAILED_TOPIC, SANITIZATION_FAILED_TYPE) => Event::SanitizationFailed(parse(value)?),
        _ => return Err(RejectReason::UnknownType),
    };
    if event.key().is_some_and(|expected| expected.as_bytes() != key) {
        return Err(RejectReason::KeyMismatch);
    }
    Ok(Envelope {
        id: id.to_owned(),
        source: source.to_owned(),
        time: header("ce_time").and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()),
        // A broken trace context starts a new trace; it is no reason to drop an event (W3C trace context, 3.3).
        trace: header("traceparent")
            .or_else(|| header("ce_traceparent"))
            .and_then(|t| TraceParent::parse(t).ok()),
        event,
    })
}

fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(value: &[u8]) -> Result<T, RejectReason> {
    serde_json::from_slice(value).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => RejectReason::SchemaMismatch,
        _ => RejectReason::NotJson,
    })
}

impl Event {
    /// Topic that carries this event.
    #[must_use]
    pub fn topic(&self) -> &'static str {
        match self {
            Self::WorkspaceDiscovered(_) => WORKSPACE_DISCOVERED_TOPIC,
            Self::StateUpdated(_) => STATE_UPDATED_TOPIC,
            Self::SanitizationFailed(_) => SANITIZATION_FAILED_TOPIC,
        }
    }

    /// CloudEvents `type`.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::WorkspaceDiscovered(_) => WORKSPACE_DISCOVERED_TYPE,
            Self::StateUpdated(_) => STATE_UPDATED_TYPE,
            Self::SanitizationFailed(_) => SANITIZATION_FAILED_TYPE,
        }
    }

    /// `tenant/workspace`; absent for a dead letter that names none.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        match self {
            Self::WorkspaceDiscovered(WorkspaceDiscovered { tenant, workspace, .. })
            | Self::StateUpdated(StateUpdated { tenant, workspace, .. }) => {
                Some(format!("{tenant}/{workspace}"))
            }
            Self::SanitizationFailed(SanitizationFailed { tenant, workspace, .. }) => {
                Some(format!("{}/{}", tenant.as_ref()?, workspace.as_ref()?))
            }
        }
    }
}

impl Envelope {
    /// Encodes for a producer.
    ///
    /// # Errors
    /// When the data cannot be written as JSON (a year beyond 9999 in a time).
    pub fn encode(&self) -> Result<EncodedRecord, serde_json::Error> {
        let value = match &self.event {
            Event::WorkspaceDiscovered(data) => to_json(data),
            Event::StateUpdated(data) => to_json(data),
            Event::SanitizationFailed(data) => to_json(data),
        }?;
        let mut headers = vec![
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.id.clone()),
            ("ce_source", self.source.clone()),
            ("ce_type", self.event.event_type().to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        if let Some(time) = self.time.and_then(|time| time.format(&Rfc3339).ok()) {
            headers.push(("ce_time", time));
        }
        let key = self.event.key().unwrap_or_else(|| "unrouted".to_owned());
        headers.push(("ce_subject", key.clone()));
        if let Some(trace) = self.trace {
            headers.push(("traceparent", trace.to_string()));
        }
        Ok(EncodedRecord { topic: self.event.topic(), key, headers, value })
    }
}

fn to_json<T: Serialize>(data: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{DiscoverySource, FailureReason, Priority};
    use crate::ids::{TenantId, WorkspaceId};

    fn state_updated() -> Envelope {
        Envelope {
            id: "1".into(),
            source: "/test".into(),
            time: Some(time::macros::datetime!(2026-01-02 03:04:05 UTC)),
            trace: Some(TraceParent::from_random([7; 24])),
            event: Event::StateUpdated(StateUpdated {
                tenant: TenantId::parse("acme").expect("id"),
                workspace: WorkspaceId::parse("ws-1").expect("id"),
                run: None,
                time: time::macros::datetime!(2026-01-02 03:04:05 UTC),
                priority: Priority::High,
                state_version: None,
                lineage: None,
                serial: Some(u64::MAX),
            }),
        }
    }

    /// An encoded record with owned headers, to be spoilt by a case.
    struct Spoilt {
        topic: &'static str,
        key: Option<Vec<u8>>,
        headers: Vec<(String, Vec<u8>)>,
        value: Option<Vec<u8>>,
    }

    impl Spoilt {
        fn set(&mut self, name: &str, value: Option<&str>) {
            self.headers.retain(|(n, _)| n != name);
            if let Some(value) = value {
                self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
            }
        }
    }

    fn check(name: &str, spoil: fn(&mut Spoilt), expected: Option<RejectReason>) {
        let record = state_updated().encode().expect("encodes");
        let mut spoilt = Spoilt {
            topic: record.topic,
            key: Some(record.key.into_bytes()),
            headers: record.headers.into_iter().map(|(n, v)| (n.to_owned(), v.into_bytes())).collect(),
            value: Some(record.value),
        };
        spoil(&mut spoilt);
        let view = RecordView {
            topic: spoilt.topic,
            key: spoilt.key.as_deref(),
            headers: &spoilt.headers,
            value: spoilt.value.as_deref(),
        };
        assert_eq!(decode(view).err(), expected, "{name}");
    }

    #[test]
    fn a_record_that_does_not_fit_is_rejected_with_its_reason() {
        use RejectReason as R;
        check("as encoded", |_| (), None);
        check("no key", |r| r.key = None, Some(R::NoKey));
        check("empty key", |r| r.key = Some(vec![]), Some(R::NoKey));
        check("foreign key", |r| r.key = Some(b"other/ws-1".to_vec()), Some(R::KeyMismatch));
        check("tombstone", |r| r.value = None, Some(R::Tombstone));
        check("unknown type", |r| r.set("ce_type", Some("x")), Some(R::UnknownType));
        check(
            "type of another topic",
            |r| r.set("ce_type", Some(WORKSPACE_DISCOVERED_TYPE)),
            Some(R::UnknownType),
        );
        check("no type", |r| r.set("ce_type", None), Some(R::NotACloudEvent));
        check("no id", |r| r.set("ce_id", None), Some(R::NotACloudEvent));
        check("no source", |r| r.set("ce_source", None), Some(R::NotACloudEvent));
        check("version 2", |r| r.set("ce_specversion", Some("2.0")), Some(R::NotACloudEvent));
        check("avro", |r| r.set("content-type", Some("application/avro")), Some(R::NotJsonContent));
        check("json with charset", |r| r.set("content-type", Some("application/json; charset=utf-8")), None);
        check("broken trace", |r| r.set("traceparent", Some("nonsense")), None);
        check("bad json", |r| r.value = Some(b"{".to_vec()), Some(R::NotJson));
        check("not utf-8", |r| r.value = Some(vec![0xff]), Some(R::NotJson));
        check("no fields", |r| r.value = Some(b"{}".to_vec()), Some(R::SchemaMismatch));
        check("an array", |r| r.value = Some(b"[1]".to_vec()), Some(R::SchemaMismatch));
        check("too long", |r| r.value = Some(vec![b' '; MAX_VALUE_BYTES + 1]), Some(R::TooLong));
        check(
            "a hostile workspace id",
            |r| {
                r.value =
                    Some(br#"{"tenant":"acme","workspace":"../x","time":"2026-01-02T03:04:05Z"}"#.to_vec())
            },
            Some(R::SchemaMismatch),
        );
        check(
            "a newer producer's extra field",
            |r| {
                r.value = Some(
                    br#"{"tenant":"acme","workspace":"ws-1","time":"2026-01-02T03:04:05Z","new":1}"#.to_vec(),
                );
            },
            None,
        );
    }

    #[test]
    fn every_event_survives_the_round_trip() {
        let tenant = TenantId::parse("acme").expect("id");
        let workspace = WorkspaceId::parse("ws-1").expect("id");
        let events = [
            state_updated().event,
            Event::WorkspaceDiscovered(WorkspaceDiscovered {
                tenant,
                workspace,
                organization: None,
                source: DiscoverySource::Manual,
            }),
            Event::SanitizationFailed(SanitizationFailed {
                tenant: None,
                workspace: None,
                reason: FailureReason::InvalidRecord,
                detail: "the record has no key".into(),
                attempts: 1,
                record: None,
                time: time::macros::datetime!(2026-01-02 03:04:05 UTC),
            }),
        ];
        for event in events {
            let sent = Envelope { event, ..state_updated() };
            let record = sent.encode().expect("encodes");
            let headers: Vec<_> =
                record.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone().into_bytes())).collect();
            let view = RecordView {
                topic: record.topic,
                key: Some(record.key.as_bytes()),
                headers: &headers,
                value: Some(&record.value),
            };
            assert_eq!(decode(view).ok(), Some(sent));
        }
    }
}
