//! Decodes JSON strings and maps decoded offsets back to raw ones.
//!
//! Must never allocate for a string without escapes: callers slice the unit then.

use super::Unit;
use crate::refusal::{Refusal, RefusalKind};

const HALF: &str = "a string escapes half a surrogate pair; write the pair, or the character in UTF-8";
const ESCAPE: &str = "a string has an escape that JSON does not know (RFC 8259, section 7)";

/// Appends the decoded text of the string whose quotes are the tokens `open` and `close`.
///
/// # Errors
/// `NotJson` on control characters and unknown escapes, `InvalidText` on half a surrogate pair.
pub(crate) fn decode(unit: &Unit<'_>, open: usize, close: usize, out: &mut String) -> Result<(), Refusal> {
    let mut copied = unit.position(open) + 1;
    for token in open + 1..close {
        let at = unit.position(token);
        if at < copied {
            continue; // the second half of a pair
        }
        out.push_str(unit.slice(copied, at));
        let (character, len) = escape(unit, at)?;
        out.push(character);
        copied = at + len;
    }
    out.push_str(unit.slice(copied, unit.position(close)));
    Ok(())
}

/// Appends the decoded text of what stands between two quotes. False, and something was appended, where [`decode`] has to
/// say what is wrong with it, or a surrogate pair is escaped.
pub(crate) fn decode_plain(raw: &str, out: &mut String) -> bool {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let Some((character, len)) = plain_escape(&rest.as_bytes()[at..]) else { return false };
        out.push_str(&rest[..at]);
        out.push(character);
        rest = &rest[at + len..];
    }
    out.push_str(rest);
    true
}

/// The same for decoded offsets as [`raw_offsets`]: they are replaced by offsets into what stands between the quotes, which
/// was decoded before.
pub(crate) fn raw_offsets_plain(raw: &str, offsets: &mut [usize]) {
    let (mut at, mut decoded) = (0, 0);
    let mut next = offsets.iter_mut().peekable();
    while let Some(plain) = memchr::memchr(b'\\', &raw.as_bytes()[at..]) {
        while let Some(offset) = next.next_if(|o| **o <= decoded + plain) {
            *offset = at + (*offset - decoded);
        }
        let Some((character, len)) = plain_escape(&raw.as_bytes()[at + plain..]) else { break };
        decoded += plain + character.len_utf8();
        at += plain + len;
    }
    for offset in next {
        *offset = at + (*offset - decoded);
    }
}

/// The character of the escape that begins here, and its raw length.
fn plain_escape(bytes: &[u8]) -> Option<(char, usize)> {
    match bytes.get(1)? {
        b'u' => Some((char::from_u32(hex4(bytes.get(2..6))?)?, 6)),
        letter => Some((simple(*letter)?, 2)),
    }
}

/// What a backslash and one letter mean.
fn simple(letter: u8) -> Option<char> {
    match letter {
        b'"' => Some('"'),
        b'\\' => Some('\\'),
        b'/' => Some('/'),
        b'b' => Some('\u{8}'),
        b'f' => Some('\u{c}'),
        b'n' => Some('\n'),
        b'r' => Some('\r'),
        b't' => Some('\t'),
        _ => None,
    }
}

/// The raw spans of decoded spans: `spans` are sorted offsets into the decoded text, on character boundaries, and are
/// replaced by positions in the window.
pub(crate) fn raw_offsets(
    unit: &Unit<'_>,
    open: usize,
    close: usize,
    offsets: &mut [usize],
) -> Result<(), Refusal> {
    let mut raw = unit.position(open) + 1;
    let mut decoded = 0;
    let mut next = offsets.iter_mut().peekable();
    for token in open + 1..close {
        let at = unit.position(token);
        if at < raw {
            continue;
        }
        let plain = at - raw;
        while let Some(offset) = next.next_if(|o| **o <= decoded + plain) {
            *offset = raw + (*offset - decoded);
        }
        let (character, len) = escape(unit, at)?;
        decoded += plain + character.len_utf8();
        raw = at + len;
    }
    for offset in next {
        *offset = raw + (*offset - decoded);
    }
    Ok(())
}

/// The character of the escape at a position, and its raw length.
fn escape(unit: &Unit<'_>, at: usize) -> Result<(char, usize), Refusal> {
    let bytes = unit.bytes_from(at);
    let not_json = |detail| unit.refuse(at, RefusalKind::NotJson, detail);
    if bytes.first() != Some(&b'\\') {
        return Err(not_json("a string holds a control character; escape it"));
    }
    if bytes.get(1) == Some(&b'u') {
        return unicode(unit, at, bytes);
    }
    let simple = bytes.get(1).and_then(|letter| simple(*letter)).ok_or_else(|| not_json(ESCAPE))?;
    Ok((simple, 2))
}

fn unicode(unit: &Unit<'_>, at: usize, bytes: &[u8]) -> Result<(char, usize), Refusal> {
    let half = || unit.refuse(at, RefusalKind::InvalidText, HALF);
    let first = hex4(bytes.get(2..6)).ok_or_else(|| unit.refuse(at, RefusalKind::NotJson, ESCAPE))?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    if first >= 0xdc00 || bytes.get(6..8) != Some(b"\\u") {
        return Err(half());
    }
    let second = hex4(bytes.get(8..12)).filter(|c| (0xdc00..0xe000).contains(c)).ok_or_else(half)?;
    let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    char::from_u32(code).map(|c| (c, 12)).ok_or_else(half)
}

fn hex4(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}
