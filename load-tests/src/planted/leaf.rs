//! Owns a value under construction: its text and where in it what was planted lies, through every wrapping.
//! It must never lose a span: each wrapping maps them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Where something planted lies in a value: byte offsets into the decoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Index into the ledger.
    pub id: usize,
}

/// A text with its spots, sorted by place.
#[derive(Debug, Clone, Default)]
pub(super) struct Leaf {
    pub(super) text: String,
    pub(super) spots: Vec<Spot>,
}

/// The four dresses of base64.
#[derive(Clone, Copy)]
pub(super) enum Base64 {
    Standard,
    StandardBare,
    Url,
    UrlBare,
}

impl Base64 {
    pub(super) const ALL: &[Self] = &[Self::Standard, Self::StandardBare, Self::Url, Self::UrlBare];

    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Standard => STANDARD.encode(bytes),
            Self::StandardBare => STANDARD_NO_PAD.encode(bytes),
            Self::Url => URL_SAFE.encode(bytes),
            Self::UrlBare => URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

impl Leaf {
    /// Text without anything planted.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), spots: Vec::new() }
    }

    /// The template with `‹›` replaced by `value`.
    pub(super) fn around(template: &str, value: &Self) -> Self {
        let mut out = Self::default();
        for (at, part) in template.split("\u{2039}\u{203a}").enumerate() {
            if at > 0 {
                out.append(value);
            }
            out.push(part);
        }
        out
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn append(&mut self, other: &Self) {
        let shift = self.text.len();
        self.text.push_str(&other.text);
        self.spots.extend(other.spots.iter().map(|spot| Spot {
            start: spot.start + shift,
            end: spot.end + shift,
            id: spot.id,
        }));
    }

    /// Rewrites character by character.
    pub(super) fn mapped(&self, mut rewrite: impl FnMut(char, &mut String)) -> Self {
        let mut text = String::with_capacity(self.text.len() * 2);
        let mut offsets = vec![0; self.text.len() + 1];
        for (at, c) in self.text.char_indices() {
            offsets[at] = text.len();
            rewrite(c, &mut text);
        }
        offsets[self.text.len()] = text.len();
        let spots = self.spots.iter().map(|spot| Spot {
            start: offsets[spot.start],
            end: offsets[spot.end],
            id: spot.id,
        });
        Self { spots: spots.collect(), text }
    }

    /// As the inside of a JSON string.
    pub(super) fn in_json(&self) -> Self {
        self.mapped(|c, out| match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => out.push(c),
        })
    }

    /// Every line behind the first indented.
    pub(super) fn indented(&self, blanks: usize) -> Self {
        self.mapped(|c, out| {
            out.push(c);
            if c == '\n' {
                out.extend(std::iter::repeat_n(' ', blanks));
            }
        })
    }

    /// Percent-encoded as `encodeURIComponent` does it.
    pub(super) fn percent(&self) -> Self {
        self.mapped(|c, out| {
            if c.is_ascii_alphanumeric() || "-_.!~*'()".contains(c) {
                out.push(c);
            } else {
                let mut buffer = [0; 4];
                for byte in c.encode_utf8(&mut buffer).bytes() {
                    out.push_str(&format!("%{byte:02X}"));
                }
            }
        })
    }

    /// Replaced by an opaque encoding of itself: what holds a secret is one as a whole.
    pub(super) fn opaque(&self, text: String) -> Self {
        let spots = self.spots.iter().map(|spot| Spot { start: 0, end: text.len(), id: spot.id });
        Self { spots: spots.collect(), text }
    }

    pub(super) fn base64(&self, dress: Base64) -> Self {
        self.opaque(dress.encode(self.text.as_bytes()))
    }

    /// Base64 of a gzip member.
    pub(super) fn gzip(&self) -> Self {
        self.opaque(STANDARD.encode(gzip(self.text.as_bytes())))
    }

    /// Broken into lines of `columns`.
    pub(super) fn wrapped(&self, columns: usize, line_end: &str) -> Self {
        let mut at = 0;
        self.mapped(|c, out| {
            if at > 0 && at % columns == 0 {
                out.push_str(line_end);
            }
            at += 1;
            out.push(c);
        })
    }
}

/// RFC 1952: header without name or time, deflate, CRC-32 and length.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, 6));
    out.extend(crate::generator::checksums::crc32(bytes).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_survive_every_wrapping() {
        let mut value = Leaf::plain("a\"ü");
        value.spots.push(Spot { start: 0, end: value.text.len(), id: 7 });
        let leaf = Leaf::around("x \u{2039}\u{203a}\ny", &value);
        let cut = |leaf: &Leaf| leaf.text[leaf.spots[0].start..leaf.spots[0].end].to_owned();
        assert_eq!(cut(&leaf), "a\"ü");
        assert_eq!(cut(&leaf.in_json()), "a\\\"ü");
        assert_eq!(cut(&leaf.percent()), "a%22%C3%BC");
        assert_eq!(cut(&leaf.indented(2)), "a\"ü");
        assert_eq!(leaf.base64(Base64::Standard).spots[0].end, leaf.base64(Base64::Standard).text.len());
    }
}
