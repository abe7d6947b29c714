//! Text in another coat: base64 (both alphabets, with and without padding) and percent-encoding.
//!
//! A base64 run whose content holds something goes whole; what decodes to readable text is never called drawn.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::inspect::{LEVELS_MAX, Search};
use super::{Hint, KeyContext, KeyVerdict, structural as rule};

/// Shortest run that is opened.
const RUN_MIN: usize = 16;

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
pub(super) const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
pub(super) const FOR_URLS: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Decodes, ignoring padding.
pub(super) fn tolerant(engine: &GeneralPurpose, run: &[u8]) -> Option<Vec<u8>> {
    engine.decode(run).ok()
}

/// Opens a run. `true`: its content was read (or is a public structure), so that nobody needs to guess at it.
pub(super) fn base64(search: &mut Search<'_>, text: &str, start: usize, end: usize, level: u8) -> bool {
    let bytes = text.as_bytes();
    let (mut from, mut to) = (start, end);
    // `KEY=base64` and paths: begin behind the first `=` that is no padding.
    if let Some(at) = bytes[start..end].iter().position(|b| *b == b'=') {
        let rest = &bytes[start + at..end];
        if rest.iter().any(|b| *b != b'=') {
            from = start + at + 1;
        }
    }
    while to > from && bytes[to - 1] == b'=' && to - from > RUN_MIN && !(to - from).is_multiple_of(4) {
        to -= 1;
    }
    if to - from < RUN_MIN {
        return false;
    }
    let run = &bytes[from..to];
    let engine = if run.iter().any(|b| matches!(b, b'-' | b'_')) { FOR_URLS } else { STANDARD };
    if !promising(&engine, run) {
        return false;
    }
    let Some(inner) = tolerant(&engine, run) else { return false };
    match structure(&inner) {
        Some(true) => {
            search.push(from, end, rule::PRIVATE_KEY);
            return true;
        }
        Some(false) => return true,
        None => {}
    }
    let Ok(inner) = std::str::from_utf8(&inner) else { return false };
    if level + 2 > LEVELS_MAX || !readable(inner) {
        return readable(inner);
    }
    let kept = search.scratch.found.len();
    search.leaf(inner, KeyVerdict::Plain, level + 2, false);
    let rules = search.rules;
    let strongest = search.scratch.found[kept..]
        .iter()
        .map(|f| f.rule)
        .filter(|ix| rules.enabled(*ix))
        .max_by_key(|ix| rules.rule(*ix).priority);
    search.scratch.found.truncate(kept);
    if let Some(ix) = strongest {
        search.push(from, end, ix);
    }
    true
}

/// The first characters decode to text, or to one of the structures below: most identifiers fail here.
fn promising(engine: &GeneralPurpose, run: &[u8]) -> bool {
    let mut head = [0u8; 24];
    let Ok(n) = engine.decode_slice(&run[..24.min(run.len()) / 4 * 4], &mut head) else { return false };
    let head = &head[..n];
    if head.starts_with(&[0x30]) {
        return true;
    }
    // Cut inside a character is fine.
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("")
        }
        Err(_) => return false,
    };
    !whole.is_empty() && readable(whole)
}

fn readable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// DER: `Some(true)` for private keys and PKCS#12, `Some(false)` for certificates and public keys.
///
/// PKCS#1 and PKCS#8 begin with version 0 or 1, SEC 1 with version 1 and an octet string, PKCS#12 (RFC 7292) with 3.
fn structure(der: &[u8]) -> Option<bool> {
    let (&tag, rest) = der.split_first()?;
    if tag != 0x30 {
        return None;
    }
    let (&len, rest) = rest.split_first()?;
    let long = usize::from(len & 0x7f);
    let body = if len < 0x80 { rest } else { rest.get(long..).filter(|_| (1..=4).contains(&long))? };
    let (declared, total) = match len {
        0..0x80 => (usize::from(len), der.len().checked_sub(2)?),
        _ => (rest[..long].iter().fold(0, |n, b| n << 8 | usize::from(*b)), body.len()),
    };
    if declared > total + 3 || declared + 3 < total {
        return None;
    }
    match body {
        [2, 1, 0 | 1 | 3, ..] => Some(true),
        [0x30, ..] => Some(false),
        _ => None,
    }
}

/// Decodes the whole text once and searches it again; findings are mapped back.
pub(super) fn percent(search: &mut Search<'_>, text: &str, hint: Hint, level: u8) {
    let bytes = text.as_bytes();
    let escape = |at: usize| {
        let hex =
            |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        Some(hex(bytes.get(at + 1))? << 4 | hex(bytes.get(at + 2))?)
    };
    let mut decoded = search.scratch.borrow();
    let mut raw = Vec::with_capacity(bytes.len());
    let mut any = false;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%'
            && let Some(b) = escape(at)
        {
            decoded.map.push((raw.len(), at));
            raw.push(b);
            at += 3;
            decoded.map.push((raw.len(), at));
            any = true;
            continue;
        }

        raw.push(bytes[at]);
        at += 1;
    }
    if any && let Ok(inner) = String::from_utf8(raw) {
        let from = search.scratch.found.len();
        let key = KeyVerdict::Context(KeyContext { hint, tenant: 0 });
        search.leaf(&inner, key, level + 1, false);
        for found in &mut search.scratch.found[from..] {
            found.start = decoded.source(found.start);
            found.end = decoded.source(found.end);
        }
    }

    search.scratch.give_back(decoded);
}
