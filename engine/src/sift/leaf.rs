//! What is decided for one string, number or key, and how it is written.
//!
//! Must never replace more of a longer text than the spans that were found, and never touch a byte outside of them.

use super::keys::{KeyFacts, decide};
use super::marker::{is_marker, may_hold_marker};
use super::pointer::Seg;
use super::walk::{Ctx, Walk, key_slice};
use crate::detect::{KeyVerdict, RuleIx};
use crate::refusal::Refusal;
use crate::scan::{Unit, decode, raw_offsets};

/// A span of decoded text that goes.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: RuleIx,
    /// Found by a rule, not only as a copy.
    ruled: bool,
}

/// Texts below this many bytes are not remembered as secrets, so they are not searched for either.
pub(super) const TAINT_BYTES_MIN: usize = 8;

impl Walk {
    /// A string leaf.
    #[inline]
    pub(super) fn string(
        &mut self,
        unit: &Unit<'_>,
        open: usize,
        close: usize,
        ctx: &Ctx,
    ) -> Result<(), Refusal> {
        if close == open + 1 {
            let text = key_slice(unit, open, close);
            return if text.is_empty() { Ok(()) } else { self.text(unit, open, close, text, ctx) };
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        let result = decode(unit, open, close, &mut decoded)
            .and_then(|()| self.text(unit, open, close, &decoded, ctx));
        self.decoded = decoded;
        result
    }

    fn text(
        &mut self,
        unit: &Unit<'_>,
        open: usize,
        close: usize,
        text: &str,
        ctx: &Ctx,
    ) -> Result<(), Refusal> {
        if let Some(force) = ctx.force {
            if is_marker(text) {
                return Ok(());
            }
            if force.learn {
                self.learn_whole(unit, open, text)?;
            }
            self.spans.clear();
            self.spans.push(Span { start: 0, end: text.len(), rule: force.rule, ruled: true });
            return self.splice(unit, open, close, text, "");
        }
        self.rules.inspect(text, ctx.verdict, &mut self.scratch, &mut self.hits);
        self.find_copies(text);
        if self.hits.is_empty() && self.found.is_empty() {
            self.acquit(key_slice(unit, open, close), close != open + 1, ctx);
            return Ok(());
        }
        if ctx.types && is_type_word(text) {
            return Ok(());
        }
        self.learn_hits(unit, open, text, ctx.verdict == KeyVerdict::Plain)?;
        self.merge();
        self.splice(unit, open, close, text, "")
    }

    /// A number leaf. Its marker is a string: the only way to keep valid JSON.
    pub(super) fn number(&mut self, unit: &Unit<'_>, at: usize, raw: &str, ctx: &Ctx) -> Result<(), Refusal> {
        let rule = match ctx.force {
            Some(force) => {
                if force.learn {
                    self.learn(unit, at, raw)?;
                }
                force.rule
            }
            None => {
                self.find_copies(raw);
                if let Some(rule) = self.rules.inspect_number(raw, ctx.verdict) {
                    if self.rules.rule(rule).secret {
                        self.learn(unit, at, raw)?;
                    }
                    rule
                } else if self.found.is_empty() {
                    return Ok(());
                } else {
                    self.rules.taint_rule()
                }
            }
        };
        let start = unit.position(at);
        self.redact(unit, (start, start + raw.len()), rule, raw, true);
        Ok(())
    }

    /// A key of a data object: pushes its pointer segment, and rewrites it when it is itself a secret.
    #[inline]
    pub(super) fn key(
        &mut self,
        unit: &Unit<'_>,
        open: usize,
        close: usize,
        flat: bool,
    ) -> Result<KeyVerdict, Refusal> {
        let raw = key_slice(unit, open, close);
        let mut key_text = std::mem::take(&mut self.key_text);
        let text = if close == open + 1 {
            raw
        } else {
            key_text.clear();
            decode(unit, open, close, &mut key_text)?;
            key_text.as_str()
        };
        let facts = if flat { self.flat_key_facts(text) } else { self.key_facts(raw, text) };
        let result = if facts.found || facts.tainted {
            self.rewrite_key(unit, open, close, text)
        } else {
            if facts.named {
                self.needs_walk();
                self.names.keep(self.depth, text);
            }
            if close == open + 1 {
                let start = unit.position(open) + 1;
                self.pointer.push(Seg::Raw { start, end: start + raw.len() });
            } else {
                self.pointer.push_kept(text);
            }
            Ok(())
        };
        self.key_text = key_text;
        result.map(|()| facts.verdict)
    }

    fn key_facts(&mut self, raw: &str, text: &str) -> KeyFacts {
        let Self { memo, rules, scratch, hits, .. } = self;
        let (mut facts, slot) = memo.look_up(raw.as_bytes(), || decide(rules, text, true, scratch, hits));
        if facts.tainted_at != self.learnt && text.len() >= TAINT_BYTES_MIN {
            self.find_copies(text);
            facts.tainted_at = self.learnt;
            facts.tainted = !self.found.is_empty();
            if let Some(slot) = slot {
                self.memo.update(slot, facts);
            }
        }
        facts
    }

    /// `user.0.password`: the last step that is no position tells.
    fn flat_key_facts(&mut self, text: &str) -> KeyFacts {
        let mut facts = decide(&self.rules, text, true, &mut self.scratch, &mut self.hits);
        let telling = |step: &&str| !matches!(*step, "%" | "#") && !step.bytes().all(|b| b.is_ascii_digit());
        if let Some(step) = text.rsplit('.').find(telling) {
            facts.verdict = self.rules.classify_key(step);
        }
        self.find_copies(text);
        facts.tainted = !self.found.is_empty();
        facts
    }

    fn rewrite_key(&mut self, unit: &Unit<'_>, open: usize, close: usize, text: &str) -> Result<(), Refusal> {
        self.needs_walk();
        self.rules.inspect_key(text, &mut self.scratch, &mut self.hits);
        self.find_copies(text);
        self.learn_hits(unit, open, text, false)?;
        self.merge();
        let mut name = self.redacted(text);
        let suffix = self.names.suffix(self.depth, &name);
        name.push_str(&suffix);
        self.pointer.push_kept(&name);
        self.splice(unit, open, close, text, &suffix)
    }

    /// An instance's `index_key`: data like a map key, and unique in its resource.
    pub(super) fn index_key(&mut self, unit: &Unit<'_>, at: usize) -> Result<usize, Refusal> {
        if unit.byte(at) != b'"' {
            return self.value(unit, at, &Ctx::PLAIN);
        }
        let close = unit.closing_quote(at)?;
        let mut text = String::new();
        decode(unit, at, close, &mut text)?;
        self.rules.inspect_key(&text, &mut self.scratch, &mut self.hits);
        self.find_copies(&text);
        if self.hits.is_empty() && self.found.is_empty() {
            if may_need_name(&text) {
                self.needs_walk();
                self.names.keep_index(&text);
            }
            return Ok(close + 1);
        }
        self.needs_walk();
        self.learn_hits(unit, at, &text, false)?;
        self.merge();
        let name = self.redacted(&text);
        let suffix = self.names.index_suffix(&text, &name);
        self.splice(unit, at, close, &text, &suffix)?;
        Ok(close + 1)
    }

    /// Searches known secrets into `found`.
    fn find_copies(&mut self, text: &str) {
        self.found.clear();
        if self.mode.find && text.len() >= TAINT_BYTES_MIN && !self.taint.is_empty() {
            self.copies.find(&self.taint, text, &mut self.found);
        }
    }

    fn learn(&mut self, unit: &Unit<'_>, token: usize, text: &str) -> Result<(), Refusal> {
        if self.mode.learn && text.len() >= TAINT_BYTES_MIN {
            self.events += 1;
            self.taint.learn(text).map_err(|_| Self::taint_full(unit, unit.position(token)))?;
            self.learnt = self.learnt.wrapping_add(1);
        }
        Ok(())
    }

    /// Learns a text that is secret as a whole, and the secrets inside of it: they have copies of their own.
    fn learn_whole(&mut self, unit: &Unit<'_>, token: usize, text: &str) -> Result<(), Refusal> {
        if !self.mode.learn {
            return Ok(());
        }
        self.learn(unit, token, text)?;
        self.rules.inspect(text, KeyVerdict::Plain, &mut self.scratch, &mut self.hits);
        for index in 0..self.hits.len() {
            let hit = self.hits[index];
            if hit.secret && hit.end - hit.start < text.len() {
                self.learn(unit, token, &text[hit.start..hit.end])?;
            }
        }
        Ok(())
    }

    /// Learns what was found in a text. `plain`: by a search as a value under a key that says nothing, which would have found
    /// the secrets inside of one, too.
    fn learn_hits(&mut self, unit: &Unit<'_>, token: usize, text: &str, plain: bool) -> Result<(), Refusal> {
        if !self.mode.learn {
            return Ok(());
        }
        let whole = |h: &crate::detect::Hit| h.secret && h.start == 0 && h.end == text.len();
        if !plain && self.hits.len() == 1 && whole(&self.hits[0]) {
            let hits = self.hits.clone();
            self.learn_whole(unit, token, text)?;
            self.hits = hits;
            return Ok(());
        }
        for index in 0..self.hits.len() {
            let hit = self.hits[index];
            if hit.secret {
                self.learn(unit, token, &text[hit.start..hit.end])?;
            }
        }
        Ok(())
    }

    /// Unites hits and copies into `spans`: sorted, not overlapping; where they overlap the rule's name stands.
    pub(super) fn merge(&mut self) {
        self.spans.clear();
        let copy = self.rules.taint_rule();
        let hits = self.hits.iter().map(|h| Span { start: h.start, end: h.end, rule: h.rule, ruled: true });
        let copies =
            self.found.iter().map(|(start, end)| Span { start: *start, end: *end, rule: copy, ruled: false });
        self.spans.extend(hits.chain(copies));
        self.spans.sort_by_key(|s| (s.start, !s.ruled, std::cmp::Reverse(s.end)));
        self.spans.dedup_by(|next, kept| {
            let overlaps = next.start < kept.end;
            if overlaps {
                kept.end = kept.end.max(next.end);
                if next.ruled && !kept.ruled {
                    kept.rule = next.rule;
                    kept.ruled = true;
                }
            }
            overlaps
        });
    }

    /// The decoded text with its spans replaced.
    pub(super) fn redacted(&self, text: &str) -> String {
        let mut out = Vec::new();
        let mut copied = 0;
        for span in &self.spans {
            out.extend_from_slice(&text.as_bytes()[copied..span.start]);
            self.rules.replacement(span.rule, &text[span.start..span.end], &self.hash_key, &mut out);
            copied = span.end;
        }
        out.extend_from_slice(&text.as_bytes()[copied..]);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Replaces the spans of the string between two quotes, and appends a suffix to it.
    fn splice(
        &mut self,
        unit: &Unit<'_>,
        open: usize,
        close: usize,
        text: &str,
        suffix: &str,
    ) -> Result<(), Refusal> {
        self.offsets.clear();
        self.offsets.extend(self.spans.iter().flat_map(|s| [s.start, s.end]));
        raw_offsets(unit, open, close, &mut self.offsets)?;
        for index in 0..self.spans.len() {
            let span = self.spans[index];
            let (from, to) = (self.offsets[2 * index], self.offsets[2 * index + 1]);
            self.redact(unit, (from, to), span.rule, &text[span.start..span.end], false);
        }
        if !suffix.is_empty() && self.emit {
            let end = unit.position(close);
            self.out.extend_from_slice(unit.slice(self.copied, end).as_bytes());
            self.out.extend_from_slice(suffix.as_bytes());
            self.copied = end;
        }
        Ok(())
    }

    /// Writes what stands before the raw span, then the marker instead of it, and says so.
    fn redact(&mut self, unit: &Unit<'_>, raw: (usize, usize), rule: RuleIx, value: &str, quoted: bool) {
        self.events += 1;
        let pointer = &self.pointer;
        let pointer = || pointer.render(|from, to| unit.slice(from, to));
        if self.mode.find {
            self.tally.add(&self.rules, rule, value.len(), pointer);
        } else if let Some(notes) = &mut self.notes {
            let place = (unit.offset(raw.0), unit.offset(raw.1));
            notes.edit(&self.rules, rule, place, value.len(), quoted, pointer);
        }
        if self.emit {
            self.out.extend_from_slice(unit.slice(self.copied, raw.0).as_bytes());
            self.quoted(quoted, |walk| walk.rules.replacement(rule, value, &walk.hash_key, &mut walk.out));
            self.copied = raw.1;
        }
    }

    /// The marker of a rule that does not need the value.
    pub(super) fn marker(&mut self, rule: RuleIx, quoted: bool) {
        self.quoted(quoted, |walk| walk.rules.replacement(rule, "", &walk.hash_key, &mut walk.out));
    }

    fn quoted(&mut self, quoted: bool, write: impl FnOnce(&mut Self)) {
        if quoted {
            self.out.push(b'"');
        }
        write(self);
        if quoted {
            self.out.push(b'"');
        }
    }
}

/// Keys that stay but could collide with one that is rewritten.
pub(super) fn may_need_name(text: &str) -> bool {
    text.ends_with(|c: char| c == ']' || c.is_ascii_digit()) && may_hold_marker(text)
}

/// Words of Terraform's type expressions (cty, `Type.MarshalJSON`).
fn is_type_word(text: &str) -> bool {
    matches!(text, "string" | "number" | "bool" | "dynamic" | "list" | "set" | "map" | "object" | "tuple")
}
