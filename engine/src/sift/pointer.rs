//! Where the walk stands, as an RFC 6901 pointer into the output.
//!
//! Must never hold the input's spelling of a key that was redacted.

/// One step below the unit's own place.
#[derive(Clone, Copy)]
pub(super) enum Seg {
    /// A key that stays: its decoded text, or where its raw text without escapes stands in the window.
    Raw { start: usize, end: usize },
    /// A key in the arena, as it stands in the output.
    Kept { start: usize },
    /// An element.
    Index(u64),
}

/// The path: a prefix down to the unit, and segments inside of it.
#[derive(Default)]
pub(super) struct Pointer {
    prefix: String,
    segs: Vec<Seg>,
    arena: String,
}

impl Pointer {
    /// Length of the prefix, to return to with [`Self::cut_prefix`].
    pub(super) fn prefix_len(&self) -> usize {
        self.prefix.len()
    }

    pub(super) fn cut_prefix(&mut self, len: usize) {
        self.prefix.truncate(len);
    }

    /// Goes down to an element.
    pub(super) fn prefix_index(&mut self, index: u64) {
        // Once for each instance: spelled here, since formatting costs more than all else of it.
        let (mut digits, mut from, mut left) = ([b'0'; 20], 20, index);
        while left > 0 || from == 20 {
            from -= 1;
            digits[from] = b'0' + u8::try_from(left % 10).unwrap_or(0);
            left /= 10;
        }
        self.prefix.push('/');
        self.prefix.extend(digits[from..].iter().map(|digit| char::from(*digit)));
    }

    /// Where the unit stands.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    #[inline]
    pub(super) fn push(&mut self, seg: Seg) {
        self.segs.push(seg);
    }

    /// Goes down to a member whose key is not spelled in the window as it stands in the output.
    pub(super) fn push_kept(&mut self, key: &str) {
        let start = self.arena.len();
        self.arena.push_str(key);
        self.segs.push(Seg::Kept { start });
    }

    #[inline]
    pub(super) fn set_index(&mut self, index: u64) {
        if let Some(last) = self.segs.last_mut() {
            *last = Seg::Index(index);
        }
    }

    #[inline]
    pub(super) fn pop(&mut self) {
        if let Some(Seg::Kept { start }) = self.segs.pop() {
            self.arena.truncate(start);
        }
    }

    /// A walk broke off or ends: back to the prefix.
    pub(super) fn clear_segs(&mut self) {
        self.segs.clear();
        self.arena.clear();
    }

    /// The segments become part of the prefix; `raw` is the last key's spelling in the window.
    pub(super) fn prefix_last(&mut self, raw: &str) {
        self.prefix.push('/');
        let key = match self.segs.last() {
            Some(Seg::Kept { start }) => &self.arena[*start..],
            _ => raw,
        };
        escape_into(key, &mut self.prefix);
        self.clear_segs();
    }

    /// Writes the pointer; `raw` gives the text between two positions of the window.
    pub(super) fn render<'t>(&self, raw: impl Fn(usize, usize) -> &'t str) -> String {
        use std::fmt::Write;
        let mut out = self.prefix.clone();
        let mut kept_end = self.arena.len();
        let kept: Vec<&str> = self
            .segs
            .iter()
            .rev()
            .filter_map(|seg| match seg {
                Seg::Kept { start } => {
                    let text = &self.arena[*start..kept_end];
                    kept_end = *start;
                    Some(text)
                }
                _ => None,
            })
            .collect();
        let mut kept = kept.into_iter().rev();
        for seg in &self.segs {
            out.push('/');
            match seg {
                Seg::Raw { start, end } => escape_into(raw(*start, *end), &mut out),
                Seg::Kept { .. } => escape_into(kept.next().unwrap_or_default(), &mut out),
                Seg::Index(index) => {
                    // INVARIANT: writing into a String does not fail.
                    write!(out, "{index}").expect("a string takes what it is given");
                }
            }
        }
        out
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.prefix.capacity() + self.segs.capacity() * size_of::<Seg>() + self.arena.capacity()
    }
}

/// RFC 6901, section 3.
pub(super) fn escape_into(key: &str, out: &mut String) {
    if memchr::memchr2(b'~', b'/', key.as_bytes()).is_none() {
        out.push_str(key);
        return;
    }
    for character in key.chars() {
        match character {
            '~' => out.push_str("~0"),
            '/' => out.push_str("~1"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_escape_tilde_and_slash_and_mix_all_segments() {
        let mut pointer = Pointer::default();
        pointer.prefix_last("a/b");
        pointer.prefix_index(7);
        pointer.push(Seg::Raw { start: 0, end: 3 });
        pointer.push_kept("m~n");
        pointer.push(Seg::Index(0));
        pointer.set_index(2);
        pointer.push_kept("[REDACTED:pii]#2");
        assert_eq!(pointer.render(|from, to| &"key"[from..to]), "/a~1b/7/key/m~0n/2/[REDACTED:pii]#2");
        pointer.pop();
        pointer.pop();
        pointer.pop();
        assert_eq!(pointer.render(|from, to| &"key"[from..to]), "/a~1b/7/key");
    }
}
