//! The short way for what most of a state is: members whose key says nothing and whose value holds nothing.
//!
//! Owns no decision: whatever is not plain at the first look goes the long way (`walk.rs`), which would let everything
//! pass that passes here. Must never allocate.

use super::acquitted::Acquitted;
use super::leaf::{TAINT_BYTES_MIN, may_need_name};
use super::walk::{Ctx, Walk, key_slice};
use crate::detect::{Hint, KeyContext, KeyVerdict, SHORTEST};
use crate::scan::{Unit, is_number};

/// Which values under a key may go the short way, and how they are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// None.
    Slow,
    /// Leaves and empty containers.
    Leaves,
    /// The same, and what looks drawn is no secret.
    Public,
    /// The same, and what looks like an address is none.
    Version,
}

impl Lane {
    /// By the verdict on a key that is no data itself.
    pub(super) fn of_key(key: &str, verdict: KeyVerdict, found: bool) -> Self {
        if found || may_need_name(key) { Self::Slow } else { Self::of(verdict) }
    }

    /// What was found in a value holds under keys of its lane.
    #[inline]
    fn tag(self) -> u8 {
        match self {
            Self::Slow => 0,
            Self::Leaves => 1,
            Self::Public => 2,
            Self::Version => 3,
        }
    }

    #[inline]
    fn of(verdict: KeyVerdict) -> Self {
        match verdict {
            KeyVerdict::Plain | KeyVerdict::Context(KeyContext { hint: Hint::None, tenant: 0 }) => {
                Self::Leaves
            }
            KeyVerdict::Context(KeyContext { hint: Hint::Public, tenant: 0 }) => Self::Public,
            KeyVerdict::Context(KeyContext { hint: Hint::Version, tenant: 0 }) => Self::Version,
            _ => Self::Slow,
        }
    }
}

impl Walk {
    /// The lane of elements of an array.
    #[inline]
    pub(super) fn element_lane(&self, ctx: &Ctx) -> Lane {
        if self.is_plain(ctx) { Lane::of(ctx.verdict) } else { Lane::Slow }
    }

    /// Whether members of an object may go the short way.
    #[inline]
    pub(super) fn is_plain(&self, ctx: &Ctx) -> bool {
        ctx.force.is_none()
            && ctx.marks.is_none()
            && !(ctx.types | ctx.flat | self.own_patterns)
            && !matches!(ctx.verdict, KeyVerdict::Sensitive(_))
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
        if facts.lane == Lane::Slow || facts.tainted || !searched {
            return None;
        }
        self.quiet_value(unit, at + 3, facts.lane)
    }

    /// The token behind the value that begins at a token, if it can go the short way.
    #[inline]
    pub(super) fn quiet_value(&mut self, unit: &Unit<'_>, at: usize, lane: Lane) -> Option<usize> {
        match unit.byte(at) {
            b'"' if unit.byte(at + 1) == b'"' => {
                let around = unit.bytes_from(unit.position(at) + 1);
                let text = &around[..unit.position(at + 1) - unit.position(at) - 1];
                let copied = || text.len() >= TAINT_BYTES_MIN && self.searches() && self.taint.holds(text);
                if text.len() < SHORTEST {
                    return Some(at + 2);
                }
                let place = Acquitted::place(text);
                if self.acquitted.knows(place, lane.tag(), text) {
                    return (!copied()).then_some(at + 2);
                }
                if !self.rules.acquits(around, text.len(), lane != Lane::Leaves) || copied() {
                    return None;
                }
                self.acquitted.remember(place, lane.tag(), text);
                Some(at + 2)
            }
            b'"' if !self.searches() => {
                let close = unit.closing_quote(at).ok()?;
                let text = key_slice(unit, at, close).as_bytes();
                self.acquitted.knows(Acquitted::place(text), lane.tag(), text).then_some(close + 1)
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
    pub(super) fn acquit(&mut self, raw: &str, ctx: &Ctx) {
        let lane = self.element_lane(ctx);
        if lane != Lane::Slow {
            self.acquitted.remember(Acquitted::place(raw.as_bytes()), lane.tag(), raw.as_bytes());
        }
    }

    /// Whether copies of secrets are looked for.
    #[inline]
    fn searches(&self) -> bool {
        self.mode.find && !self.taint.is_empty()
    }
}
