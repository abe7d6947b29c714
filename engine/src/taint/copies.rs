//! The search for copies of known secrets, in texts and in bytes of JSON, as they stand and with their escapes resolved.
//!
//! Holds text between calls, so it has no Debug and is wiped on drop.

use memchr::{memchr, memchr2};

use super::Taint;
use super::spelled::{self, Resolved};

/// Buffers for the search.
#[derive(Default)]
pub struct Copies {
    /// The text with the escapes of JSON resolved.
    inner: Resolved,
    /// A text, or the text inside of it, as it is meant.
    meant: Resolved,
}

impl Copies {
    /// Every occurrence of a known secret, also inside longer text and behind escapes of JSON and of addresses: sorted,
    /// disjoint; those that overlap are one. `found` is cleared first.
    pub fn find(&mut self, taint: &Taint, text: &str, found: &mut Vec<(usize, usize)>) {
        found.clear();
        each(taint, &mut self.meant, text.as_bytes(), DEPTH, &mut |start, end| {
            found.push((start, end));
            true
        });
        found.sort_unstable();
        found.dedup_by(|next, kept| {
            let overlaps = next.0 < kept.1;
            if overlaps {
                kept.1 = kept.1.max(next.1);
            }
            overlaps
        });
    }

    /// Whether a known secret stands in a text.
    pub(crate) fn stands(&mut self, taint: &Taint, text: &[u8]) -> bool {
        !each(taint, &mut self.meant, text, DEPTH, &mut |_, _| false)
    }

    /// Whether a known secret stands in these bytes of JSON at a raw span that is not covered. May also say so where none
    /// stands in one string.
    pub(crate) fn outside(
        &mut self,
        taint: &Taint,
        json: &[u8],
        covered: impl Fn(usize, usize) -> bool,
    ) -> bool {
        if taint.is_empty() {
            return false;
        }
        let escaped = memchr(b'\\', json).is_some();
        if escaped {
            self.inner.json(json);
        }
        let inner = &self.inner;
        let bytes = if escaped { &inner.bytes } else { json };
        !each(taint, &mut self.meant, bytes, DEPTH, &mut |start, end| {
            let (start, end) = if escaped { (inner.raw(start), inner.raw(end)) } else { (start, end) };
            covered(start, end)
        })
    }

    /// Bytes held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes() + self.meant.memory_bytes()
    }
}

/// Encodings that are opened inside of each other.
const DEPTH: u8 = 2;

/// Calls back for the known secrets in a text, spelled in whatever way, until told to stop; false: it was. `depth`: how many
/// encodings are opened; one that holds a secret is one as a whole.
fn each(
    taint: &Taint,
    meant: &mut Resolved,
    text: &[u8],
    depth: u8,
    seen: &mut dyn FnMut(usize, usize) -> bool,
) -> bool {
    if taint.is_empty() {
        return true;
    }
    if !taint.each(text, &mut *seen) {
        return false;
    }
    if memchr(b'\\', text).is_some() {
        meant.json(text);
        if !taint.each(&meant.bytes, |start, end| seen(meant.raw(start), meant.raw(end))) {
            return false;
        }
    }
    in_addresses(taint, meant, text, seen) && (depth == 0 || in_base64(taint, text, depth, seen))
}

fn in_addresses(
    taint: &Taint,
    meant: &mut Resolved,
    text: &[u8],
    seen: &mut dyn FnMut(usize, usize) -> bool,
) -> bool {
    let mut done = 0;
    while let Some(at) = memchr2(b'%', b'+', &text[done..]) {
        let at = done + at;
        let word = text[done..at].iter().rposition(is_gap).map_or(done, |gap| done + gap + 1);
        done = text[at..].iter().position(is_gap).map_or(text.len(), |gap| at + gap);
        // What a `+` means depends on where it stands.
        for (byte, form) in [(b'%', false), (b'+', true)] {
            let text = &text[word..done];
            if memchr(byte, text).is_none() {
                continue;
            }
            meant.percent(text, form);
            if !taint.each(&meant.bytes, |start, end| seen(word + meant.raw(start), word + meant.raw(end))) {
                return false;
            }
        }
    }
    true
}

fn in_base64(taint: &Taint, text: &[u8], depth: u8, seen: &mut dyn FnMut(usize, usize) -> bool) -> bool {
    spelled::runs(text).all(|(start, end)| {
        spelled::base64(&text[start..end]).is_none_or(|inner| {
            let holds =
                !each(taint, &mut Resolved::default(), inner.as_bytes(), depth - 1, &mut |_, _| false);
            !holds || seen(start, end)
        })
    })
}

/// What nobody leaves as it is who encodes anything for an address.
fn is_gap(byte: &u8) -> bool {
    *byte <= b' ' || *byte == b'"'
}
