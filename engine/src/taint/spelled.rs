//! How a longer text may spell a secret: escapes of JSON and of addresses, and base64.
//!
//! Knows notations only. What it makes is wiped when it is dropped.

use memchr::{memchr, memchr2};
use zeroize::{Zeroize, Zeroizing};

use super::SHORTEST;
use crate::detect::unzipped;

/// Bytes with their escapes resolved, and where each of them stood.
#[derive(Default)]
pub(super) struct Resolved {
    pub bytes: Vec<u8>,
    /// `(resolved offset, raw offset)` behind each escape.
    shifts: Vec<(usize, usize)>,
}

impl Resolved {
    /// Resolves the escapes of JSON, wherever they stand: strings of valid JSON come out as they are meant. What is no escape
    /// stays; a `\` at the very end is half of one, and goes.
    pub fn json(&mut self, raw: &[u8]) {
        self.clear(raw.len());
        let mut at = 0;
        while let Some(run) = memchr(b'\\', &raw[at..]) {
            self.bytes.extend_from_slice(&raw[at..at + run]);
            at += run;
            match escape(&raw[at..]) {
                Some((character, len)) => {
                    let mut utf8 = [0; 4];
                    self.bytes.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                    at += len;
                    self.shifts.push((self.bytes.len(), at));
                }
                None if at + 1 == raw.len() => at += 1,
                None => {
                    self.bytes.push(b'\\');
                    at += 1;
                }
            }
        }
        self.bytes.extend_from_slice(&raw[at..]);
    }

    /// Resolves the percent encoding of RFC 3986; in forms a `+` is a space.
    pub fn percent(&mut self, raw: &[u8], form: bool) {
        self.clear(raw.len());
        let mut at = 0;
        while let Some(run) = memchr2(b'%', if form { b'+' } else { b'%' }, &raw[at..]) {
            self.bytes.extend_from_slice(&raw[at..at + run]);
            at += run;
            let digit = |at: usize| char::from(*raw.get(at)?).to_digit(16);
            match digit(at + 1).zip(digit(at + 2)) {
                Some((high, low)) if raw[at] == b'%' => {
                    self.bytes.push(u8::try_from(high << 4 | low).unwrap_or_default());
                    at += 3;
                    self.shifts.push((self.bytes.len(), at));
                }
                _ => {
                    self.bytes.push(if raw[at] == b'+' { b' ' } else { b'%' });
                    at += 1;
                }
            }
        }
        self.bytes.extend_from_slice(&raw[at..]);
    }

    /// Room for what so many raw bytes resolve to, which is no more: a buffer that grew would leave copies behind.
    fn clear(&mut self, raw: usize) {
        if self.bytes.capacity() < raw {
            self.bytes.zeroize();
            self.bytes = Vec::with_capacity(raw);
        }
        self.bytes.clear();
        self.shifts.clear();
    }

    /// The raw offset of a resolved one that lies between two characters.
    pub fn raw(&self, at: usize) -> usize {
        match self.shifts.partition_point(|(resolved, _)| *resolved <= at) {
            0 => at,
            n => self.shifts[n - 1].1 + (at - self.shifts[n - 1].0),
        }
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.shifts.capacity() * size_of::<(usize, usize)>()
    }
}

impl Drop for Resolved {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Base64 of the shortest secret, without padding (RFC 4648, section 4).
const RUN_MIN: usize = (SHORTEST * 4).div_ceil(3);
/// Bytes that may be inflated for each digit.
const READ_PER_BYTE: usize = 48;
/// What is decoded first: most runs are no text, and show it at once.
const GLANCE: usize = 12;

/// What is no digit of base64.
const NONE: u8 = 64;
const DIGITS: [u8; 256] = digits();

#[expect(clippy::as_conversions, reason = "constants are made of constants")]
const fn digits() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digits = [NONE; 256];
    let mut at = 0;
    while at < alphabet.len() {
        digits[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    digits
}

#[inline]
fn digit(byte: u8) -> u8 {
    DIGITS[usize::from(byte)]
}

/// Runs of digits of base64 in which a secret may stand: from, and behind.
pub(super) fn runs(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(first) = text.get(at..at + RUN_MIN) {
            // From behind, so that what is too short is not read as a whole (Boyer and Moore, 1977).
            if let Some(gap) = first.iter().rposition(|b| digit(*b) == NONE) {
                at += gap + 1;
                continue;
            }
            let rest = &text[at + RUN_MIN..];
            let end = at + RUN_MIN + rest.iter().position(|b| digit(*b) == NONE).unwrap_or(rest.len());
            let run = (at, end);
            at = end;
            return Some(run);
        }
        None
    })
}

/// The text that a run of digits encodes, if it is one, or that it compresses (gzip, of which the first three bytes are
/// always the same). No more of it is inflated than is read ahead in a value elsewhere: what is more goes as a whole.
pub(super) fn base64(run: &[u8]) -> Option<Zeroizing<String>> {
    let begins = |digits: usize| {
        let mut glance = [0; GLANCE / 4 * 3];
        let len = decode(&run[..run.len().min(digits)], glance.iter_mut());
        begins_text(&glance[..len])
    };
    let zipped = run.starts_with(b"H4sI");
    if !zipped && (!begins(4) || !begins(GLANCE)) {
        return None;
    }
    let mut bytes = Zeroizing::new(vec![0; run.len() / 4 * 3 + 2]);
    let len = decode(run, bytes.iter_mut());
    bytes.truncate(len);
    if zipped {
        bytes = Zeroizing::new(unzipped(&bytes, run.len() * READ_PER_BYTE)?);
    }
    let text = String::from_utf8(std::mem::take(&mut *bytes));
    let text = Zeroizing::new(text.map_err(|e| e.into_bytes().zeroize()).ok()?);
    let strange = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    (!text.chars().any(strange)).then_some(text)
}

/// Whether a text may begin with these bytes.
#[inline]
fn begins_text(bytes: &[u8]) -> bool {
    let strange = |b: &u8| b.is_ascii_control() && !matches!(b, b'\t' | b'\n' | b'\r');
    let cut = |e: std::str::Utf8Error| e.error_len().is_none();
    !bytes.iter().any(strange) && (bytes.is_ascii() || std::str::from_utf8(bytes).map_or_else(cut, |_| true))
}

/// Decodes digits, also when the last ones make no whole group. How many bytes they were.
fn decode<'b>(digits: &[u8], mut out: impl Iterator<Item = &'b mut u8>) -> usize {
    let mut len = 0;
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0, |bits, b| bits << 6 | u32::from(digit(*b)));
        let [_, bytes @ ..] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        for (byte, out) in bytes.iter().take(group.len() * 3 / 4).zip(&mut out) {
            *out = *byte;
            len += 1;
        }
    }
    len
}

/// The character of the escape that begins here, and its raw length. Half of a pair is nobody's character.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
    };
    let short = |character| Some((character, 2));
    match bytes.get(1)? {
        b'n' => short('\n'),
        b't' => short('\t'),
        b'r' => short('\r'),
        b'b' => short('\u{8}'),
        b'f' => short('\u{c}'),
        b'u' => match unit(2)? {
            high @ 0xd800..0xdc00 => match unit(8).filter(|_| bytes[6..].starts_with(b"\\u")) {
                Some(low @ 0xdc00..0xe000) => {
                    let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    Some((char::from_u32(code)?, 12))
                }
                _ => Some(('\u{fffd}', 6)),
            },
            code => Some((char::from_u32(code).unwrap_or('\u{fffd}'), 6)),
        },
        itself @ (b'"' | b'\\' | b'/') => short(char::from(*itself)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_a_text_is_opened_wherever_it_stands() {
        for (text, inner) in [
            ("dXNlcjpTb21tZXIhMjAyNA==", vec![Some("user:Sommer!2024")]),
            ("a: U29tbWVyITIwMjQ, b=U29tbWVyITIw,", vec![Some("Sommer!2024"), Some("Sommer!20")]),
            ("Z2VoZWltLcOf", vec![Some("geheim-ß")]),
            ("authorization d41d8cd98f00b204e9800998ecf8427e", vec![None, None]),
            ("H4sIAAAAAAACAyvOz81NLVIEAIQ23A4HAAAA", vec![Some("sommer!")]),
            ("short U29tbWVyIT words", vec![]),
        ] {
            let found: Vec<_> =
                runs(text.as_bytes()).map(|(from, to)| base64(&text.as_bytes()[from..to])).collect();
            let found: Vec<_> = found.iter().map(|text| text.as_ref().map(|text| text.as_str())).collect();
            assert_eq!(found, inner, "{text}");
        }
    }

    #[test]
    fn escapes_are_resolved_and_keep_their_places() {
        for (raw, json, percent, form) in [
            ("plain-secret_1.~", "plain-secret_1.~", "plain-secret_1.~", "plain-secret_1.~"),
            (r"a\u003cb\u003E\u0026c", "a<b>&c", r"a\u003cb\u003E\u0026c", r"a\u003cb\u003E\u0026c"),
            (r#"say \"x\"\n"#, "say \"x\"\n", r#"say \"x\"\n"#, r#"say \"x\"\n"#),
            (r"C:\users \u12 \ud83d\ude00 \ud83d\u0041 \", "C:\\users \\u12 😀 \u{fffd}A ", "", ""),
            ("geheim-%C3%9f%21", "geheim-%C3%9f%21", "geheim-ß!", "geheim-ß!"),
            ("a+b%2B%zz%4", "a+b%2B%zz%4", "a+b+%zz%4", "a b+%zz%4"),
        ] {
            let mut resolved = Resolved::default();
            resolved.json(raw.as_bytes());
            assert_eq!(String::from_utf8_lossy(&resolved.bytes), json, "{raw}");
            assert_eq!(
                resolved.raw(resolved.bytes.len()),
                raw.trim_end_matches(" \\").len() + usize::from(raw.ends_with(" \\"))
            );
            for (form, expected) in [(false, percent), (true, form)] {
                if !expected.is_empty() {
                    resolved.percent(raw.as_bytes(), form);
                    assert_eq!(String::from_utf8_lossy(&resolved.bytes), expected, "{raw}");
                    assert_eq!(resolved.raw(resolved.bytes.len()), raw.len(), "{raw}");
                }
            }
        }
    }
}
