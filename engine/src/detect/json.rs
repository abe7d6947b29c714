//! JSON inside a string: walks the leaves, each under its own key, and maps what is found back into the text.
//!
//! Lenient where it costs nothing (a redaction marker may stand for a number); gives up on anything else that is not
//! JSON, and the text is then searched as text.

use std::borrow::Cow;

use super::inspect::Search;
use super::resolve::Found;
use super::scratch::Decoded;
use super::siblings::Kin;
use super::{Hint, KeyVerdict, marker};
use crate::scan::is_number;

/// Deeper nesting is no configuration: the text is searched flat.
const DEPTH_MAX: usize = 96;

/// A member that belongs to a name/value pair (`{"name": "DB_PASSWORD", "value": "…"}`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PairPart {
    /// The text says what the sibling value is.
    Name,
    /// The value that the sibling name describes.
    Value,
}

/// Which part of a pair a member key is.
pub(super) fn pair_part(key: &str) -> Option<PairPart> {
    match key {
        "name" | "Name" | "NAME" | "key" | "Key" | "path" | "ParameterKey" | "variable" | "option_name"
        | "OptionName" | "parameter_name" => Some(PairPart::Name),
        "value" | "Value" | "VALUE" | "ParameterValue" | "parameter_value" | "default_value"
        | "plaintext" | "val" => Some(PairPart::Value),
        _ => None,
    }
}

struct Walk<'s, 'a, 'r> {
    text: &'a str,
    at: usize,
    search: &'s mut Search<'r>,
    level: u8,
}

/// Walks the whole text. `false`: not JSON, nothing was kept.
pub(super) fn walk(search: &mut Search<'_>, text: &str, verdict: KeyVerdict, level: u8) -> bool {
    let kept = search.scratch.found.len();
    let mut walk = Walk { text, at: 0, search, level };
    walk.space();
    let whole = walk.value(verdict, 0).is_some() && {
        walk.space();
        walk.at == text.len()
    };
    if !whole {
        search.scratch.found.truncate(kept);
    }
    whole
}

/// A document inside of a longer text: `…: {"…": …}`, the parameter of an address.
pub(super) fn embedded(search: &mut Search<'_>, text: &str, level: u8) {
    let quoted = |at: &usize| text.as_bytes().get(at + 1) == Some(&b'"');
    let first = memchr::memchr_iter(b'{', text.as_bytes()).find(quoted);
    let Some(start) = first.filter(|at| *at > 0) else { return };
    let Some(end) = memchr::memrchr(b'}', text.as_bytes()).map(|at| at + 1).filter(|end| *end > start) else {
        return;
    };
    let from = search.scratch.found.len();
    if search.spend(end - start) && walk(search, &text[start..end], KeyVerdict::Plain, level) {
        search.shift(from, start);
    }
}

impl Walk<'_, '_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, b: u8) -> Option<()> {
        self.space();
        (self.peek() == Some(b)).then(|| self.at += 1)
    }

    fn value(&mut self, verdict: KeyVerdict, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.space();
        match self.peek()? {
            b'[' => {
                if let Some(len) = marker::length_at(self.text.as_bytes(), self.at) {
                    self.at += len;
                    return Some(());
                }
                self.array(verdict, depth)
            }
            b'{' => self.object(verdict, depth),
            b'"' => {
                let (start, end, escaped) = self.string()?;
                self.leaf(start, end, escaped, verdict);
                Some(())
            }
            _ => self.scalar(verdict),
        }
    }

    fn array(&mut self, verdict: KeyVerdict, depth: usize) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Some(());
        }
        let mut flag = None;
        loop {
            self.space();
            let from = self.at;
            let told = flag
                .take()
                .filter(|_| self.text[from..].starts_with('"') && !self.text[from + 1..].starts_with('-'));
            self.value(told.unwrap_or(verdict), depth + 1)?;
            flag = self.flag(from);
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// What the element of a list that ends here says of the next one.
    fn flag(&mut self, from: usize) -> Option<KeyVerdict> {
        let element = self.text[from..self.at].strip_prefix("\"-")?.strip_suffix('"')?;
        self.search.rules.told_by_flag(&self.text[from + 1..from + 2 + element.len()])
    }

    fn object(&mut self, parent: KeyVerdict, depth: usize) -> Option<()> {
        let open = self.at;
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Some(());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return None;
            }
            let (start, end, escaped) = self.string()?;
            self.key(start, end, escaped);
            let key = read(self.text, start, end, escaped);
            let verdict = self.search.rules.classify_name(&key, self.search.scratch);
            self.take(b':')?;
            let verdict = match verdict.kin() {
                Some(kin) => verdict.answered(self.told(open, kin)?),
                None => verdict,
            };
            self.value(verdict.under(parent), depth + 1)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// What the members of the object that opens at `open` say about one of them that asks `kin`.
    fn told(&mut self, open: usize, kin: Kin) -> Option<Option<KeyVerdict>> {
        let back = std::mem::replace(&mut self.at, open + 1);
        let mut told = None;
        while told.is_none() {
            self.space();
            let (start, end, escaped) = self.string()?;
            self.take(b':')?;
            self.space();
            let value = self.at;
            if self.peek()? == b'"' {
                let (from, to, cloaked) = self.string()?;
                let (key, text) = (read(self.text, start, end, escaped), read(self.text, from, to, cloaked));
                told = kin.told(self.search.rules, &key, &text);
            } else {
                self.skip()?;
            }
            if !self.search.spend(self.at - start) {
                return None;
            }
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' if self.at >= value => break,
                _ => return None,
            }
            self.space();
        }
        self.at = back;
        Some(told)
    }

    /// Over a value that is no string.
    fn skip(&mut self) -> Option<()> {
        let mut open = 0usize;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                b',' | b'}' if open == 0 => return Some(()),
                _ => self.at += 1,
            }
        }
    }

    /// Content of the string at the cursor: begin, end, holds escapes. `None`: none begins there, or it does not end.
    fn string(&mut self) -> Option<(usize, usize, bool)> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            let step = memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
            at += step;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Some((start, at, escaped));
            }
            escaped = true;
            at += 2;
        }
    }

    fn scalar(&mut self, verdict: KeyVerdict) -> Option<()> {
        let rest = &self.text[self.at..];
        let len =
            rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
        let word = &rest[..len];
        let first = *word.as_bytes().first()?;
        if first == b'-' || first.is_ascii_digit() {
            // `[386-41-0603]` is a text in brackets.
            if !is_number(word.as_bytes()) {
                return None;
            }
            if let Some(rule) = self.search.rules.inspect_number(word, verdict) {
                self.search.scratch.found.push(Found { start: self.at, end: self.at + len, rule });
            }
        } else if !matches!(word, "true" | "false" | "null") {
            return None;
        }
        self.at += len;
        Some(())
    }

    fn key(&mut self, start: usize, end: usize, escaped: bool) {
        if end - start >= 6 {
            self.leaf_with(start, end, escaped, KeyVerdict::Plain, true);
        }
    }

    fn leaf(&mut self, start: usize, end: usize, escaped: bool, verdict: KeyVerdict) {
        self.leaf_with(start, end, escaped, verdict, false);
    }

    fn leaf_with(&mut self, start: usize, end: usize, escaped: bool, verdict: KeyVerdict, is_key: bool) {
        let text = self.text;
        let from = self.search.scratch.found.len();
        if !escaped {
            self.search.leaf(&text[start..end], verdict, self.level + 1, is_key);
            self.search.shift(from, start);
            return;
        }
        let mut decoded = self.search.scratch.borrow();
        unescape(text, start, end, &mut decoded);
        self.search.leaf(&decoded.text, verdict, self.level + 1, is_key);
        for found in &mut self.search.scratch.found[from..] {
            found.start = decoded.source(found.start);
            found.end = decoded.source(found.end);
        }
        self.search.scratch.give_back(decoded);
    }
}

/// What the content of a string says, escapes undone.
fn read(text: &str, start: usize, end: usize, escaped: bool) -> Cow<'_, str> {
    if !escaped {
        return Cow::Borrowed(&text[start..end]);
    }
    let mut decoded = Decoded::default();
    unescape(text, start, end, &mut decoded);
    Cow::Owned(decoded.text)
}

/// Decodes a JSON string's content; what is no escape stays as it is, half a surrogate pair becomes U+FFFD.
fn unescape(text: &str, start: usize, end: usize, out: &mut Decoded) {
    let bytes = text.as_bytes();
    let mut at = start;
    out.anchor(start);
    while at < end {
        let run = memchr::memchr(b'\\', &bytes[at..end]).map_or(end, |n| at + n);
        out.text.push_str(&text[at..run]);
        at = run;
        if at >= end {
            break;
        }
        let (c, len) = match bytes.get(at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b't') => ('\t', 2),
            Some(b'r') => ('\r', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'u') => unicode(bytes, at, end),
            Some(b) if b.is_ascii() => (char::from(*b), 2),
            _ => ('\\', 1),
        };
        out.anchor(at);
        out.text.push(c);
        at = (at + len).min(end);
        out.anchor(at);
    }
    out.anchor(end);
}

fn hex4(bytes: &[u8], at: usize, end: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4).filter(|_| at + 4 <= end)?;
    digits.iter().try_fold(0, |n, b| char::from(*b).to_digit(16).map(|d| n * 16 + d))
}

fn unicode(bytes: &[u8], at: usize, end: usize) -> (char, usize) {
    let Some(first) = hex4(bytes, at + 2, end) else { return ('\\', 1) };
    if (0xD800..0xDC00).contains(&first)
        && bytes.get(at + 6..at + 8) == Some(b"\\u")
        && let Some(second @ 0xDC00..0xE000) = hex4(bytes, at + 8, end)
    {
        let scalar = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(scalar).unwrap_or('\u{fffd}'), 12);
    }

    (char::from_u32(first).unwrap_or('\u{fffd}'), 6)
}

/// Whether a verdict asks for more than a plain look.
pub(super) fn matters(verdict: KeyVerdict) -> bool {
    match verdict {
        KeyVerdict::Plain => false,
        KeyVerdict::Sensitive(_) => true,
        KeyVerdict::Context(context) => {
            context.tenant != 0
                || !matches!(
                    context.hint,
                    Hint::None | Hint::Public | Hint::Version | Hint::Allowed | Hint::Told(_)
                )
        }
    }
}
