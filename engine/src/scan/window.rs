//! The bytes that are not yet consumed, indexed.
//!
//! Holds at most one unit and one feed. Blocks are cut at multiples of 64 of the *input*, so that what is found does not
//! depend on how the input was cut into chunks. Must never move bytes twice for one unit.

use super::Unit;
use super::block::{BLOCK, Classifier};
use super::index::{Carry, Found, index};
use super::unit::refuse;
use crate::refusal::{Refusal, RefusalKind};

/// Bytes taken from a chunk at a time: stays within a core's second-level cache together with its tokens.
const FEED_BYTES: usize = 128 << 10;

/// Indexed behind a jump: what stands between two instances, or about the header of a resource.
const AHEAD_BYTES: usize = 4 * BLOCK;

/// Indexed at a time at most: what is indexed and then jumped over was for nothing.
const AHEAD_BYTES_MAX: usize = 32 * BLOCK;

/// Most bytes that a buffer grows by beyond what it needs. Doubling would hold twice the cap for a unit that just fits.
const GROWTH_MAX: usize = 1 << 20;

pub(super) fn grow<T>(buffer: &mut Vec<T>, more: usize) {
    if buffer.capacity() - buffer.len() < more {
        buffer.reserve_exact(more.max(buffer.capacity().min(GROWTH_MAX / size_of::<T>())));
    }
}

#[inline]
fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// A sliding window over the input. Public so that indexing can be measured alone; everything else goes through
/// [`crate::sift`].
pub struct Window {
    bytes: Vec<u8>,
    found: Found,
    /// First token that is not consumed.
    next: usize,
    /// First bracket that is not consumed.
    bracket: usize,
    /// Bytes from the start of the window that are indexed.
    indexed: usize,
    /// Offset in the input of the window's first byte.
    base: u64,
    carry: Carry,
    how: Classifier,
    finished: bool,
    /// How much is indexed at a time where it is indexed as it is needed.
    ahead: usize,
}

impl Window {
    /// An empty window at the start of an input; asks the processor what it can do.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "asking the processor is no default")]
    pub fn new() -> Self {
        Self {
            bytes: Vec::new(),
            found: Found::default(),
            next: 0,
            bracket: 0,
            indexed: 0,
            base: 0,
            carry: Carry::default(),
            how: Classifier::detect(),
            finished: false,
            ahead: AHEAD_BYTES,
        }
    }

    /// Takes and indexes a piece of the chunk; returns how much of it is left. Who never calls [`Window::compact`] must
    /// stay below 4 GiB.
    pub fn feed<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let (piece, rest) = chunk.split_at(chunk.len().min(FEED_BYTES));
        grow(&mut self.bytes, piece.len());
        self.bytes.extend_from_slice(piece);
        self.index();
        rest
    }

    /// Takes a piece of the chunk, which [`Window::index_more`] indexes as it is needed; returns how much of it is left.
    pub(crate) fn take<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let (piece, rest) = chunk.split_at(chunk.len().min(FEED_BYTES));
        grow(&mut self.bytes, piece.len());
        self.bytes.extend_from_slice(piece);
        rest
    }

    /// Indexes some of what was taken: little behind a place that was jumped to, since the next jump may follow soon, and
    /// more each time. False: nothing is left that could be.
    pub(crate) fn index_more(&mut self) -> bool {
        if self.bytes.len() - self.indexed < BLOCK {
            return false;
        }
        let end = self.bytes.len().min(self.indexed + self.ahead);
        self.ahead = (self.ahead * 2).min(AHEAD_BYTES_MAX);
        self.index_to(end);
        true
    }

    /// Everything up to a position was decided by its bytes; it ends with the end of a container.
    #[expect(clippy::as_conversions, reason = "hot path; u32 fits usize on all supported targets")]
    pub(crate) fn jump(&mut self, end: usize) {
        if end < self.indexed {
            let behind = self.pending().partition_point(|token| (*token as usize) < end);
            self.consume(behind);
            return;
        }
        self.found.tokens.clear();
        self.found.brackets.clear();
        (self.next, self.bracket) = (0, 0);
        self.carry = Carry::default();
        self.indexed = end;
        self.ahead = AHEAD_BYTES;
    }

    /// The input ends: the last block is filled up with spaces.
    pub fn finish(&mut self) {
        let end = self.bytes.len();
        self.bytes.resize(self.indexed + (end - self.indexed).next_multiple_of(BLOCK), b' ');
        self.index();
        self.bytes.truncate(end);
        self.indexed = end;
        self.finished = true;
    }

    /// Indexes all that was fed, for the moment. Nothing must be cut here but white space; false, and nothing is done,
    /// where a string is.
    pub(crate) fn pause(&mut self) -> bool {
        let end = self.bytes.len();
        self.bytes.resize(self.indexed + (end - self.indexed).next_multiple_of(BLOCK), b' ');
        let before = (self.carry, self.found.tokens.len(), self.found.brackets.len(), self.indexed);
        self.index();
        self.bytes.truncate(end);
        self.indexed = end;
        if self.carry.is_open() {
            self.carry = before.0;
            self.found.tokens.truncate(before.1);
            self.found.brackets.truncate(before.2);
            self.indexed = before.3;
            return false;
        }
        true
    }

    /// Passes over bytes that are not fed. The window is empty.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.base += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    fn index(&mut self) {
        self.index_to(self.bytes.len());
    }

    fn index_to(&mut self, end: usize) {
        // At worst each byte is a token; the index writes up to a block's worth beyond.
        grow(&mut self.found.tokens, end - self.indexed + 64);
        // INVARIANT: the window holds less than a unit and a feed, some nine million bytes.
        let base = u32::try_from(self.indexed).expect("a window is far below 4 GiB");
        self.indexed +=
            index(self.how, &self.bytes[self.indexed..end], base, &mut self.carry, &mut self.found);
    }

    /// Whether the whole input was seen.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Positions in the window of the tokens that are not consumed.
    #[inline]
    #[must_use]
    pub fn pending(&self) -> &[u32] {
        &self.found.tokens[self.next..]
    }

    /// The brackets among the tokens that are not consumed: number of the token, counted from the first one of these, and
    /// whether it opens.
    #[inline]
    #[expect(clippy::as_conversions, reason = "hot path; u32 fits usize on all supported targets")]
    pub(super) fn pending_bracket(&self, number: usize) -> Option<(usize, bool)> {
        let bracket = *self.found.brackets.get(self.bracket + number)?;
        Some(((bracket >> 1) as usize - self.next, bracket & 1 == 1))
    }

    /// The byte at a position.
    #[inline]
    #[expect(clippy::as_conversions, reason = "hot path; u32 fits usize on all supported targets")]
    pub(crate) fn byte_at(&self, position: u32) -> u8 {
        self.bytes[position as usize]
    }

    /// Position and byte of the next token.
    #[inline]
    #[expect(clippy::as_conversions, reason = "hot path; u32 fits usize on all supported targets")]
    pub(crate) fn peek(&self) -> Option<(usize, u8)> {
        self.pending().first().map(|p| (*p as usize, self.byte_at(*p)))
    }

    /// Bytes from a position on.
    pub(crate) fn bytes_from(&self, position: usize) -> &[u8] {
        &self.bytes[position..]
    }

    /// Bytes from a position to the end of what is indexed.
    #[expect(clippy::as_conversions, reason = "u32 fits usize on all supported targets")]
    pub(crate) fn indexed_from(&self, position: u32) -> &[u8] {
        &self.bytes[position as usize..self.indexed]
    }

    /// Bytes of the window up to a position: what is flushed.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One past the last indexed byte.
    #[must_use]
    pub fn indexed(&self) -> usize {
        self.indexed
    }

    /// The unit of the next tokens up to `last` (counted from the next one).
    ///
    /// # Errors
    /// `InvalidText` when its bytes are not UTF-8.
    pub(crate) fn unit(&self, last: usize) -> Result<Unit<'_>, Refusal> {
        let tokens = &self.pending()[..=last];
        let (from, end) = self.unit_span(last);
        if from >= usize::try_from(self.found.wide_to).unwrap_or(usize::MAX) {
            return Ok(Unit::of_ascii(&self.bytes[from..end], tokens, from, self.base));
        }
        Unit::new(&self.bytes[from..end], tokens, from, self.base)
    }

    /// Where the unit of the next tokens up to `last` stands: first position, one past the last.
    #[expect(clippy::as_conversions, reason = "hot path; u32 fits usize on all supported targets")]
    pub(crate) fn unit_span(&self, last: usize) -> (usize, usize) {
        let pending = self.pending();
        let (from, to) = (pending[0] as usize, pending[last] as usize);
        let is_scalar =
            last == 0 && !matches!(self.bytes[from], b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"');
        if !is_scalar {
            return (from, to + 1);
        }
        let stop = pending.get(1).map_or(self.indexed, |p| *p as usize);
        let white = self.bytes[from..stop].iter().rev().take_while(|b| b" \t\n\r".contains(b)).count();
        (from, stop - white)
    }

    /// Consumes `count` tokens.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.next += count;
        while self.found.brackets.get(self.bracket).is_some_and(|b| u64::from(b >> 1) < wide(self.next)) {
            self.bracket += 1;
        }
    }

    /// Forgets the first `done` bytes (at most [`Window::indexed`]) and the consumed tokens, which must stand in them.
    pub fn compact(&mut self, done: usize) {
        self.bytes.drain(..done);
        self.found.tokens.drain(..self.next);
        self.found.brackets.drain(..self.bracket);
        // INVARIANT: there are less tokens than bytes, positions are u32, and `done` is one of them.
        let consumed = u32::try_from(self.next).expect("a window is far below 4 GiB");
        (self.next, self.bracket) = (0, 0);
        for bracket in &mut self.found.brackets {
            *bracket -= consumed << 1;
        }
        // INVARIANT: as above.
        let shift = u32::try_from(done).expect("a window is far below 4 GiB");
        for token in &mut self.found.tokens {
            *token -= shift;
        }
        self.found.wide_to = self.found.wide_to.saturating_sub(shift);
        self.indexed -= done;
        self.base += u64::try_from(done).unwrap_or(u64::MAX);
    }

    /// Offset in the input of a position.
    pub(crate) fn offset(&self, position: usize) -> u64 {
        self.base + u64::try_from(position).unwrap_or(u64::MAX)
    }

    /// A refusal at a token's position.
    pub(crate) fn refuse(&self, position: u32, kind: RefusalKind, detail: &'static str) -> Refusal {
        Refusal { kind, offset: self.base + u64::from(position), detail }
    }

    /// A refusal at a position.
    pub(crate) fn refuse_at(&self, position: usize, kind: RefusalKind, detail: &'static str) -> Refusal {
        refuse(self.base, position, kind, detail)
    }

    /// Bytes held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
            + (self.found.tokens.capacity() + self.found.brackets.capacity()) * size_of::<u32>()
    }
}
