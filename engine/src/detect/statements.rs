//! Statements of languages whose secret is told by its place: SQL, PowerShell, headers, data source names.
//!
//! Must never take what stands for a value.

use super::inspect::Search;
use super::{Hint, KeyVerdict, elsewhere, keys, marker, people, references, structural as rule};

/// A statement longer than this is read no further.
const REACH: usize = 8_192;

pub(super) fn push(search: &mut Search<'_>, text: &str, start: usize, end: usize) {
    let Some(value) = text.get(start..end) else { return };
    let named = references::reference(value) || references::variable_name(value) || elsewhere::kept(value);
    if !value.is_empty() && !named && !marker::only(value) {
        search.push(start, end, rule::ASSIGNMENT);
    }
}

/// The quoted text that begins at `at`: its inside. Doubled quotes and escapes are part of it.
pub(super) fn quoted(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let quote = *bytes.get(at).filter(|b| matches!(b, b'\'' | b'"'))?;
    let mut to = at + 1;
    while to < bytes.len() && to < at + REACH {
        match bytes[to] {
            b'\\' => to += 2,
            b if b == quote && bytes.get(to + 1) == Some(&quote) && to > at + 1 => to += 2,
            b if b == quote => return Some((at + 1, to)),
            _ => to += 1,
        }
    }
    None
}

/// The same inside of a text that is quoted itself: `\"x\"`.
fn quoted_in_quotes(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    const QUOTE: &[u8] = b"\\\"";
    let inside = bytes.get(at..)?.strip_prefix(QUOTE)?;
    let end = memchr::memmem::find(&inside[..inside.len().min(REACH)], QUOTE)?;
    Some((at + QUOTE.len(), at + QUOTE.len() + end))
}

/// `expect "Password:"; send "x\r"`: what is sent to a prompt for one.
pub(super) fn expect(search: &mut Search<'_>, text: &str, start: usize) {
    const PROMPT: &[u8] = b"assword";
    let bytes = text.as_bytes();
    let near = &bytes[start.saturating_sub(96)..start];
    // The prompt nearest to it: the user's name is sent to another one.
    let prompt = memchr::memmem::rfind(near, b"expect").is_some_and(|at| {
        memchr::memmem::find(&near[at..], PROMPT).is_some()
            && memchr::memmem::find(&near[at..], b"send").is_none()
    });
    let Some(open) = memchr::memchr(b'"', &bytes[start..]).map(|at| start + at).filter(|_| prompt) else {
        return;
    };
    let Some((from, to)) = quoted(bytes, open).filter(|(from, to)| search.spend(to - from)) else { return };
    let ends = memchr::memchr(b'\\', &bytes[from..to]).map_or(to, |at| from + at);
    push(search, text, from, ends);
}

pub(super) fn spaces(bytes: &[u8], at: usize) -> usize {
    at + bytes.get(at..).unwrap_or_default().iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// `IDENTIFIED BY 'x'`, `BY PASSWORD 'hash'`, `BY x`: behind the two words.
pub(super) fn identified(search: &mut Search<'_>, text: &str, from: usize) {
    let bytes = text.as_bytes();
    let mut at = spaces(bytes, from);
    if bytes.get(at..at + 8).is_some_and(|w| w.eq_ignore_ascii_case(b"password")) {
        at = spaces(bytes, at + 8);
    }
    if at == from || !search.spend(at - from) {
        return;
    }
    match quoted(bytes, at).or_else(|| quoted_in_quotes(bytes, at)) {
        Some((start, end)) => push(search, text, start, end),
        None => {
            let end = at
                + bytes[at..]
                    .iter()
                    .take_while(|b| !b.is_ascii_whitespace() && !b";,)\"'".contains(b))
                    .count();
            let value = text.get(at..end).unwrap_or("");
            // Oracle takes a bare word; prose goes on with one.
            if value.bytes().any(|b| b.is_ascii_digit()) && !value.starts_with([':', '&', '?']) {
                push(search, text, at, end);
            }
        }
    }
}

/// `IDENTIFIED WITH caching_sha2_password BY 'x'`: behind the first two words.
pub(super) fn identified_with(search: &mut Search<'_>, text: &str, from: usize) {
    let bytes = text.as_bytes();
    let plugin = bytes[from..]
        .iter()
        .take(64)
        .take_while(|b| b.is_ascii_alphanumeric() || b"_'`\"".contains(b))
        .count();
    let at = spaces(bytes, from + plugin);
    if plugin > 0 && bytes.get(at..at + 3).is_some_and(|by| by.eq_ignore_ascii_case(b"by ")) {
        identified(search, text, at + 2);
    }
}

/// `INSERT INTO t (a, password) VALUES ('x', 'y'), …`: the values under columns that name a secret.
pub(super) fn insert(search: &mut Search<'_>, text: &str, from: usize) {
    let bytes = text.as_bytes();
    let limit = bytes.len().min(from + REACH);
    let Some(open) = memchr::memchr(b'(', &bytes[from..limit.min(from + 256)]).map(|n| from + n) else {
        return;
    };
    let Some(close) = memchr::memchr(b')', &bytes[open..limit]).map(|n| open + n) else { return };
    if !search.spend(close - from) {
        return;
    }
    let told = |column: &str| {
        let said = keys::classify(column.trim().trim_matches(['`', '"', '[', ']']));
        let tells = match said {
            KeyVerdict::Sensitive(_) => true,
            KeyVerdict::Context(context) => {
                matches!(context.hint, Hint::Secret(_)) || people::owns(context.hint)
            }
            KeyVerdict::Plain => false,
        };
        tells.then_some(said)
    };
    let columns: Vec<Option<KeyVerdict>> =
        text.get(open + 1..close).unwrap_or("").split(',').take(128).map(told).collect();
    let mut at = spaces(bytes, close + 1);
    if !columns.iter().any(Option::is_some)
        || !bytes.get(at..at + 6).is_some_and(|w| w.eq_ignore_ascii_case(b"values"))
    {
        return;
    }
    at = spaces(bytes, at + 6);
    while bytes.get(at) == Some(&b'(') {
        let Some(end) = tuple(search, text, at + 1, &columns) else { return };
        at = spaces(bytes, end + 1);
        if bytes.get(at) != Some(&b',') {
            return;
        }
        at = spaces(bytes, at + 1);
    }
}

/// The values of one tuple. Returns where its bracket closes.
fn tuple(search: &mut Search<'_>, text: &str, from: usize, columns: &[Option<KeyVerdict>]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    for column in columns.iter().chain(std::iter::repeat(&None)) {
        at = spaces(bytes, at);
        let next = match quoted(bytes, at) {
            Some((start, end)) => {
                match column {
                    Some(KeyVerdict::Context(context)) if people::owns(context.hint) => {
                        people::member(search, text, (start, end), context.hint);
                    }
                    Some(_) => push(search, text, start, end),
                    None => {}
                }
                end + 1
            }
            None => at + bytes.get(at..)?.iter().take_while(|b| !matches!(b, b',' | b')')).count(),
        };
        if !search.spend(next - at) {
            return None;
        }
        at = spaces(bytes, next);
        match bytes.get(at)? {
            b',' => at += 1,
            b')' => return Some(at),
            _ => return None,
        }
    }
    None
}

/// `ConvertTo-SecureString [-String] 'x' -AsPlainText`: the first quoted text behind it on the line.
pub(super) fn secure_string(search: &mut Search<'_>, text: &str, start: usize) {
    let bytes = text.as_bytes();
    let from = start + "securestring".len();
    let head = start.saturating_sub("convertto-".len());
    if !bytes[head..start].eq_ignore_ascii_case(b"convertto-") {
        return;
    }
    let line = bytes[from..].iter().take(REACH).take_while(|b| **b != b'\n').count();
    if !search.spend(line) {
        return;
    }
    let at = bytes[from..from + line].iter().position(|b| matches!(b, b'\'' | b'"')).map(|n| from + n);
    if let Some((start, end)) = at.and_then(|at| quoted(bytes, at)) {
        push(search, text, start, end);
    }
}

/// Attributes of Set-Cookie (RFC 6265) and what marketing writes into every page.
const PUBLIC_COOKIES: &[&str] = &[
    "path", "domain", "expires", "max-age", "samesite", "version", "comment", "priority", "lang", "locale",
    "theme", "currency", "consent",
];

/// The cookies of a header, up to the end of the line or of the quoted text.
pub(super) fn cookie(search: &mut Search<'_>, text: &str, from: usize) {
    let bytes = text.as_bytes();
    let len = bytes[from..]
        .iter()
        .take(REACH)
        .take_while(|b| !matches!(b, b'\n' | b'\r' | b'"' | b'\'' | b'\\'))
        .count();
    if !search.spend(len) {
        return;
    }
    let mut at = from;
    for part in text.get(from..from + len).unwrap_or("").split(';') {
        if let Some((name, value)) = part.split_once('=') {
            let name = name.trim();
            let public = PUBLIC_COOKIES.iter().any(|p| p.eq_ignore_ascii_case(name));
            let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
            if named && !public && value.trim().len() >= 6 {
                let end = at + part.trim_end().len();
                push(search, text, end - value.trim().len(), end);
            }
        }
        at += part.len() + 1;
    }
}

/// `Digest username="…", …, response="…"` (RFC 7616): who has the response can guess the password at leisure.
pub(super) fn digest(search: &mut Search<'_>, text: &str, from: usize) {
    let bytes = text.as_bytes();
    let len = bytes[from..].iter().take(REACH).take_while(|b| !matches!(b, b'\n' | b'\r')).count();
    if !search.spend(len) {
        return;
    }
    let Some(at) = memchr::memmem::find(&bytes[from..from + len], b"response=").map(|n| from + n + 9) else {
        return;
    };
    let quotes = bytes[at..].iter().take_while(|b| matches!(b, b'\\' | b'"')).count();
    let end = at + quotes + bytes[at + quotes..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
    push(search, text, at + quotes, end);
}

/// `user/password@host` behind `oracle:thin:`.
pub(super) fn slashed(search: &mut Search<'_>, text: &str, from: usize) {
    let bytes = text.as_bytes();
    let len = bytes[from..]
        .iter()
        .take(512)
        .take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\'' | b'<'))
        .count();
    let all = text.get(from..from + len).unwrap_or("");
    let Some(slash) = all.find('/').filter(|n| *n > 0) else { return };
    let Some(sign) = all.find('@').filter(|n| *n > slash) else { return };
    // A password may hold an `@` of its own; the host's is followed by `//` or by nothing more of the kind.
    let sign = all.rfind("@//").or_else(|| all.rfind('@')).unwrap_or(sign);
    if search.spend(len) && sign > slash {
        push(search, text, from + slash + 1, from + sign);
    }
}

/// `user:password@tcp(host:3306)/db`, the data source name of Go's MySQL driver: the sign stands at `sign`.
pub(super) fn dialed(search: &mut Search<'_>, text: &str, sign: usize) {
    let bytes = text.as_bytes();
    let len = bytes[..sign]
        .iter()
        .rev()
        .take(256)
        .take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\'' | b'`'))
        .count();
    let start = sign - len;
    // A scheme may stand before it; what names it ends before the user's name begins.
    let parts = memchr::memchr_iter(b':', &bytes[start..sign]).find(|at| bytes[start + at + 1] != b'/');
    if let Some(colon) = parts
        && search.spend(len)
    {
        push(search, text, start + colon + 1, sign);
    }
}
