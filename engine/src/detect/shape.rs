//! Exact formats of tokens: a tiny regular language, matched without backtracking and without compiling.
//!
//! `ghp_\a{36,}`: characters stand for themselves, `\x` escapes, `[…]` is a class, `{n}`, `{n,m}`, `{n,}` repeat the
//! class before, `(` and `)` enclose the secret part when it is not the whole. Classes: `\d` digits, `\h` hex in
//! either case, `\l` lower and digits, `\u` upper and digits, `\a` letters and digits, `\w` these and `_`,
//! `\s` these and `-`, `\b` base64, `\U` base64 for URLs with `=`. A class takes as many as it may: what follows a class of variable
//! length must not begin inside it (a test checks all rows).

/// A set of ASCII bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u128);

impl Class {
    pub(super) fn has(self, b: u8) -> bool {
        b < 128 && self.0 >> b & 1 == 1
    }

    fn of(bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(0, |set, &b| set | 1u128 << (b & 127)))
    }

    fn range(self, from: u8, to: u8) -> Self {
        (from..=to).fold(self, |set, b| Self(set.0 | 1u128 << (b & 127)))
    }

    /// Its members, for the makers of examples.
    pub(super) fn members(self) -> impl Iterator<Item = u8> {
        (0..128).filter(move |&b| self.has(b))
    }
}

fn named(b: u8) -> Option<Class> {
    let none = Class(0);
    let digits = none.range(b'0', b'9');
    let alnum = digits.range(b'a', b'z').range(b'A', b'Z');
    Some(match b {
        b'd' => digits,
        b'h' => digits.range(b'a', b'f').range(b'A', b'F'),
        b'l' => digits.range(b'a', b'z'),
        b'u' => digits.range(b'A', b'Z'),
        b'a' => alnum,
        b'w' => Class(alnum.0 | Class::of(b"_").0),
        b's' => Class(alnum.0 | Class::of(b"_-").0),
        b'b' => Class(alnum.0 | Class::of(b"+/").0),
        b'U' => Class(alnum.0 | Class::of(b"_-=").0),
        _ => return None,
    })
}

/// One step of a shape.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(Vec<u8>),
    Run { class: Class, min: usize, max: usize },
    Open,
    Close,
}

/// A parsed shape.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) parts: Vec<Part>,
    /// The byte before must not be a letter or digit.
    pub(super) word_start: bool,
}

/// `{n,}`: as far as the class reaches. The caller accounts for what is read.
pub(super) const RUN_MAX: usize = usize::MAX;

/// Where a shape matched.
pub(super) struct Matched {
    pub(super) end: usize,
    /// The secret part.
    pub(super) inner: (usize, usize),
}

impl Shape {
    /// Parses the notation above. Only the tables of this crate are parsed; a malformed row panics in the first test.
    pub(super) fn parse(notation: &str) -> Self {
        let src = notation.as_bytes();
        let mut parts = Vec::new();
        let mut text = Vec::new();
        let mut i = 0;
        while i < src.len() {
            let (class, next) = match src[i] {
                b'(' | b')' => {
                    flush(&mut parts, &mut text);
                    parts.push(if src[i] == b'(' { Part::Open } else { Part::Close });
                    i += 1;
                    continue;
                }
                b'[' => {
                    let (class, next) = bracket(src, i + 1);
                    (Some(class), next)
                }
                b'\\' => match named(src[i + 1]) {
                    Some(class) => (Some(class), i + 2),
                    None => {
                        text.push(src[i + 1]);
                        (None, i + 2)
                    }
                },
                b => {
                    text.push(b);
                    (None, i + 1)
                }
            };
            i = next;
            if let Some(class) = class {
                flush(&mut parts, &mut text);
                let (min, max, next) = repetition(src, i);
                i = next;
                parts.push(Part::Run { class, min, max });
            }
        }
        flush(&mut parts, &mut text);
        let word_start = match parts.iter().find(|part| **part != Part::Open) {
            Some(Part::Text(t)) => {
                t[0].is_ascii_alphanumeric()
                    && !(t.len() >= 4 && t.iter().any(|b| !b.is_ascii_alphanumeric()))
            }
            _ => true,
        };
        Self { parts, word_start }
    }

    /// Bytes of the shortest match.
    pub(super) fn shortest(&self) -> usize {
        let len = |part: &Part| match part {
            Part::Text(text) => text.len(),
            Part::Run { min, .. } => *min,
            Part::Open | Part::Close => 0,
        };
        self.parts.iter().map(len).sum()
    }

    /// Whether every match holds a run of `len` bytes that tokens are made of: what [`super::glance::Masks::wide`] tells.
    pub(super) fn has_run(&self, len: usize) -> bool {
        let wide = |b: u8| b.is_ascii_alphanumeric() || b"-_/=+.~$%,".contains(&b);
        let mut run = 0;
        for part in &self.parts {
            match part {
                Part::Text(text) => {
                    for b in text {
                        run = if wide(*b) { run + 1 } else { 0 };
                        if run >= len {
                            return true;
                        }
                    }
                }
                Part::Run { class, min, .. } if (0..128).all(|b| wide(b) || !class.has(b)) => run += min,
                Part::Run { .. } => run = 0,
                Part::Open | Part::Close => {}
            }
            if run >= len {
                return true;
            }
        }
        false
    }

    /// Matches at `start` exactly. The byte behind the match must not continue its last class.
    ///
    /// # Errors
    /// No match: the number of bytes that were read to know it.
    pub(super) fn match_at(&self, text: &[u8], start: usize) -> Result<Matched, usize> {
        if self.word_start && start > 0 && glued(text, start) {
            return Err(0);
        }
        let mut at = start;
        let mut inner = (start, 0);
        let mut last = Class(0);
        for part in &self.parts {
            match part {
                Part::Text(t) => {
                    if !text[at..].starts_with(t) {
                        return Err(at - start);
                    }
                    at += t.len();
                    last = Class(0);
                }
                Part::Run { class, min, max } => {
                    let n = text[at..].iter().take(*max).take_while(|b| class.has(**b)).count();
                    if n < *min {
                        return Err(at + n - start);
                    }
                    at += n;
                    last = *class;
                }
                Part::Open => inner.0 = at,
                Part::Close => inner.1 = at,
            }
        }
        if inner.1 == 0 {
            inner.1 = at;
        }
        let open = text.get(at).is_some_and(|&b| b.is_ascii_alphanumeric() && last.has(b));
        if open { Err(at - start) } else { Ok(Matched { end: at, inner }) }
    }
}

/// The byte before `start` belongs to the same word (an escape like `\n` or `%3D` before it does not).
pub(super) fn glued(text: &[u8], start: usize) -> bool {
    if !text[start - 1].is_ascii_alphanumeric() {
        return false;
    }
    let escaped = start >= 2 && text[start - 2] == b'\\' && matches!(text[start - 1], b'n' | b'r' | b't');
    let percent = start >= 3 && text[start - 3] == b'%' && text[start - 2].is_ascii_hexdigit();
    !escaped && !percent
}

fn flush(parts: &mut Vec<Part>, text: &mut Vec<u8>) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}

fn bracket(src: &[u8], mut i: usize) -> (Class, usize) {
    let mut class = Class(0);
    while src[i] != b']' {
        if src[i] == b'\\' {
            class =
                named(src[i + 1]).map_or(class.range(src[i + 1], src[i + 1]), |more| Class(class.0 | more.0));
            i += 2;
        } else if src[i + 1] == b'-' && src[i + 2] != b']' {
            class = class.range(src[i], src[i + 2]);
            i += 3;
        } else {
            class = class.range(src[i], src[i]);
            i += 1;
        }
    }
    (class, i + 1)
}

fn repetition(src: &[u8], i: usize) -> (usize, usize, usize) {
    if src.get(i) != Some(&b'{') {
        return (1, 1, i);
    }
    let mut numbers = [0usize; 2];
    let mut which = 0;
    let mut digits = 0;
    let mut at = i + 1;
    while src[at] != b'}' {
        if src[at] == b',' {
            which = 1;
            digits = 0;
        } else {
            numbers[which] = numbers[which] * 10 + usize::from(src[at] - b'0');
            digits += 1;
        }
        at += 1;
    }
    let max = match (which, digits) {
        (0, _) => numbers[0],
        (_, 0) => RUN_MAX,
        _ => numbers[1],
    };
    (numbers[0], max, at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(notation: &str, text: &str, expected: Option<(usize, usize)>) {
        let shape = Shape::parse(notation);
        let found = (0..text.len()).find_map(|at| shape.match_at(text.as_bytes(), at).ok());
        assert_eq!(found.map(|m| m.inner), expected, "{notation} on {text}");
    }

    #[test]
    fn shapes_match_what_their_notation_says() {
        check(r"ab_\d{3}", "x ab_123", Some((2, 8)));
        check(r"ab_\d{3}", "ab_1234", None);
        check(r"abc_\d{3,}", "xabc_1234", Some((1, 9)));
        check(r"ab_\d{3,}", "xab_1234", None);
        check(r"AK\u{4}", "xAKAAAA", None);
        check(r"AK\u{4}", "\\nAKAAAA", Some((2, 8)));
        check(r"a=([x-z]{2,4});", "a=xyz;", Some((2, 5)));
        check(r"\a{3}\.atl\.\s{4,}", "abc.atl.--__", Some((0, 12)));
    }
}
