//! Columns to typed values, and text on its way into columns.
//!
//! Must never repeat in an error what stood in a column.

use terrasift_schemas::event::RecordPosition;
use terrasift_schemas::{EntityRef, IdError, PipelineVersion, StateVersionId, TraceParent};

use crate::{KnownVersion, StoreError, StoreErrorKind};

/// Parses a stored id.
pub(crate) fn id<T>(parse: fn(&str) -> Result<T, IdError>, text: &str) -> Result<T, StoreError> {
    parse(text).map_err(|error| StoreError::new(StoreErrorKind::Corrupt, format!("a stored id is {error}")))
}

pub(crate) fn entity_ref(text: &str) -> Result<EntityRef, StoreError> {
    id(EntityRef::parse, text)
}

/// A trace is a convenience: what does not parse is none.
pub(crate) fn trace(text: Option<String>) -> Option<TraceParent> {
    text.and_then(|t| TraceParent::parse(&t).ok())
}

pub(crate) fn bytes<const N: usize>(column: Vec<u8>) -> Result<[u8; N], StoreError> {
    column
        .try_into()
        .map_err(|_| StoreError::new(StoreErrorKind::Corrupt, format!("a stored digest has not {N} bytes")))
}

/// Counts are stored as bigint, and are never negative.
pub(crate) fn count_in(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn count_out(column: i64) -> u64 {
    u64::try_from(column).unwrap_or(0)
}

pub(crate) fn attempts_out(column: i64) -> u32 {
    u32::try_from(column.max(0)).unwrap_or(u32::MAX)
}

/// `(lineage, serial, pipeline, state_version)` as the columns stand: all or nothing.
pub(crate) fn version(
    columns: (Option<Vec<u8>>, Option<i64>, Option<i64>, Option<String>),
) -> Result<Option<KnownVersion>, StoreError> {
    let (Some(lineage), Some(serial), Some(pipeline), state_version) = columns else { return Ok(None) };
    Ok(Some(KnownVersion {
        lineage: bytes(lineage)?,
        serial,
        pipeline: PipelineVersion(pipeline),
        state_version: state_version.map(|text| id(StateVersionId::parse, &text)).transpose()?,
    }))
}

pub(crate) fn position(
    topic: Option<String>,
    partition: Option<i32>,
    offset: Option<i64>,
) -> Option<RecordPosition> {
    Some(RecordPosition { topic: topic?, partition: partition?, offset: offset? })
}

/// Text for a column: without NUL, which Postgres' text cannot hold, and at most `max_bytes` long.
pub(crate) fn text_in(text: &str, max_bytes: usize) -> String {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // As long as U+FFFD is longer than NUL, a space keeps the bound.
    text[..end].replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_a_column_is_bounded_on_a_character_and_has_no_nul() {
        let cases = [("abc", 2, "ab"), ("aé", 2, "a"), ("a\0b", 10, "a b"), ("", 0, ""), ("é", 1, "")];
        for (text, max, expected) in cases {
            assert_eq!(text_in(text, max), expected, "{text:?} {max}");
        }
    }
}
