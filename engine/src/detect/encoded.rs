//! Text in another coat: base64 (both alphabets, with and without padding, broken into lines, compressed inside) and
//! percent-encoding.
//!
//! A base64 run whose content holds something goes whole; what decodes to readable text is never called drawn. Must never
//! let pass what it could not read to its end.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use zeroize::Zeroizing;

use super::inflate::{self, Inflated};
use super::inspect::{LEVELS_MAX, Search};
use super::{Hint, KeyContext, KeyVerdict, structural as rule, wrapped};

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

/// Sextets of both alphabets; 64 for what is in neither.
const SEXTETS: [u8; 256] = {
    let mut table = [64; 256];
    let letters = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut at = 0;
    let mut value = 0u8;
    while at < letters.len() {
        // The index of an array needs a usize, and a table in a constant no conversion that can fail.
        table[letter(letters[at])] = value;
        at += 1;
        value += 1;
    }
    table[letter(b'-')] = 62;
    table[letter(b'_')] = 63;
    table
};

#[expect(clippy::as_conversions, reason = "a constant; u8 always fits")]
const fn letter(b: u8) -> usize {
    b as usize
}

/// Whether a run can be what [`base64`] opens, told by its first two groups: a look that most identifiers fail. Wrong
/// only towards yes.
#[inline]
pub(super) fn may_open(run: &[u8]) -> bool {
    let padded = run.len() - run.iter().rev().take_while(|b| **b == b'=').count();
    if run[..padded].contains(&b'=') {
        return true;
    }
    let (mut first, mut more) = (true, 0);
    for group in run.chunks_exact(4).take(2) {
        let six = |at: usize| u32::from(SEXTETS[letter(group[at])]);
        if [six(0), six(1), six(2), six(3)].contains(&64) {
            return false;
        }
        let bits = six(0) << 18 | six(1) << 12 | six(2) << 6 | six(3);
        // DER begins with 0x30, gzip with 0x1f 0x8b, zlib with 0x78; UTF-16 has a zero beside each letter.
        if first && (matches!(bits >> 16, 0x30 | 0x78) || bits >> 8 == 0x1f8b || bits >> 8 & 0xff == 0) {
            return true;
        }
        first = false;
        for byte in [bits >> 16, bits >> 8 & 0xff, bits & 0xff] {
            more = match (byte, more) {
                (9 | 10 | 13 | 0x20..=0x7e, 0) => 0,
                (0xc2..=0xdf, 0) => 1,
                (0xe0..=0xef, 0) => 2,
                (0xf0..=0xf4, 0) => 3,
                (0x80..=0xbf, 1..) => more - 1,
                _ => return false,
            };
        }
    }
    true
}

/// Opens a run on one line. `true`: its content was read (or is public), so that nobody needs to guess at it.
pub(super) fn base64(search: &mut Search<'_>, text: &str, start: usize, end: usize, level: u8) -> bool {
    let bytes = text.as_bytes();
    let (from, to) = (behind_name(bytes, start, end), end);
    open(search, &bytes[from..to], (from, to), level)
}

/// Opens a run that goes on over the next lines up to `reach`.
pub(super) fn lines(
    search: &mut Search<'_>,
    text: &str,
    first: (usize, usize),
    reach: usize,
    level: u8,
) -> bool {
    let bytes = text.as_bytes();
    let from = behind_name(bytes, first.0, first.1);
    let engine = engine_of(&bytes[from..first.1]);
    promising(&engine, &bytes[from..first.1])
        && search.spend(reach - from)
        && open(search, &wrapped::joined(&bytes[from..reach]), (from, reach), level)
}

/// `KEY=base64`, `Environment=KEY=base64`: begin behind the last `=` that is no padding.
fn behind_name(bytes: &[u8], start: usize, end: usize) -> usize {
    let padding = bytes[start..end].iter().rev().take_while(|b| **b == b'=').count();
    bytes[start..end - padding].iter().rposition(|b| *b == b'=').map_or(start, |at| start + at + 1)
}

fn engine_of(run: &[u8]) -> GeneralPurpose {
    if run.iter().any(|b| matches!(b, b'-' | b'_')) { FOR_URLS } else { STANDARD }
}

/// Decodes `run`, which stands at `place`, and searches what is in it.
fn open(search: &mut Search<'_>, run: &[u8], place: (usize, usize), level: u8) -> bool {
    let padding = run.iter().rev().take_while(|b| **b == b'=').count();
    let run = &run[..run.len() - padding];
    if run.len() < RUN_MIN {
        return false;
    }
    let engine = engine_of(run);
    if !promising(&engine, run) {
        return false;
    }
    let Some(inner) = tolerant(&engine, run) else { return false };
    let inner = Zeroizing::new(inner);
    match structure(&inner) {
        Some(true) => {
            search.push(place.0, place.1, rule::PRIVATE_KEY);
            return true;
        }
        Some(false) => return true,
        None => {}
    }
    match inflate::inflate(&inner, search.scratch.fuel.unwrap_or(0)) {
        Inflated::Not => content(search, &inner, place, level),
        Inflated::Whole(text) => {
            let text = Zeroizing::new(text);
            if !(search.spend(text.len()) && content(search, &text, place, level)) {
                search.push(place.0, place.1, rule::UNSETTLED);
            }
            true
        }
        Inflated::Unreadable => {
            search.push(place.0, place.1, rule::UNSETTLED);
            true
        }
    }
}

/// Searches decoded bytes. The whole place goes when they hold something. `false`: they are no text.
fn content(search: &mut Search<'_>, inner: &[u8], place: (usize, usize), level: u8) -> bool {
    let wide = from_utf16(inner).map(Zeroizing::new);
    let inner = match (&wide, std::str::from_utf8(inner)) {
        (Some(text), _) => text.as_str(),
        (None, Ok(text)) => text,
        // A word behind the last line was read along: a few bytes at the end are its.
        (None, Err(error)) if error.valid_up_to() + 4 >= inner.len() && inner.len() > 64 => {
            std::str::from_utf8(&inner[..error.valid_up_to()]).unwrap_or("")
        }
        (None, Err(_)) => return false,
    };
    if !readable(inner) {
        return false;
    }
    if level >= LEVELS_MAX {
        search.push(place.0, place.1, rule::UNSETTLED);
        return true;
    }
    let kept = search.scratch.found.len();
    let quiet = std::mem::take(&mut search.scratch.quiet);
    search.leaf(inner, KeyVerdict::Plain, level + 1, false);
    search.scratch.quiet = quiet;
    let rules = search.rules;
    let strongest = search.scratch.found[kept..]
        .iter()
        .map(|f| f.rule)
        .filter(|ix| rules.enabled(*ix))
        .max_by_key(|ix| rules.rule(*ix).priority);
    search.scratch.found.truncate(kept);
    if let Some(ix) = strongest {
        search.push(place.0, place.1, ix);
    }
    true
}

/// Little-endian UTF-16 of plain text, as PowerShell encodes its commands.
fn from_utf16(bytes: &[u8]) -> Option<String> {
    let plain = |pair: &[u8; 2]| pair[1] == 0 && pair[0] != 0;
    let (pairs, rest) = bytes.as_chunks::<2>();
    let wide = rest.is_empty()
        && pairs.len() >= 8
        && pairs.iter().filter(|p| plain(p)).count() * 8 >= pairs.len() * 7;
    wide.then(|| String::from_utf16_lossy(&pairs.iter().map(|p| u16::from_le_bytes(*p)).collect::<Vec<_>>()))
}

/// The first characters decode to text, or to one of the structures below: most identifiers fail here.
fn promising(engine: &GeneralPurpose, run: &[u8]) -> bool {
    let mut head = [0u8; 24];
    let Ok(n) = engine.decode_slice(&run[..24.min(run.len()) / 4 * 4], &mut head) else { return false };
    let head = &head[..n];
    if head.starts_with(&[0x30]) || inflate::is_gzip(head) || inflate::is_zlib(head) || image(head) {
        return true;
    }
    if n >= 8 && head.as_chunks::<2>().0.iter().all(|pair| pair[1] == 0 && (b' '..0x7f).contains(&pair[0])) {
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

/// Pictures hold nothing that a rule could read.
fn image(bytes: &[u8]) -> bool {
    [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"GIF89a", b"GIF87a"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
}

fn readable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// DER and pictures: `Some(true)` for private keys and PKCS#12, `Some(false)` for certificates, public keys, pictures.
///
/// PKCS#1 and PKCS#8 begin with version 0 or 1, SEC 1 with version 1 and an octet string, PKCS#12 (RFC 7292) with 3.
fn structure(der: &[u8]) -> Option<bool> {
    if image(der) {
        return Some(false);
    }
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

/// Decodes the whole text once and searches it again; findings are mapped back. `true`: that was possible.
pub(super) fn percent(search: &mut Search<'_>, text: &str, hint: Hint, level: u8) -> bool {
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
    while let Some(plain) = memchr::memchr(b'%', &bytes[at..]) {
        raw.extend_from_slice(&bytes[at..at + plain]);
        at += plain;
        if let Some(b) = escape(at) {
            decoded.map.push((raw.len(), at));
            raw.push(b);
            at += 3;
            decoded.map.push((raw.len(), at));
            any = true;
            continue;
        }
        raw.push(b'%');
        at += 1;
    }
    raw.extend_from_slice(&bytes[at..]);
    let inner = any.then(|| String::from_utf8(raw).ok()).flatten();
    let opened = inner.is_some();
    if let Some(inner) = inner {
        let from = search.scratch.found.len();
        let key = KeyVerdict::Context(KeyContext { hint, tenant: 0 });
        search.leaf(&inner, key, level + 1, false);
        for found in &mut search.scratch.found[from..] {
            found.start = decoded.source(found.start);
            found.end = decoded.source(found.end);
        }
    }

    search.scratch.give_back(decoded);
    opened
}
