//! Known secrets in a list, searched one after the other, in each of the ways in which a text may spell them.
//!
//! Which texts are too common to be remembered is the engine's decision and asked of it, one text at a time. Must never
//! use its fingerprints to search, nor what it makes of escapes.

use memchr::memmem;
use terrasift_engine::detect::unzipped;
use terrasift_engine::taint::Taint;

/// Shorter texts are not searched for, as documented.
const SHORTEST: usize = 8;

/// The secrets that are known so far.
#[derive(Default)]
pub struct Known {
    secrets: Vec<String>,
}

/// Bytes, each with where it stood, from and to.
type Meant = Vec<(u8, usize, usize)>;

impl Known {
    pub fn learn(&mut self, text: &str) {
        let text = text.trim();
        if Taint::remembers(text) && !self.secrets.iter().any(|known| known == text) {
            self.secrets.push(text.to_owned());
        }
    }

    /// Every copy of every secret; copies that overlap are one.
    pub fn find(&self, text: &str) -> Vec<(usize, usize)> {
        self.find_in(text, 2)
    }

    /// `depth`: encodings that are opened.
    fn find_in(&self, text: &str, depth: usize) -> Vec<(usize, usize)> {
        let mut copies = Vec::new();
        if text.len() < SHORTEST || self.secrets.is_empty() {
            return copies;
        }
        self.search(&text.bytes().enumerate().map(|(at, byte)| (byte, at, at + 1)).collect(), &mut copies);
        if text.contains('\\') {
            self.search(&without_escapes(text), &mut copies);
        }
        // Who encodes for an address leaves neither white space nor quotes as they are.
        for (begin, word) in parts(text, |c| c <= ' ' || c == '"') {
            for (sign, plus) in [('%', b'+'), ('+', b' ')] {
                if word.contains(sign) {
                    self.search(&without_percent(word, plus, begin), &mut copies);
                }
            }
        }
        if depth > 0 {
            for (begin, run) in parts(text, |c| !c.is_ascii_alphanumeric() && c != '+' && c != '/') {
                let inner = without_base64(run).unwrap_or_default();
                if !self.find_in(&inner, depth - 1).is_empty() {
                    copies.push((begin, begin + run.len()));
                }
            }
        }
        copies.sort_unstable();
        let mut united: Vec<(usize, usize)> = Vec::new();
        for (start, end) in copies {
            match united.last_mut() {
                Some(last) if start < last.1 => last.1 = last.1.max(end),
                _ => united.push((start, end)),
            }
        }
        united
    }

    fn search(&self, meant: &Meant, copies: &mut Vec<(usize, usize)>) {
        let bytes: Vec<u8> = meant.iter().map(|(byte, ..)| *byte).collect();
        for secret in &self.secrets {
            let mut from = 0;
            while let Some(at) = memmem::find(&bytes[from..], secret.as_bytes()) {
                copies.push((meant[from + at].1, meant[from + at + secret.len() - 1].2));
                // Copies may overlap themselves.
                from += at + 1;
            }
        }
    }
}

/// What stands between characters of a kind, and where it begins.
fn parts(text: &str, between: impl Fn(char) -> bool) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| between(*c)) {
        parts.push((begin, &text[begin..at]));
        begin = at + c.len_utf8();
    }
    parts.push((begin, &text[begin..]));
    parts
}

/// The text that this encodes, however many digits it has.
fn without_base64(run: &str) -> Option<String> {
    let digit = |b: u8| match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bits: Vec<u8> = run.bytes().flat_map(|b| (0..6).rev().map(move |bit| digit(b) >> bit & 1)).collect();
    let bytes: Vec<u8> =
        bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
    // What inflates is asked of the engine: no two libraries agree on what is broken.
    let zipped = bytes.starts_with(&[0x1f, 0x8b, 8]);
    let bytes = if zipped { unzipped(&bytes, run.len() * 48)? } else { bytes };
    let text = String::from_utf8(bytes).ok()?;
    let strange = |c: char| c.is_control() && !"\t\n\r".contains(c);
    (!text.contains(strange)).then_some(text)
}

/// As a JSON string with this inside means it, for what is an escape.
fn without_escapes(text: &str) -> Meant {
    let mut meant = Meant::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let (c, len) = match (c, at + 1 == text.len()) {
            ('\\', true) => return meant,
            ('\\', false) => escape(&text[at + 1..]).unwrap_or(('\\', 1)),
            _ => (c, c.len_utf8()),
        };
        // All bytes of a character have one place.
        let mut utf8 = [0; 4];
        meant.extend(c.encode_utf8(&mut utf8).bytes().map(|byte| (byte, at, at + len)));
        at += len;
    }
    meant
}

/// The character of an escape, of which this stands behind the backslash, and its length with it.
fn escape(behind: &str) -> Option<(char, usize)> {
    let unit = |text: &str| {
        let digits = text.strip_prefix('u')?.get(..4)?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let simple = match behind.chars().next()? {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        c @ ('"' | '\\' | '/') => Some(c),
        _ => None,
    };
    if let Some(c) = simple {
        return Some((c, 2));
    }
    let first = unit(behind)?;
    let second = behind.get(5..).and_then(|rest| rest.strip_prefix('\\')).and_then(unit);
    match char::decode_utf16([first].into_iter().chain(second)).next()? {
        Ok(c) => Some((c, 6 * c.len_utf16())),
        Err(_) => Some(('\u{fffd}', 6)),
    }
}

/// As an address with this inside means it, which begins there in the whole text. What a plus means depends on where it stands.
fn without_percent(text: &str, plus: u8, begin: usize) -> Meant {
    let mut meant = Meant::new();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        let digits = text.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let (byte, len) = match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => (byte, 3),
            (b'+', _) => (plus, 1),
            _ => (*byte, 1),
        };
        meant.push((byte, begin + at, begin + at + len));
        at += len;
    }
    meant
}
