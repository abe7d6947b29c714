//! Owns the punctuation and indentation of the document around the templates. It must never choose content.

use super::text::{Encoding, Layout, encode};

/// A growing piece of the document.
pub(crate) struct Page {
    pub(crate) out: Vec<u8>,
    layout: Layout,
    level: usize,
    /// Whether the container under way is still empty.
    empty: bool,
}

impl Page {
    pub(crate) fn new(layout: Layout) -> Self {
        Self { out: Vec::with_capacity(80 * 1024), layout, level: 0, empty: true }
    }

    fn line(&mut self) {
        const BLANKS: &[u8] = b"\n                    ";
        if self.layout == Layout::Pretty {
            self.out.extend_from_slice(&BLANKS[..=(self.level * 2).min(BLANKS.len() - 1)]);
        }
    }

    /// Opens an object or array, given its bracket.
    pub(crate) fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.level += 1;
        self.empty = true;
    }

    /// Closes it.
    pub(crate) fn close(&mut self, bracket: u8) {
        self.level -= 1;
        if !self.empty {
            self.line();
        }
        self.out.push(bracket);
        self.empty = false;
    }

    /// Starts the next array element.
    pub(crate) fn item(&mut self) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.line();
    }

    /// Starts the next member.
    pub(crate) fn key(&mut self, key: &str) {
        self.item();
        self.raw_text(key);
        self.out.extend_from_slice(if self.layout == Layout::Pretty { b": " } else { b":" });
    }

    /// JSON text as it is.
    pub(crate) fn raw(&mut self, json: &str) {
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A string that needs no escape.
    pub(crate) fn raw_text(&mut self, text: &str) {
        self.out.push(b'"');
        self.raw(text);
        self.out.push(b'"');
    }

    /// Any string.
    pub(crate) fn text(&mut self, text: &str) {
        self.out.push(b'"');
        encode(&mut self.out, text, Encoding::Json);
        self.out.push(b'"');
    }
}
