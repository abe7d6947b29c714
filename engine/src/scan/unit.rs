//! One complete JSON value in the window, with its tokens.
//!
//! Must never be made of bytes that are not UTF-8.

use crate::refusal::{Refusal, RefusalKind};

/// A complete value (or key): its text and the tokens in it. Positions are the window's.
#[derive(Clone, Copy)]
pub(crate) struct Unit<'a> {
    text: &'a str,
    tokens: &'a [u32],
    /// Position of the text's first byte in the window.
    start: usize,
    /// Offset of the window's first byte in the input.
    base: u64,
}

impl<'a> Unit<'a> {
    /// Checks the encoding.
    ///
    /// # Errors
    /// `InvalidText` with the first byte that is not UTF-8.
    pub(super) fn new(bytes: &'a [u8], tokens: &'a [u32], start: usize, base: u64) -> Result<Self, Refusal> {
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| {
            let good = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
            invalid_utf8(base, start + good)
        })?;
        Ok(Self { text, tokens, start, base })
    }

    /// Of bytes that are known to be ASCII.
    pub(super) fn of_ascii(bytes: &'a [u8], tokens: &'a [u32], start: usize, base: u64) -> Self {
        debug_assert!(bytes.is_ascii(), "the index saw nothing else");
        // SAFETY: the index saw no byte beyond ASCII in any block that these bytes touch (`Window::unit`).
        let text = unsafe { std::str::from_utf8_unchecked(bytes) };
        Self { text, tokens, start, base }
    }

    /// Number of tokens.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Position of a token in the window; the unit's end for one past the last token.
    #[inline]
    #[expect(clippy::as_conversions, reason = "hot path; u32 fits usize on all supported targets")]
    pub(crate) fn position(&self, token: usize) -> usize {
        self.tokens.get(token).map_or(self.start + self.text.len(), |p| *p as usize)
    }

    /// The token's byte; 0, which no grammar accepts, past the end.
    #[inline]
    #[expect(clippy::as_conversions, reason = "hot path; u32 fits usize on all supported targets")]
    pub(crate) fn byte(&self, token: usize) -> u8 {
        let Some(position) = self.tokens.get(token) else { return 0 };
        let at = *position as usize - self.start;
        debug_assert!(at < self.text.len(), "tokens stand in the unit");
        // SAFETY: a unit is made of the text from its first token to its last one (`Window::unit`).
        unsafe { *self.text.as_bytes().get_unchecked(at) }
    }

    /// Text between two positions of the window.
    #[inline]
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        &self.text[from - self.start..to - self.start]
    }

    /// Offset in the input of a position of the window.
    pub(crate) fn offset(&self, position: usize) -> u64 {
        self.base + u64::try_from(position).unwrap_or(u64::MAX)
    }

    /// Bytes from a position of the window to the unit's end.
    pub(crate) fn bytes_from(&self, from: usize) -> &'a [u8] {
        &self.text.as_bytes()[from - self.start..]
    }

    /// The token of the closing quote of the string that the token `open` opens.
    ///
    /// # Errors
    /// `NotJson` when the string does not end in the unit.
    #[inline]
    pub(crate) fn closing_quote(&self, open: usize) -> Result<usize, Refusal> {
        let mut token = open + 1;
        // Quotes are tokens only where they are not escaped, so the next one closes.
        while self.byte(token) != b'"' {
            token += 1;
            if token >= self.len() {
                return Err(self.unexpected(open));
            }
        }
        Ok(token)
    }

    /// Text of the number or literal that begins at a token.
    #[inline]
    pub(crate) fn scalar(&self, token: usize) -> &'a str {
        let from = self.position(token);
        let rest = self.slice(from, self.position(token + 1));
        rest.trim_end_matches([' ', '\t', '\n', '\r'])
    }

    /// One past the last byte of the value whose last token this is.
    #[inline]
    pub(crate) fn end_of(&self, token: usize) -> usize {
        match self.byte(token) {
            b'"' | b'}' | b']' => self.position(token) + 1,
            _ => self.position(token) + self.scalar(token).len(),
        }
    }

    /// A refusal at a position of the window.
    pub(crate) fn refuse(&self, position: usize, kind: RefusalKind, detail: &'static str) -> Refusal {
        refuse(self.base, position, kind, detail)
    }

    /// The grammar does not allow this token here.
    pub(crate) fn unexpected(&self, token: usize) -> Refusal {
        self.refuse(self.position(token), RefusalKind::NotJson, UNEXPECTED)
    }
}

pub(crate) const UNEXPECTED: &str =
    "not JSON (RFC 8259): another character belongs here; pull the state again";

/// A refusal at a position of a window that begins at `base`.
pub(super) fn refuse(base: u64, position: usize, kind: RefusalKind, detail: &'static str) -> Refusal {
    Refusal { kind, offset: base + u64::try_from(position).unwrap_or(u64::MAX), detail }
}

fn invalid_utf8(base: u64, position: usize) -> Refusal {
    refuse(
        base,
        position,
        RefusalKind::InvalidText,
        "not UTF-8; store the state as UTF-8, as Terraform writes it",
    )
}
