//! Bytes as decisions: what a fuzzer mutates, a test draws.
//!
//! Must never run out: a tape that has ended decides for the first of all choices.

/// Decisions, one a byte.
pub struct Tape<'t> {
    bytes: &'t [u8],
}

impl<'t> Tape<'t> {
    /// All decisions of these bytes.
    #[must_use]
    pub fn new(bytes: &'t [u8]) -> Self {
        Self { bytes }
    }

    /// The next byte; 0 when none is left.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    /// Yes once in `often`; never when the tape has ended.
    pub fn rarely(&mut self, often: usize) -> bool {
        self.below(often) == often - 1
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// The next bytes as they are.
    pub fn raw(&mut self, count: usize) -> &'t [u8] {
        let (taken, rest) = self.bytes.split_at(count.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    /// Whatever is left.
    #[must_use]
    pub fn rest(self) -> &'t [u8] {
        self.bytes
    }
}
