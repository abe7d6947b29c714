//! The search for copies of known secrets in bytes of JSON, whose strings may be escaped.
//!
//! Holds raw text between calls, so it has no Debug and is wiped on drop.

use zeroize::Zeroize;

use super::Taint;

/// Buffers for the search in bytes of JSON.
#[derive(Default)]
pub(crate) struct Copies {
    decoded: Vec<u8>,
    /// `(decoded offset, raw offset)` behind each escape.
    shifts: Vec<(usize, usize)>,
}

impl Copies {
    /// Whether a known secret stands in these bytes of JSON, escaped in whatever way, that does not lie within one of the
    /// raw spans (sorted). May also say so where none stands in one string.
    pub(crate) fn outside(
        &mut self,
        taint: &Taint,
        json: &[u8],
        spans: &mut impl Iterator<Item = (usize, usize)>,
    ) -> bool {
        if taint.is_empty() {
            return false;
        }
        let escaped = memchr::memchr(b'\\', json).is_some();
        if escaped {
            self.decode(json);
        }
        let bytes = if escaped { &self.decoded } else { json };
        let mut span = spans.next();
        let mut outside = false;
        taint.each(bytes, |start, end| {
            let (start, end) = if escaped { (self.raw(start), self.raw(end)) } else { (start, end) };
            while span.is_some_and(|(_, to)| to < end) {
                span = spans.next();
            }
            outside = span.is_none_or(|(from, _)| start < from);
            !outside
        });
        outside
    }

    /// All escapes resolved, wherever they stand: strings of valid JSON come out as they are meant.
    fn decode(&mut self, json: &[u8]) {
        self.decoded.clear();
        self.shifts.clear();
        let mut at = 0;
        while let Some(run) = memchr::memchr(b'\\', &json[at..]) {
            self.decoded.extend_from_slice(&json[at..at + run]);
            at += run;
            let (character, len) = escape(&json[at..]);
            let mut utf8 = [0; 4];
            self.decoded.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            at = json.len().min(at + len);
            self.shifts.push((self.decoded.len(), at));
        }
        self.decoded.extend_from_slice(&json[at..]);
    }

    /// The raw offset of a decoded one. Within an escape: its end.
    fn raw(&self, at: usize) -> usize {
        match self.shifts.partition_point(|(decoded, _)| *decoded <= at) {
            0 => at,
            n => self.shifts[n - 1].1 + (at - self.shifts[n - 1].0),
        }
    }

    /// Bytes held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.decoded.capacity() + self.shifts.capacity() * size_of::<(usize, usize)>()
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.decoded.zeroize();
    }
}

/// The character of the escape that begins here, and its raw length. JSON was checked before.
fn escape(bytes: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
    };
    match bytes.get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => match unit(2) {
            Some(high @ 0xd800..0xdc00) => {
                let low = unit(8).unwrap_or(0xdc00);
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low & 0x3ff);
                (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
            }
            code => (code.and_then(char::from_u32).unwrap_or('\u{fffd}'), 6),
        },
        Some(byte) => (char::from(*byte), 2),
        None => ('\\', 1),
    }
}
