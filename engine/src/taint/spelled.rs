//! How a secret is spelled in a longer text: `base64encode` makes another text of it, which is known beside it; escapes of JSON
//! and of addresses are undone where it is searched.
//!
//! Knows notations only. What it makes is wiped when it is dropped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::{memchr, memchr2};
use zeroize::{Zeroize, Zeroizing};

/// What is longer is drawn, and so is its encoding.
const ENCODED_MAX: usize = 32;

/// A secret as `base64encode` spells it, without the padding.
#[must_use]
pub fn encoded(secret: &str) -> Option<Zeroizing<String>> {
    (secret.len() <= ENCODED_MAX).then(|| Zeroizing::new(STANDARD_NO_PAD.encode(secret)))
}

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
        self.clear();
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
        self.clear();
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

    fn clear(&mut self) {
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
