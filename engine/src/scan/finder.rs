//! Finds where a value ends, over any number of pushes, without looking at its grammar.
//!
//! Must never scan a token twice for one value.

use super::window::Window;
use crate::refusal::{Refusal, RefusalKind};

/// What is known of a value's end.
pub enum Find {
    /// The value's last token, counted from its first.
    Complete(usize),
    /// More bytes are needed.
    More,
}

/// Progress on one value that begins at the window's next token. Public so that splitting can be measured alone;
/// everything else goes through [`crate::sift`].
#[derive(Default)]
pub struct Finder {
    /// Tokens looked at, counted from the value's first.
    at: usize,
    /// Brackets looked at.
    brackets: usize,
    depth: usize,
    /// Tokens that closed a member of the value: where the depth came back to one. Spares those who walk over the
    /// members a second search.
    ends: Vec<usize>,
}

impl Finder {
    /// Begins a new value.
    pub fn reset(&mut self) {
        self.at = 0;
        self.brackets = 0;
        self.depth = 0;
        self.ends.clear();
    }

    /// Tokens of closing brackets that ended the value's direct members, counted from its first token.
    pub(crate) fn member_ends(&self) -> &[usize] {
        &self.ends
    }

    /// Bytes of the value that are known so far, when it is not complete.
    pub(crate) fn bytes(&self, window: &Window) -> usize {
        window.peek().map_or(0, |(at, _)| window.indexed() - at)
    }

    /// Tokens of the value that are known so far.
    pub(crate) fn tokens(&self) -> usize {
        self.at
    }

    /// Bytes held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.ends.capacity() * size_of::<usize>()
    }

    /// Looks at what the window has got since.
    ///
    /// # Errors
    /// `TooDeep` when the value nests deeper than `depth_max`.
    pub fn advance(&mut self, window: &Window, depth_max: usize) -> Result<Find, Refusal> {
        let tokens = window.pending();
        let Some(first) = tokens.first() else { return Ok(Find::More) };
        match window.byte_at(*first) {
            b'{' | b'[' => self.container(window, tokens, depth_max),
            b'"' => Ok(self.string(window, tokens)),
            _ => Ok(self.scalar(window, *first)),
        }
    }

    /// A number or literal ends at white space or at the next token; one that ends with the input may have been cut.
    /// `at` counts its bytes.
    fn scalar(&mut self, window: &Window, first: u32) -> Find {
        let bytes = window.indexed_from(first);
        while let Some(byte) = bytes.get(self.at) {
            if self.at > 0 && b" \t\n\r{}[]:,\"".contains(byte) {
                self.at = 0;
                return Find::Complete(0);
            }
            self.at += 1;
        }
        Find::More
    }

    fn string(&mut self, window: &Window, tokens: &[u32]) -> Find {
        self.at = self.at.max(1);
        while let Some(token) = tokens.get(self.at) {
            if window.byte_at(*token) == b'"' {
                return Find::Complete(self.at);
            }
            self.at += 1;
        }
        Find::More
    }

    fn container(&mut self, window: &Window, tokens: &[u32], depth_max: usize) -> Result<Find, Refusal> {
        while let Some((token, opens)) = window.pending_bracket(self.brackets) {
            self.brackets += 1;
            if opens {
                self.depth += 1;
                if self.depth > depth_max {
                    let detail = "nested deeper than 512 levels";
                    return Err(window.refuse(tokens[token], RefusalKind::TooDeep, detail));
                }
                continue;
            }
            self.depth -= 1;
            if self.depth <= 1 {
                if self.depth == 0 {
                    self.at = token;
                    return Ok(Find::Complete(token));
                }
                self.ends.push(token);
            }
        }
        self.at = tokens.len();
        Ok(Find::More)
    }
}
