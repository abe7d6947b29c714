//! The leaves of an instance that is followed (`follow.rs`): by their bytes, with what their surroundings say.
//!
//! Must never say of a leaf what the walk (`leaf.rs`) would not say.

use super::leaf::{TAINT_BYTES_MIN, may_need_name};
use super::marker::is_marker;
use super::trail::Leaf;
use super::walk::Walk;
use crate::detect::{Acquitted, KeyVerdict, Kind, Look, SHORTEST};
use crate::scan::{closing_quote, decode_plain, is_number};

/// Longer texts, and longer numbers, are left to the walk.
const TEXT_BYTES_MAX: usize = 64 << 10;
const NUMBER_BYTES_MAX: usize = 1 << 10;

/// What is found further behind leaves the instance to the walk: its pointer is looked for from the beginning.
const FOUND_BYTES_MAX: usize = 8 << 10;
/// So far marks are looked for.
const MARKS_BYTES_MAX: usize = 16 << 10;

/// Where a leaf ends.
pub(super) struct End {
    /// One past its last byte.
    pub(super) at: usize,
    /// Nothing is found in it, here and wherever the same is said of it.
    pub(super) quiet: bool,
}

impl Walk {
    /// Whether instances may be followed at all.
    pub(super) fn follows(&self) -> bool {
        self.mode.learn && !(self.mode.find || self.emit || self.own_patterns)
    }

    /// The end of the leaf that begins at a position, and what is found in it. `None` leaves the instance to the walk.
    #[inline]
    pub(super) fn leaf(&mut self, bytes: &[u8], at: usize, leaf: Leaf) -> Option<End> {
        if bytes.get(at) != Some(&b'"') {
            return self.scalar_leaf(bytes, at, leaf);
        }
        let closed = closing_quote(bytes, at + 1)?;
        let raw = &bytes[at + 1..closed.end];
        let end = closed.end + 1;
        if raw.is_empty() {
            return Some(End { at: end, quiet: true });
        }
        if raw.len() > TEXT_BYTES_MAX || closed.wide && std::str::from_utf8(raw).is_err() {
            return None;
        }
        let quiet = match leaf {
            Leaf::End | Leaf::Asks(..) => return None,
            Leaf::Private => self.private_leaf(raw, at, closed.escaped)?,
            Leaf::Marked => self.marked_leaf(bytes, at, closed.end)?,
            Leaf::IndexKey if closed.escaped || !self.quiet_index_key(raw) => return None,
            Leaf::IndexKey => true,
            Leaf::Data(verdict) if closed.escaped => self.quiet_escaped(bytes, at, closed.end, verdict)?,
            Leaf::Data(verdict) => {
                // SAFETY: without escapes every byte of it was seen, and what is beyond ASCII was checked above.
                let text = unsafe { std::str::from_utf8_unchecked(raw) };
                self.quiet_text(bytes, at, text, verdict)?
            }
        };
        Some(End { at: end, quiet })
    }

    fn private_leaf(&mut self, raw: &[u8], at: usize, escaped: bool) -> Option<bool> {
        if escaped {
            return None;
        }
        if raw[0] != b'[' || !is_marker(std::str::from_utf8(raw).ok()?) {
            self.pending.private(self.rules.private_rule(), at + 1, at + 1 + raw.len());
        }
        // It goes each time.
        Some(false)
    }

    /// A text that a schema marks.
    fn marked_leaf(&mut self, bytes: &[u8], open: usize, close: usize) -> Option<bool> {
        if !self.may_wait(bytes, open) {
            return None;
        }
        let raw = std::str::from_utf8(&bytes[open + 1..close]).ok()?;
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        let plain = decode_plain(raw, &mut decoded);
        if plain && !is_marker(&decoded) {
            self.pend_marked(&decoded, raw.len(), open);
        }
        self.decoded = decoded;
        plain.then_some(false)
    }

    /// A number or a word.
    fn scalar_leaf(&mut self, bytes: &[u8], at: usize, leaf: Leaf) -> Option<End> {
        let rest = &bytes[at..];
        let len = rest.iter().take(NUMBER_BYTES_MAX).position(|b| b" \t\n\r,}]".contains(b))?;
        let raw = &rest[..len];
        let end = End { at: at + len, quiet: true };
        if matches!(raw, b"null" | b"true" | b"false") {
            return Some(end);
        }
        if !is_number(raw) {
            return None;
        }
        let verdict = match leaf {
            Leaf::Data(verdict) => verdict,
            Leaf::IndexKey => KeyVerdict::Plain,
            Leaf::Marked if !self.may_wait(bytes, at) => return None,
            Leaf::Marked => {
                self.pend_number(std::str::from_utf8(raw).ok()?, at, self.rules.mark_rule());
                return Some(End { quiet: false, ..end });
            }
            Leaf::Private | Leaf::End | Leaf::Asks(..) => return None,
        };
        if len < TAINT_BYTES_MIN && Kind::of(verdict).is_some() {
            return Some(end);
        }
        let raw = std::str::from_utf8(raw).ok()?;
        let Some(rule) = self.rules.inspect_number(raw, verdict) else { return Some(end) };
        if !self.may_wait(bytes, at) {
            return None;
        }
        self.pend_number(raw, at, rule);
        Some(End { quiet: false, ..end })
    }

    /// A text without escapes between two quotes.
    #[inline]
    fn quiet_text(&mut self, bytes: &[u8], open: usize, text: &str, verdict: KeyVerdict) -> Option<bool> {
        let (around, len, raw) = (&bytes[open + 1..], text.len(), text.as_bytes());
        let Some(kind) = Kind::of(verdict) else {
            return self.is_quiet(text, text, bytes, open, verdict);
        };
        if len < SHORTEST {
            return Some(true);
        }
        let (place, look) = (Acquitted::place(raw), Look::top(kind, false));
        if self.scratch.acquitted.knows(place, look, raw) {
            return Some(true);
        }
        let quiet = match self.rules.glimpse(around, len, kind != Kind::Plain) {
            None => true,
            Some(glimpse) => {
                self.rules.inspect_seen(text, verdict, glimpse, &mut self.scratch, &mut self.hits);
                self.is_empty_handed(text, text, bytes, open, verdict)?
            }
        };
        if quiet {
            self.scratch.acquitted.remember(place, look, raw);
        }
        Some(quiet)
    }

    fn quiet_escaped(
        &mut self,
        bytes: &[u8],
        open: usize,
        close: usize,
        verdict: KeyVerdict,
    ) -> Option<bool> {
        let raw = &bytes[open + 1..close];
        let (kind, place) = (Kind::of(verdict), Acquitted::place(raw));
        if kind.is_some_and(|kind| self.scratch.acquitted.knows(place, Look::top(kind, true), raw)) {
            return Some(true);
        }
        let text = std::str::from_utf8(raw).ok()?;
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        let plain = decode_plain(text, &mut decoded);
        let quiet = if plain { self.is_quiet(&decoded, text, bytes, open, verdict) } else { None };
        self.decoded = decoded;
        if let (Some(true), Some(kind)) = (quiet, kind) {
            self.scratch.acquitted.remember(place, Look::top(kind, true), raw);
        }
        quiet
    }

    /// Whether nothing is found in a text; what is found waits.
    fn is_quiet(
        &mut self,
        text: &str,
        raw: &str,
        bytes: &[u8],
        open: usize,
        verdict: KeyVerdict,
    ) -> Option<bool> {
        self.rules.inspect(text, verdict, &mut self.scratch, &mut self.hits);
        self.is_empty_handed(text, raw, bytes, open, verdict)
    }

    /// The same, when it was searched.
    fn is_empty_handed(
        &mut self,
        text: &str,
        raw: &str,
        bytes: &[u8],
        open: usize,
        verdict: KeyVerdict,
    ) -> Option<bool> {
        if self.hits.is_empty() {
            return Some(true);
        }
        if !self.may_wait(bytes, open) {
            return None;
        }
        self.pend_hits(text, raw, open, verdict);
        Some(false)
    }

    /// Whether what is found at a position is kept until the instance ends; otherwise the instance is left to the walk.
    fn may_wait(&self, bytes: &[u8], at: usize) -> bool {
        at <= FOUND_BYTES_MAX && !self.is_marked(bytes)
    }

    /// Whether marks seem to stand behind, which the walk knows before it finds anything. Only asked so that little is done
    /// twice: the marks themselves end the trail.
    fn is_marked(&self, bytes: &[u8]) -> bool {
        const MARKS: &[u8] = b"\"sensitive_attributes\":";
        if !self.pending.is_empty() {
            return false;
        }
        let bytes = &bytes[..bytes.len().min(MARKS_BYTES_MAX)];
        let Some(at) = memchr::memmem::find(bytes, MARKS) else { return false };
        let mut behind = bytes[at + MARKS.len()..].iter().filter(|byte| !byte.is_ascii_whitespace());
        !matches!((behind.next(), behind.next()), (Some(b'['), Some(b']')))
    }

    fn quiet_index_key(&mut self, raw: &[u8]) -> bool {
        let (place, look) = (Acquitted::place(raw), Look::top(Kind::Key, false));
        if self.scratch.acquitted.knows(place, look, raw) {
            return true;
        }
        let Ok(text) = std::str::from_utf8(raw) else { return false };
        self.rules.inspect_key(text, &mut self.scratch, &mut self.hits);
        let quiet = self.hits.is_empty() && !may_need_name(text);
        if quiet {
            self.scratch.acquitted.remember(place, look, raw);
        }
        quiet
    }
}
