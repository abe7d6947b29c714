//! Base64 that is broken into lines (MIME's 76 columns, PEM's 64, whatever a tool chose), also indented.
//!
//! Knows lines only; what is in them is `encoded.rs`'s business.

use super::rarity;
use super::tokens::token_byte;

/// Narrower text is a list of words.
const WIDTH_MIN: usize = 40;

/// End of the block whose first line is `start..end`: lines of one width, the last may be shorter. `None`: one line only.
pub(super) fn block(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    let width = end - start;
    // Tools break base64 between groups of four characters.
    if width < WIDTH_MIN || !width.is_multiple_of(4) {
        return None;
    }
    let mut last = end;
    while let Some(from) = next_line(bytes, last) {
        let len = bytes[from..].iter().take(width + 1).take_while(|b| token_byte(**b)).count();
        // `password:` on the next line is no part of the block.
        let ends = bytes.get(from + len).is_none_or(|b| b.is_ascii_whitespace() || b"\"'`\\<,)".contains(b));
        let blanks = bytes[from + len..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let ends = ends && !matches!(bytes.get(from + len + blanks), Some(b'=' | b':'));
        if len == 0 || len > width || !ends || bytes[last - 1] == b'=' || !continues(&bytes[from..from + len])
        {
            break;
        }
        last = from + len;
        if len < width {
            break;
        }
    }
    (last > end).then_some(last)
}

/// Not the `name=value` that begins something else: only padding ends in `=`.
fn continues(line: &[u8]) -> bool {
    let padding = line.iter().rev().take_while(|b| **b == b'=').count();
    let body = &line[..line.len() - padding];
    !(padding == 1 && body.contains(&b'_') || body.contains(&b'='))
}

/// One line behind the first, and that is a word: nothing that was drawn goes on in it.
pub(super) fn ends_in_a_word(rest: &[u8]) -> bool {
    let line = next_line(rest, 0).map_or(rest, |from| &rest[from..]);
    let letters = line.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-'));
    letters && rarity::familiarity(line) > 0
}

/// Behind a line break (also an escaped one) and the indentation that follows it.
fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let breaks: [&[u8]; 4] = [b"\r\n", b"\n", b"\\r\\n", b"\\n"];
    let broken = breaks.into_iter().find(|b| rest.starts_with(b))?.len();
    let indent = rest[broken..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    Some(at + broken + indent)
}

/// The lines without what is between them.
pub(super) fn joined(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len());
    let mut at = 0;
    while at < block.len() {
        // Nothing else begins a line break.
        let plain = memchr::memchr3(b'\r', b'\n', b'\\', &block[at..]).unwrap_or(block.len() - at);
        out.extend_from_slice(&block[at..at + plain]);
        at += plain;
        match next_line(block, at) {
            Some(next) => at = next,
            None => {
                out.extend(block.get(at));
                at += 1;
            }
        }
    }
    out
}
