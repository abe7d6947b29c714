//! Members that were walked and in which nothing happened: the same bytes again need no walk.
//!
//! States repeat whole runs of members, and a member below a key that says nothing comes out the same wherever it stands:
//! nothing of it depends on what is around it ([`Walk::is_plain`], and no event of [`Walk::events`] while it was walked).
//! So a run that was heard is compared instead of walked, as many members at once as are the same (the idea is that of
//! LZ77, Ziv and Lempel, "A universal algorithm for sequential data compression", 1977: copy what stood before).
//!
//! Holds members in a buffer of fixed size, and wipes them; no Debug. Must never answer for a member by anything less than all
//! of its bytes, and never while copies of secrets are looked for.

use zeroize::Zeroize;

use super::siblings::Siblings;
use super::walk::{Ctx, Walk};
use crate::refusal::Refusal;
use crate::scan::Unit;

/// Bytes that are remembered, at first and once as many were there; all are forgotten when they are full, and what repeats
/// comes back at once.
const TEXT_BYTES_MIN: usize = 16 << 10;
const TEXT_BYTES_MAX: usize = 256 << 10;
/// Bytes for which one member is remembered.
const TEXT_BYTES_A_MEMBER: usize = 24;
/// A longer member is walked: what is in it is remembered by itself.
const MEMBER_BYTES_MAX: usize = 2 << 10;

/// A member that was heard.
#[derive(Clone, Copy)]
struct Heard {
    /// Where it stands in the text, from the quote of its key to its last byte.
    from: u32,
    to: u32,
    tokens: u32,
    /// Its key in the memo of keys.
    key: u32,
    /// It stands right behind the one before, with what stood between them.
    follows: bool,
}

/// Where a key was heard last: the number of a member, and of the time when the buffer was begun anew.
#[derive(Clone, Copy, Default)]
pub(super) struct LastHeard {
    begun: u32,
    member: u32,
}

/// What was heard in this state.
pub(super) struct Echo {
    /// Exchanged where more room is needed: a buffer that grew would leave copies behind.
    text: Vec<u8>,
    /// Bytes that are in use, and that ever were.
    used: usize,
    used_max: usize,
    members: Vec<Heard>,
    begun: u32,
    /// The unit's token behind the member that was heard last; a member that begins there (behind a comma) follows it.
    open: Option<usize>,
}

/// The members that are the same.
pub(super) struct Run {
    /// Tokens of all of them, and of the commas between them.
    pub(super) tokens: usize,
    /// The last one's key in the memo of keys.
    pub(super) key: usize,
}

impl Echo {
    pub(super) fn new() -> Self {
        // No key was ever heard in the zeroth beginning.
        Self { text: Vec::new(), used: 0, used_max: 0, members: Vec::new(), begun: 1, open: None }
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.text.capacity() + self.members.capacity() * size_of::<Heard>()
    }

    /// Another unit begins: its tokens are counted anew.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// As many members with which `bytes` begin as stood behind the place where the first one's key was heard last.
    #[inline]
    fn same(&self, bytes: &[u8], last: LastHeard) -> Option<Run> {
        if last.begun != self.begun {
            return None;
        }
        let first = place(last.member);
        let heard = self.members.get(first)?;
        let from = place(heard.from);
        let same = common(bytes, self.text.get(from..self.used)?);
        let ends = |heard: &Heard| {
            let end = place(heard.to) - from;
            // A number goes on as long as nothing ends it.
            end < same
                || end == same
                    && (self.closes(heard) || bytes.get(end).is_none_or(|b| b" \t\n\r,}".contains(b)))
        };
        if !ends(heard) {
            return None;
        }
        let mut run = Run { tokens: place(heard.tokens), key: place(heard.key) };
        for heard in self.members[first + 1..].iter().take_while(|heard| heard.follows && ends(heard)) {
            run.tokens += 1 + place(heard.tokens);
            run.key = place(heard.key);
        }
        Some(run)
    }

    /// The member's last byte ends it, whatever stands behind.
    fn closes(&self, heard: &Heard) -> bool {
        place(heard.to)
            .checked_sub(1)
            .and_then(|last| self.text.get(last))
            .is_some_and(|b| b"\"}]".contains(b))
    }

    /// Takes a member; `between` stood between the one before and it.
    fn take(
        &mut self,
        member: &[u8],
        between: Option<&[u8]>,
        tokens: usize,
        key: usize,
    ) -> Option<LastHeard> {
        let (follows, between) = (between.is_some(), between.unwrap_or_default());
        let (bytes, members) = (self.used + between.len() + member.len(), self.members.len());
        if bytes > self.text.len() || members == self.text.len() / TEXT_BYTES_A_MEMBER {
            self.begin();
            return self.take(member, None, tokens, key);
        }
        let start = self.used + between.len();
        let end = start + member.len();
        self.text[self.used..start].copy_from_slice(between);
        self.text[start..end].copy_from_slice(member);
        self.used = end;
        self.used_max = self.used_max.max(end);
        let from = small(start)?;
        let number = small(self.members.len())?;
        self.members.push(Heard { from, to: small(end)?, tokens: small(tokens)?, key: small(key)?, follows });
        Some(LastHeard { begun: self.begun, member: number })
    }

    /// Forgets everything, and takes the first room, or the whole of it.
    fn begin(&mut self) {
        if self.text.len() < TEXT_BYTES_MAX {
            self.wipe();
            let bytes = if self.text.is_empty() { TEXT_BYTES_MIN } else { TEXT_BYTES_MAX };
            self.text = vec![0; bytes];
            self.used_max = 0;
            self.members.reserve_exact(bytes / TEXT_BYTES_A_MEMBER);
        }
        self.used = 0;
        self.members.clear();
        self.begun = self.begun.wrapping_add(1).max(1);
    }

    fn wipe(&mut self) {
        self.text[..self.used_max].zeroize();
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl Walk {
    /// One member, or more, of an object of which nothing is known: heard before, decided the short way, or walked.
    #[inline]
    pub(super) fn plain_member(
        &mut self,
        unit: &Unit<'_>,
        at: usize,
        ctx: &Ctx,
        siblings: &mut Siblings,
    ) -> Result<usize, Refusal> {
        if unit.byte(at) != b'"' || unit.byte(at + 1) != b'"' || self.searches() {
            return match self.quiet_member(unit, at) {
                Some(next) => Ok(next),
                None => self.member(unit, at, ctx, siblings),
            };
        }
        let from = unit.position(at);
        let key = unit.slice(from + 1, unit.position(at + 1)).as_bytes();
        let known = self.memo.index_of(key);
        if let Some(index) = known {
            self.memo.follow(index);
            if let Some(next) = self.echoed(unit, at, index) {
                return Ok(next);
            }
        }
        let before = self.events;
        let quiet = known.and_then(|index| self.quiet_value_of(unit, at, index));
        let next = match quiet {
            Some(next) => next,
            None => self.member(unit, at, ctx, siblings)?,
        };
        if self.events == before
            && let Some(index) = known.or_else(|| self.memo.index_of(key))
            && self.memo.listens(index)
        {
            self.hear(unit, at, next, index);
        }
        Ok(next)
    }

    /// The token behind the members that begin at a token and were heard before in these very bytes.
    #[inline]
    fn echoed(&mut self, unit: &Unit<'_>, at: usize, key: usize) -> Option<usize> {
        let heard = self.memo.heard(key);
        let run = heard.and_then(|heard| self.echo.same(unit.bytes_from(unit.position(at)), heard));
        self.memo.asked(key, run.is_some());
        let run = run?;
        self.memo.follow(run.key);
        self.echo.open = None;
        Some(at + run.tokens)
    }

    /// Nothing happened in the member between these tokens.
    #[inline]
    fn hear(&mut self, unit: &Unit<'_>, at: usize, next: usize, key: usize) {
        let (from, to) = (unit.position(at), unit.end_of(next - 1));
        if to - from > MEMBER_BYTES_MAX {
            return;
        }
        let behind = self.echo.open.filter(|open| open + 1 == at);
        let between = behind.map(|open| unit.slice(unit.end_of(open - 1), from).as_bytes());
        if let Some(heard) = self.echo.take(unit.slice(from, to).as_bytes(), between, next - at, key) {
            self.memo.hear(key, heard);
        }
        self.echo.open = Some(next);
    }
}

/// Bytes with which both texts begin, sixteen at a time.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let count = a.len().min(b.len());
    let (a, b) = (&a[..count], &b[..count]);
    let (left, right) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (n, (x, y)) in left.0.iter().zip(right.0).enumerate() {
        let differs = u128::from_le_bytes(*x) ^ u128::from_le_bytes(*y);
        if differs != 0 {
            return n * 16 + place(differs.trailing_zeros() / 8);
        }
    }
    let rest = left.1.iter().zip(right.1).take_while(|(x, y)| x == y).count();
    count - left.1.len() + rest
}

fn small(n: usize) -> Option<u32> {
    u32::try_from(n).ok()
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: u32 fits usize on every target that runs this")]
fn place(n: u32) -> usize {
    n as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_members_are_the_same_as_are_the_same() {
        let mut echo = Echo::new();
        let first = echo.take(br#""a": "x""#, None, 5, 0).unwrap();
        let second = echo.take(br#""b": 12"#, Some(b",\n "), 4, 1).unwrap();
        echo.take(br#""c": []"#, Some(b", "), 5, 2).unwrap();
        let apart = echo.take(br#""d": 1"#, None, 4, 3).unwrap();
        let check = |text: &str, heard, expected: Option<(usize, usize)>| {
            let run = echo.same(text.as_bytes(), heard).map(|run| (run.tokens, run.key));
            assert_eq!(run, expected, "{text}");
        };
        check(r#""a": "x"}"#, first, Some((5, 0)));
        check(r#""a": "xy"}"#, first, None);
        check("\"a\": \"x\",\n \"b\": 12}", first, Some((10, 1)));
        check("\"a\": \"x\",\n \"b\": 123}", first, Some((5, 0)));
        check("\"a\": \"x\",\n  \"b\": 12}", first, Some((5, 0)));
        check("\"a\": \"x\",\n \"b\": 12, \"c\": []\"d\": 1", first, Some((16, 2)));
        check(r#""b": 12"#, second, Some((4, 1)));
        check(r#""b": 12e"#, second, None);
        check(r#""d": 1,"#, apart, Some((4, 3)));
        check(r#""d": 1,"#, LastHeard::default(), None);
    }

    #[test]
    fn what_is_full_begins_anew() {
        let mut echo = Echo::new();
        let member = [b'm'; 1000];
        let first = echo.take(&member, None, 5, 0).unwrap();
        for _ in 0..TEXT_BYTES_MAX / 1000 {
            echo.take(&member, Some(b","), 5, 0).unwrap();
        }
        assert!(echo.used <= TEXT_BYTES_MAX && echo.same(&member, first).is_none());
    }

    #[test]
    fn common_beginnings_are_measured_to_the_byte() {
        let text: Vec<u8> = (0..100).collect();
        for end in 0..100 {
            let mut other = text.clone();
            other[end] ^= 1;
            assert_eq!(common(&text, &other), end);
            assert_eq!(common(&text, &text[..end]), end);
        }
    }
}
