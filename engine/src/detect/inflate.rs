//! Compressed text: gzip (RFC 1952) and zlib (RFC 1950), inflated up to a limit.
//!
//! Must never inflate more than the caller can pay for: what is cut off there is not decided, and the caller redacts it.

use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};

/// More than a mebibyte out of one value is no configuration.
const BYTES_MAX: usize = 1 << 20;

/// What became of bytes that may be compressed.
pub(super) enum Inflated {
    /// They are not.
    Not,
    /// They claim to be, and cannot be read to their end.
    Unreadable,
    /// What was in them.
    Whole(Vec<u8>),
}

/// The magic of gzip with its only method.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

/// Method 8, a window of at most 32 KiB, and a header that is a multiple of 31.
pub(super) fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [head, flags, ..] if head & 0x0f == 8 && head >> 4 <= 7
        && (u16::from(*head) << 8 | u16::from(*flags)).is_multiple_of(31))
}

/// Inflates what begins as gzip or zlib; at most `affordable` bytes.
pub(super) fn inflate(bytes: &[u8], affordable: usize) -> Inflated {
    let limit = affordable.min(BYTES_MAX);
    if is_gzip(bytes) {
        let read = gzip_body(bytes).and_then(|body| decompress_to_vec_with_limit(&bytes[body..], limit).ok());
        return read.map_or(Inflated::Unreadable, Inflated::Whole);
    }
    if is_zlib(bytes) {
        // Two bytes are a weak sign: what does not inflate is something else.
        return decompress_to_vec_zlib_with_limit(bytes, limit).map_or(Inflated::Not, Inflated::Whole);
    }
    Inflated::Not
}

/// What is in gzip, if it can be read to its end and is no more than `limit` bytes.
#[must_use]
pub fn unzipped(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let read = is_gzip(bytes).then(|| inflate(bytes, limit));
    read.and_then(|read| if let Inflated::Whole(inner) = read { Some(inner) } else { None })
}

/// Where the deflate stream begins, behind the optional extra field, name, comment and checksum.
fn gzip_body(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    (at < bytes.len()).then_some(at)
}
