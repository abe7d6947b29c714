//! The short way for what most of a state is: members whose key says nothing and whose value holds nothing.
//!
//! Owns no decision: whatever is not plain at the first look goes the long way (`walk.rs`), which would let everything
//! pass that passes here. Must never allocate.

use super::leaf::{TAINT_BYTES_MIN, may_need_name};
use super::walk::{Ctx, Walk, key_slice};
use crate::detect::{Acquitted, KeyVerdict, Kind, Look, SHORTEST};
use crate::scan::{Unit, is_number};

/// The kind of value under a key that is no data itself; `None`: not on the short way.
pub(super) fn lane(key: &str, verdict: KeyVerdict, found: bool) -> Option<Kind> {
    if found || may_need_name(key) { None } else { Kind::of(verdict) }
}

impl Walk {
    /// The lane of elements of an array.
    #[inline]
    pub(super) fn element_lane(&self, ctx: &Ctx) -> Option<Kind> {
        if self.is_plain(ctx) { Kind::of(ctx.verdict) } else { None }
    }

    /// Whether members of an object may go the short way.
    #[inline]
    pub(super) fn is_plain(&self, ctx: &Ctx) -> bool {
        ctx.force.is_none()
            && ctx.marks.is_none()
            && !(ctx.types | ctx.flat | self.own_patterns)
            // What is said of an object holds for members that say nothing themselves.
            && KeyVerdict::Plain.under(ctx.verdict) == KeyVerdict::Plain
    }

    /// The token behind the member that begins at a token, if it can go the short way.
    #[inline]
    pub(super) fn quiet_member(&mut self, unit: &Unit<'_>, at: usize) -> Option<usize> {
        if unit.byte(at) != b'"' || unit.byte(at + 1) != b'"' || unit.byte(at + 2) != b':' {
            return None;
        }
        let key = key_slice(unit, at, at + 1);
        let facts = self.memo.known(key.as_bytes())?;
        let searched = !self.searches() || key.len() < TAINT_BYTES_MIN || facts.tainted_at == self.learnt;
        if facts.tainted || !searched {
            return None;
        }
        self.quiet_value(unit, at + 3, facts.lane?)
    }

    /// Whether a unit that is a key and its value, of this context, holds nothing.
    pub(super) fn quiet_field(&mut self, unit: &Unit<'_>, ctx: &Ctx) -> bool {
        let Some(kind) = self.element_lane(ctx) else { return false };
        let key = key_slice(unit, 0, 1);
        let Some(facts) = self.memo.known(key.as_bytes()) else { return false };
        let searched = !self.searches() || key.len() < TAINT_BYTES_MIN || facts.tainted_at == self.learnt;
        let plain = !(facts.found || facts.tainted || facts.named) && searched;
        plain && self.quiet_value(unit, 3, kind) == Some(unit.len())
    }

    /// The same for a key that is in the memo, while no copies are looked for.
    #[inline]
    pub(super) fn quiet_value_of(&mut self, unit: &Unit<'_>, at: usize, key: usize) -> Option<usize> {
        if unit.byte(at + 2) != b':' {
            return None;
        }
        let facts = self.memo.facts(key);
        if facts.tainted { None } else { self.quiet_value(unit, at + 3, facts.lane?) }
    }

    /// The token behind the value that begins at a token, if it can go the short way.
    #[inline]
    pub(super) fn quiet_value(&mut self, unit: &Unit<'_>, at: usize, kind: Kind) -> Option<usize> {
        match unit.byte(at) {
            b'"' if unit.byte(at + 1) == b'"' => {
                let around = unit.bytes_from(unit.position(at) + 1);
                let text = &around[..unit.position(at + 1) - unit.position(at) - 1];
                let searched = text.len() >= TAINT_BYTES_MIN && self.searches();
                let copied = |walk: &mut Self| searched && walk.copies.stands(&walk.taint, text);
                if text.len() < SHORTEST {
                    return Some(at + 2);
                }
                let place = Acquitted::place(text);
                if self.scratch.acquitted.knows(place, Look::top(kind, false), text) {
                    return (!copied(self)).then_some(at + 2);
                }
                if !self.rules.acquits(around, text.len(), kind != Kind::Plain) || copied(self) {
                    return None;
                }
                self.scratch.acquitted.remember(place, Look::top(kind, false), text);
                Some(at + 2)
            }
            b'"' if !self.searches() => {
                let close = unit.closing_quote(at).ok()?;
                let text = key_slice(unit, at, close).as_bytes();
                self.scratch
                    .acquitted
                    .knows(Acquitted::place(text), Look::top(kind, true), text)
                    .then_some(close + 1)
            }
            b'[' if unit.byte(at + 1) == b']' => Some(at + 2),
            b'{' if unit.byte(at + 1) == b'}' => Some(at + 2),
            b'"' | b'[' | b'{' => None,
            _ => {
                let raw = unit.scalar(at);
                let quiet = match raw.as_bytes() {
                    b"null" | b"true" | b"false" => true,
                    // A card has more digits, and a copy of a secret has to be looked for.
                    digits => digits.len() < TAINT_BYTES_MIN && is_number(digits),
                };
                quiet.then_some(at + 1)
            }
        }
    }

    /// A string went the long way, and nothing was found in it.
    #[inline]
    pub(super) fn acquit(&mut self, raw: &str, escaped: bool, ctx: &Ctx) {
        if let Some(kind) = self.element_lane(ctx) {
            let place = Acquitted::place(raw.as_bytes());
            self.scratch.acquitted.remember(place, Look::top(kind, escaped), raw.as_bytes());
        }
    }

    /// Whether copies of secrets are looked for.
    #[inline]
    pub(super) fn searches(&self) -> bool {
        self.mode.find && !self.taint.is_empty()
    }
}
