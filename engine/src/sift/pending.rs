//! What is found in an instance while it is followed (`follow.rs`), until it is followed to its end: then it is learnt and
//! noted as the walk would have done it.
//!
//! Holds secrets, and wipes them with the last instance; no Debug. Must never tell anything before the end.

use zeroize::Zeroize;

use super::between::write_path;
use super::leaf::TAINT_BYTES_MIN;
use super::walk::{TAINT_FULL, Walk};
use crate::detect::{Hit, KeyVerdict, RuleIx};
use crate::refusal::{Refusal, RefusalKind};
use crate::scan::raw_offsets_plain;

/// A redaction; places are counted from the instance's first byte.
struct Edit {
    from: usize,
    to: usize,
    rule: RuleIx,
    /// Decoded bytes.
    bytes: usize,
    quoted: bool,
    /// What the provider keeps: the pointer is known.
    private: bool,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Pending {
    edits: Vec<Edit>,
    /// Secrets, one behind the other; where each ends, and where the leaf stands that it was found in.
    texts: String,
    learnt: Vec<(usize, usize)>,
}

impl Pending {
    /// Another instance begins.
    #[inline]
    pub(super) fn clear(&mut self) {
        if !self.edits.is_empty() || !self.learnt.is_empty() {
            self.edits.clear();
            self.learnt.clear();
            self.texts.clear();
        }
    }

    /// Nothing was found.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.learnt.is_empty()
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.edits.capacity() * size_of::<Edit>()
            + self.texts.capacity()
            + self.learnt.capacity() * size_of::<(usize, usize)>()
    }

    fn learn(&mut self, text: &str, at: usize) {
        if text.len() >= TAINT_BYTES_MIN {
            let needed = self.texts.len() + text.len();
            if needed > self.texts.capacity() {
                // A buffer that grew by itself would leave a copy behind.
                let mut wider = String::with_capacity(needed.next_power_of_two());
                wider.push_str(&self.texts);
                std::mem::replace(&mut self.texts, wider).zeroize();
            }
            self.texts.push_str(text);
            self.learnt.push((self.texts.len(), at));
        }
    }

    /// What the provider keeps, between its quotes.
    pub(super) fn private(&mut self, rule: RuleIx, from: usize, to: usize) {
        self.edits.push(Edit { from, to, rule, bytes: to - from, quoted: false, private: true });
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.texts.zeroize();
    }
}

impl Walk {
    /// A number that goes.
    pub(super) fn pend_number(&mut self, raw: &str, at: usize, rule: RuleIx) {
        if self.rules.rule(rule).secret {
            self.pending.learn(raw, at);
        }
        let to = at + raw.len();
        self.pending.edits.push(Edit { from: at, to, rule, bytes: raw.len(), quoted: true, private: false });
    }

    /// A text in which there are hits: decoded, as it stands between its quotes, and where the first one stands.
    pub(super) fn pend_hits(&mut self, text: &str, raw: &str, at: usize, verdict: KeyVerdict) {
        let whole = |hit: &Hit| hit.secret && hit.start == 0 && hit.end == text.len();
        if matches!(&self.hits[..], [hit] if whole(hit)) {
            self.pending.learn(text, at);
            // Under a key that says nothing they would have been found.
            if verdict != KeyVerdict::Plain {
                self.pend_inner(text, at);
            }
        } else {
            for hit in self.hits.iter().filter(|hit| hit.secret) {
                self.pending.learn(&text[hit.start..hit.end], at);
            }
        }
        self.found.clear();
        self.merge();
        self.offsets.clear();
        self.offsets.extend(self.spans.iter().flat_map(|span| [span.start, span.end]));
        raw_offsets_plain(raw, &mut self.offsets);
        for (span, place) in self.spans.iter().zip(self.offsets.as_chunks::<2>().0) {
            self.pending.edits.push(Edit {
                from: at + 1 + place[0],
                to: at + 1 + place[1],
                rule: span.rule,
                bytes: span.end - span.start,
                quoted: false,
                private: false,
            });
        }
    }

    /// A text of so many bytes between its quotes that is marked: all of it goes.
    pub(super) fn pend_marked(&mut self, text: &str, raw_len: usize, at: usize) {
        self.pending.learn(text, at);
        self.pend_inner(text, at);
        self.pending.edits.push(Edit {
            from: at + 1,
            to: at + 1 + raw_len,
            rule: self.rules.mark_rule(),
            bytes: text.len(),
            quoted: false,
            private: false,
        });
    }

    /// The secrets inside of one have copies of their own.
    fn pend_inner(&mut self, text: &str, at: usize) {
        let hits = std::mem::take(&mut self.hits);
        self.rules.inspect(text, KeyVerdict::Plain, &mut self.scratch, &mut self.hits);
        for hit in self.hits.iter().filter(|hit| hit.secret && hit.end - hit.start < text.len()) {
            self.pending.learn(&text[hit.start..hit.end], at);
        }
        self.hits = hits;
    }

    /// The instance with which the bytes begin, at this offset in the input, was followed to its end.
    ///
    /// # Errors
    /// More is known than can be remembered.
    pub(super) fn settle_pending(&mut self, bytes: &[u8], offset: u64) -> Result<(), Refusal> {
        let wide = |at: usize| offset + u64::try_from(at).unwrap_or(u64::MAX);
        let mut from = 0;
        for (end, at) in &self.pending.learnt {
            let text = &self.pending.texts[from..*end];
            from = *end;
            self.taint.learn(text).map_err(|_| Refusal {
                kind: RefusalKind::Undecidable,
                offset: wide(*at),
                detail: TAINT_FULL,
            })?;
            self.learnt = self.learnt.wrapping_add(1);
        }
        let Some(notes) = &mut self.notes else { return Ok(()) };
        for edit in &self.pending.edits {
            let pointer = || {
                let mut out = self.pointer.prefix().to_owned();
                if edit.private {
                    out.push_str("/private");
                } else {
                    write_path(bytes, edit.from, &mut out);
                }
                out
            };
            let place = (wide(edit.from), wide(edit.to));
            notes.edit(&self.rules, edit.rule, place, edit.bytes, edit.quoted, pointer);
        }
        Ok(())
    }
}
