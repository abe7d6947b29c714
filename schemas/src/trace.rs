//! The W3C trace context that travels with every message.
//!
//! Must never make ids from randomness itself: whoever starts a trace passes the bytes in.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::ids::IdError;

/// A `traceparent` header, version 00 (<https://www.w3.org/TR/trace-context/#traceparent-header>): 55 ASCII bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    sampled: bool,
}

impl TraceParent {
    /// Starts a trace from 24 random bytes. All-zero ids are invalid in W3C trace context, so a bit is forced.
    #[must_use]
    pub fn from_random(mut bytes: [u8; 24]) -> Self {
        bytes[0] |= 1;
        bytes[16] |= 1;
        let mut trace_id = [0; 16];
        let mut span_id = [0; 8];
        trace_id.copy_from_slice(&bytes[..16]);
        span_id.copy_from_slice(&bytes[16..]);
        Self { trace_id, span_id, sampled: true }
    }

    /// Parses a `traceparent` header.
    ///
    /// # Errors
    /// [`IdError`] when it is not version 00 or an id is all zero.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const WRONG: IdError =
            IdError { kind: "traceparent", expected: "00-<32 hex>-<16 hex>-<2 hex>, lower case" };
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some("00"), Some(trace), Some(span), Some(flags), None) =
            (version, trace, span, flags, parts.next())
        else {
            return Err(WRONG);
        };
        let mut trace_id = [0; 16];
        let mut span_id = [0; 8];
        let mut flag = [0; 1];
        for (hex, bytes) in [(trace, &mut trace_id[..]), (span, &mut span_id[..]), (flags, &mut flag[..])] {
            decode_lower_hex(hex, bytes).ok_or(WRONG)?;
        }
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(WRONG);
        }
        Ok(Self { trace_id, span_id, sampled: flag[0] & 1 == 1 })
    }

    /// The trace id alone, 32 lower-case hex digits: what logs carry.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace_id.iter().map(|b| format!("{b:02x}")).collect()
    }
}

fn decode_lower_hex(text: &str, out: &mut [u8]) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return None;
    }
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    for (pair, byte) in digits.chunks_exact(2).zip(out) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(())
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-", self.trace_id())?;
        for byte in self.span_id {
            write!(f, "{byte:02x}")?;
        }
        write!(f, "-{:02x}", u8::from(self.sampled))
    }
}

impl TryFrom<String> for TraceParent {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<TraceParent> for String {
    fn from(trace: TraceParent) -> String {
        trace.to_string()
    }
}

impl JsonSchema for TraceParent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TraceParent".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "W3C trace context, version 00",
            "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_parses_only_in_version_00_with_non_zero_ids() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let cases = [
            (good, true),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false),
            ("", false),
        ];
        for (text, valid) in cases {
            assert_eq!(TraceParent::parse(text).is_ok(), valid, "{text:?}");
        }
        assert_eq!(TraceParent::parse(good).map(|t| t.to_string()).as_deref(), Ok(good));
        assert!(TraceParent::parse(&TraceParent::from_random([0; 24]).to_string()).is_ok());
    }
}
