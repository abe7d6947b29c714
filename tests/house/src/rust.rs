//! Takes a Rust file apart: what is code, what is comment, what is test.
//!
//! A lexer of four token kinds (comment, string, character, rest), enough to search without being fooled by text in
//! quotes. Must never try to parse more: clippy is there for that.

use crate::SourceFile;

/// A Rust file.
pub struct RustFile {
    /// Relative to the root.
    pub path: String,
    /// As it is.
    pub text: String,
    /// Only the code: comments and the insides of literals are blank, lines and columns (in bytes) are kept.
    pub code: String,
    /// Only the comments, likewise.
    pub comments: String,
    /// As `code`, with tests blank too; all blank in files that are tests.
    pub shipped: String,
}

impl RustFile {
    /// Takes a file apart.
    #[must_use]
    pub fn new(file: SourceFile) -> Self {
        let SourceFile { path, text } = file;
        let (code, comments) = separate(&text);
        let shipped = if is_test(&path) { blank(&code, 0, code.len()) } else { without_tests(&code) };
        Self { path, text, code, comments, shipped }
    }
}

/// Whether a whole file is test code: integration tests, benches, and modules named `tests`.
fn is_test(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| matches!(part, "tests" | "tests.rs" | "benches"))
}

/// 1-based number of the line at a byte offset.
#[must_use]
pub fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

fn separate(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let (mut code, mut comments) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len()));
    let mut at = 0;
    while at < bytes.len() {
        let (kind, len) = token(&bytes[at..], at.checked_sub(1).map(|before| bytes[before]));
        for (index, byte) in bytes[at..at + len].iter().enumerate() {
            let keep = if byte.is_ascii_whitespace() { *byte } else { b' ' };
            // The quotes stay, so that a call with a string can be told from one without.
            let edge = kind == Kind::Literal && (index == 0 || index + 1 == len);
            code.push(if kind == Kind::Code || edge { *byte } else { keep });
            comments.push(if kind == Kind::Comment { *byte } else { keep });
        }
        at += len;
    }
    (String::from_utf8_lossy(&code).into_owned(), String::from_utf8_lossy(&comments).into_owned())
}

/// Kind and length of the token that `rest` begins with.
fn token(rest: &[u8], before: Option<u8>) -> (Kind, usize) {
    if rest.starts_with(b"//") {
        return (Kind::Comment, find(rest, b"\n").unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return (Kind::Comment, block_comment(rest));
    }
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !in_word && let Some(len) = raw_string(rest) {
        return (Kind::Literal, len);
    }
    match rest[0] {
        b'"' => (Kind::Literal, quoted(rest, b'"')),
        // A lifetime has no closing quote after one character.
        b'\'' if rest.get(1) == Some(&b'\\') => (Kind::Literal, quoted(rest, b'\'')),
        b'\'' => match character(&rest[1..]) {
            Some(len) => (Kind::Literal, len + 2),
            None => (Kind::Code, 1),
        },
        _ => (Kind::Code, 1),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Length of `r"…"`, `r#"…"#` and the like, with a `b` or `c` before.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = usize::from(matches!(rest.first(), Some(b'b' | b'c')));
    if rest.get(prefix) != Some(&b'r') {
        return None;
    }
    let hashes = rest[prefix + 1..].iter().take_while(|byte| **byte == b'#').count();
    let opened = prefix + 1 + hashes;
    if rest.get(opened) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let len = find(&rest[opened + 1..], &close).map_or(rest.len(), |len| opened + 1 + len + close.len());
    Some(len)
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Bytes of the one character before a closing quote.
fn character(rest: &[u8]) -> Option<usize> {
    (1..=4).find(|len| rest.get(*len) == Some(&b'\'') && std::str::from_utf8(&rest[..*len]).is_ok_and(one))
}

fn one(text: &str) -> bool {
    text.chars().count() == 1
}

fn blank(code: &str, from: usize, to: usize) -> String {
    let mut bytes = code.as_bytes().to_vec();
    for byte in &mut bytes[from..to] {
        if !byte.is_ascii_whitespace() {
            *byte = b' ';
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Blanks what stands under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut code = code.to_owned();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let at = from + found;
        let end = item_end(&code, at + MARK.len());
        code = blank(&code, at, end);
        from = end;
    }
    code
}

/// The end of the item that begins at `at`: its closing brace, or its semicolon.
pub(crate) fn item_end(code: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            b';' if depth == 0 => return index + 1,
            _ => (),
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str, comments: &str) {
        let (got_code, got_comments) = separate(text);
        assert_eq!((got_code.trim_end(), got_comments.trim()), (code, comments), "{text}");
        assert_eq!(got_code.len(), text.len());
    }

    #[test]
    fn code_comments_and_literals_are_told_apart() {
        check("a // b", "a", "// b");
        check("a /* b /* c */ d */ e", "a                   e", "/* b /* c */ d */");
        check(r#"a("b // c", d)"#, r#"a("      ", d)"#, "");
        check(r#"a("\"", d)"#, r#"a("  ", d)"#, "");
        check(r##"a(r#"" // "#, d)"##, "a(r        #, d)", "");
        check("f::<'a>('b', '\\'', 'c')", "f::<'a>(' ', '  ', ' ')", "");
        check("'{' '\"' '\u{fc}' x", "' ' ' ' '  ' x", "");
        check("for r in b\"x\" {}", "for r in b\" \" {}", "");
    }

    #[test]
    fn tests_are_not_shipped() {
        let text = "fn a() { x() }\n#[cfg(test)]\nmod tests { fn b() { y(\"}\") } }\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}";
        let file = RustFile::new(SourceFile { path: "src/a.rs".to_owned(), text: text.to_owned() });
        for (needle, shipped) in
            [("fn a", true), ("fn b", false), ("fn c", true), ("mod d", false), ("fn e", true)]
        {
            assert_eq!(file.shipped.contains(needle), shipped, "{needle}");
        }
        assert!(
            is_test("engine/src/detect/tests.rs") && is_test("a/tests/b.rs") && !is_test("src/attests.rs")
        );
    }
}
