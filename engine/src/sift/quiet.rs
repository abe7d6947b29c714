//! The short way for what most of a state is: members whose key says nothing and whose value holds nothing.
//!
//! Owns no decision: whatever is not plain at the first look goes the long way (`walk.rs`), which would let everything
//! pass that passes here. Must never allocate.

use super::leaf::{TAINT_BYTES_MIN, may_need_name};
use super::walk::{Ctx, Walk, key_slice};
use crate::detect::{Hint, KeyContext, KeyVerdict};
use crate::scan::{Unit, is_number};

/// Which values under a key may go the short way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// None.
    Slow,
    /// Leaves and empty containers.
    Leaves,
    /// The same, and what looks drawn is no secret.
    Public,
}

impl Lane {
    /// By the verdict on a key that is no data itself.
    pub(super) fn of_key(key: &str, verdict: KeyVerdict, found: bool) -> Self {
        if found || may_need_name(key) { Self::Slow } else { Self::of(verdict) }
    }

    #[inline]
    fn of(verdict: KeyVerdict) -> Self {
        match verdict {
            KeyVerdict::Plain
            | KeyVerdict::Context(KeyContext { hint: Hint::None | Hint::Allowed, tenant: 0 }) => Self::Leaves,
            KeyVerdict::Context(KeyContext { hint: Hint::Public | Hint::Version, tenant: 0 }) => Self::Public,
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
    pub(super) fn quiet_value(&self, unit: &Unit<'_>, at: usize, lane: Lane) -> Option<usize> {
        match unit.byte(at) {
            b'"' if unit.byte(at + 1) == b'"' => {
                let around = unit.bytes_from(unit.position(at) + 1);
                let len = unit.position(at + 1) - unit.position(at) - 1;
                let acquitted = self.rules.acquits(around, len, lane == Lane::Public)
                    && !(len >= TAINT_BYTES_MIN && self.searches() && self.taint.holds(&around[..len]));
                acquitted.then_some(at + 2)
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

    /// Whether copies of secrets are looked for.
    #[inline]
    fn searches(&self) -> bool {
        self.mode.find && !self.taint.is_empty()
    }
}
