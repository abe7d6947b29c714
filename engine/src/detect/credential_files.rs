//! Files whose lines keep secrets in known places: Kubernetes secrets, netrc, pgpass, chpasswd.
//!
//! Must never take a line for one of them that lacks the rest of its form.

use super::inspect::Search;
use super::{marker, notations, references, structural as rule};

/// The options of one login module are not longer.
const JAAS_MAX: usize = 8_192;

fn push(search: &mut Search<'_>, text: &str, start: usize, end: usize) {
    let Some(value) = text.get(start..end) else { return };
    let quote = value.starts_with(['"', '\'']) && value.len() >= 2 && value.ends_with(&value[..1]);
    let (start, end) = if quote { (start + 1, end - 1) } else { (start, end) };
    let inner = &text[start..end];
    if !inner.is_empty() && !references::reference(inner) && !marker::only(inner) {
        search.push(start, end, rule::ASSIGNMENT);
    }
}

/// Lines as `(begin, end)`, from an offset on.
fn lines(bytes: &[u8], from: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut at = from;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        let line = (at, if end > at && bytes[end - 1] == b'\r' { end - 1 } else { end });
        at = end + 1;
        Some(line)
    })
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| **b == b' ').count()
}

/// `PlainLoginModule required user_app="x";`: each user's password, up to the semicolon.
pub(super) fn jaas(search: &mut Search<'_>, text: &str, at: usize) {
    const USER: &[u8] = b"user_";
    let bytes = text.as_bytes();
    let end = memchr::memchr(b';', &bytes[at..]).map_or(bytes.len(), |n| at + n).min(at + JAAS_MAX);
    if !search.spend(end - at) {
        return;
    }
    for user in memchr::memmem::find_iter(&bytes[at..end], USER) {
        let Some(equals) = memchr::memchr2(b'=', b'\n', &bytes[at + user..end]) else { return };
        let from = at + user + equals + 1;
        let blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'\\');
        let start = from + bytes[from..end].iter().take(3).take_while(|b| blank(b)).count();
        let len = bytes[start..end].iter().take_while(|b| !blank(b)).count();
        if bytes[from - 1] == b'=' {
            push(search, text, start, start + len);
        }
    }
}

/// A vCard (RFC 6350): names, addresses and days of birth, whatever their form.
pub(super) fn contact_card(search: &mut Search<'_>, text: &str, at: usize) {
    for (from, to) in lines(text.as_bytes(), at) {
        let line = text.get(from..to).unwrap_or("");
        let Some((name, value)) = line.split_once(':').filter(|_| search.spend(line.len())) else { return };
        // `item1.ADR;TYPE=HOME`
        let property = name.split(';').next().unwrap_or("").rsplit('.').next().unwrap_or("");
        let is = |known: &str| known.eq_ignore_ascii_case(property);
        let rule = match () {
            () if ["N", "FN", "NICKNAME"].into_iter().any(is) => rule::PERSON,
            () if ["ADR", "LABEL"].into_iter().any(is) => rule::POSTAL,
            () if ["BDAY", "ANNIVERSARY"].into_iter().any(is) => rule::BIRTH,
            () if is("END") => return,
            () => continue,
        };
        let value = value.trim();
        if value.bytes().any(|b| b.is_ascii_alphanumeric() || !b.is_ascii()) && !marker::only(value) {
            let start = from + line.len() - line[name.len() + 1..].trim_start().len();
            search.push(start, start + value.len(), rule);
        }
    }
}

/// A YAML document with `kind: Secret`: every value below `data` and `stringData`.
pub(super) fn manifest(search: &mut Search<'_>, text: &str, at: usize) {
    let bytes = text.as_bytes();
    let kind = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |n| n + 1);
    let rest = &bytes[at + "kind: Secret".len()..];
    let column = at - kind;
    let alone = rest
        .iter()
        .find(|b| !matches!(b, b' ' | b'\t' | b'"'))
        .is_none_or(|b| matches!(b, b'\n' | b'\r' | b'#'));
    if !alone || !bytes[kind..at].iter().all(|b| matches!(b, b' ' | b'-')) {
        return;
    }
    let begin = memchr::memmem::rfind(&bytes[..at], b"\n---").map_or(0, |n| n + 1);
    let begin = begin
        + lines(bytes, begin)
            .next()
            .map_or(0, |(from, to)| if bytes[from..to].starts_with(b"---") { to + 1 - begin } else { 0 });
    let end = memchr::memmem::find(&bytes[at..], b"\n---").map_or(bytes.len(), |n| at + n);
    if !search.spend(end.saturating_sub(begin)) {
        return;
    }
    let mut inside = false;
    for (from, to) in lines(&bytes[..end], begin) {
        let line = &bytes[from..to];
        let depth = line.iter().take_while(|b| matches!(b, b' ' | b'-')).count();
        if depth >= line.len() {
            continue;
        }
        if depth <= column {
            let name = &line[depth..];
            inside = depth == column && (name.starts_with(b"data:") || name.starts_with(b"stringData:"));
        } else if inside {
            below(search, text, from + indent(line), to);
        }
    }
}

/// A line below `data`: its value, or all of it when it continues a block.
fn below(search: &mut Search<'_>, text: &str, from: usize, to: usize) {
    let line = &text.as_bytes()[from..to];
    let name = line.iter().take_while(|b| b.is_ascii_alphanumeric() || b"._-\"'".contains(b)).count();
    if name > 0 && line.get(name) == Some(&b':') && line.get(name + 1).is_none_or(|b| *b == b' ') {
        let value = name + 1 + line[name + 1..].iter().take_while(|b| **b == b' ').count();
        if !matches!(line.get(value), None | Some(b'|' | b'>' | b'#')) {
            push(search, text, from + value, to);
        }
    } else if line.first() != Some(&b'#') {
        push(search, text, from, to);
    }
}

/// Words of a netrc file, with where they stand.
fn words(text: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut at = from;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        at += bytes.get(at..)?.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let len = bytes[at..]
            .iter()
            .take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\'' | b'\\'))
            .count();
        let word = (at, text.get(at..at + len)?);
        at += len;
        (len > 0).then_some(word)
    })
}

/// `machine HOST login USER password SECRET`, in any order and over lines.
pub(super) fn netrc(search: &mut Search<'_>, text: &str, start: usize) {
    let mut words = words(text, start);
    if words.next().is_some_and(|(_, word)| word.eq_ignore_ascii_case("machine")) && words.next().is_none() {
        return;
    }
    while let Some((at, word)) = words.next() {
        if !search.spend(word.len()) || !matches!(word, "login" | "password" | "account") {
            return;
        }
        let Some((from, value)) = words.next() else { return };
        if word == "password" && from > at {
            push(search, text, from, from + value.len());
        }
    }
}

/// `"client" * "secret" *`, a line of `chap-secrets` (pppd(8)); what stands behind the client begins at `at`.
pub(super) fn chap(search: &mut Search<'_>, text: &str, at: usize) {
    const BETWEEN: &str = " * \"";
    let start = at + BETWEEN.len();
    let line = text.as_bytes()[..at].iter().rev().take(128).take_while(|b| **b != b'\n').count();
    // The bound may have cut a letter.
    let client = text.get(at - line..at).unwrap_or("").trim_matches('"');
    let word =
        !client.is_empty() && client.bytes().all(|b| b.is_ascii_alphanumeric() || b"._@\\-".contains(&b));
    let Some(end) = text[start..].find(['"', '\n']).map(|len| start + len).filter(|_| word) else { return };
    if text[end..].starts_with("\" ") && search.spend(end - start) {
        push(search, text, start, end);
    }
}

/// `"user" "secret"`, a line of PgBouncer's `userlist.txt`, of which the user's name closes at `at`: what was drawn.
pub(super) fn userlist(search: &mut Search<'_>, text: &str, at: usize) {
    const BETWEEN: &str = "\" \"";
    let start = at + BETWEEN.len();
    let bytes = text.as_bytes();
    let user = bytes[..at]
        .iter()
        .rev()
        .take(64)
        .take_while(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b))
        .count();
    let opens =
        text[..at - user].strip_suffix('"').is_some_and(|before| before.is_empty() || before.ends_with('\n'));
    let Some(end) = text[start..].find(['"', '\n']).map(|len| start + len).filter(|_| opens && user > 0)
    else {
        return;
    };
    let ends = matches!(
        text[end..].strip_prefix('"').map(|rest| rest.chars().next()),
        Some(None | Some('\n' | '\r'))
    );
    if ends && notations::made_up(&bytes[start..end]) && search.spend(end - start) {
        push(search, text, start, end);
    }
}

/// `user:{PLAIN}secret:1000:…` of Dovecot's passwd-file: up to the next field.
pub(super) fn plain(search: &mut Search<'_>, text: &str, start: usize) {
    let rest = &text[start..];
    let end = rest.find([':', ' ', '\n', '\r', '"', '\'', '\t']).map_or(text.len(), |len| start + len);
    if search.spend(end - start) {
        push(search, text, start, end);
    }
}

/// `key 7 022DE914FFB43680` of Cisco's: two digits of a place in a known table, and pairs of hexadecimal digits.
pub(super) fn type_seven(search: &mut Search<'_>, text: &str, start: usize) {
    let hex = text.as_bytes()[start..].iter().take(128).take_while(|b| b.is_ascii_hexdigit()).count();
    let ends = text.as_bytes().get(start + hex).is_none_or(|b| !b.is_ascii_alphanumeric());
    if hex >= 6 && hex.is_multiple_of(2) && ends && search.spend(hex) {
        push(search, text, start, start + hex);
    }
}

/// `host:port:database:user:secret`, the last word of its line.
pub(super) fn pgpass(search: &mut Search<'_>, text: &str, at: usize) {
    let bytes = text.as_bytes();
    let near = at.saturating_sub(512);
    let stops = |b: &u8| matches!(b, b'\n' | b' ' | b'\t' | b'"' | b'\'');
    let start = bytes[near..at].iter().rposition(stops).map_or(near, |n| near + n + 1);
    let line = lines(bytes, start).next().map_or(start, |line| line.1);
    // A quote before it closes behind it.
    let quote = start.checked_sub(1).map(|n| bytes[n]).filter(|b| matches!(b, b'"' | b'\''));
    let closed = quote.and_then(|quote| memchr::memchr(quote, &bytes[start..line])).map(|n| start + n);
    let end = closed.unwrap_or(line);
    let Some(line) = text.get(start..end).filter(|line| line.len() <= 1_024) else { return };
    // A colon may stand escaped in the first four fields.
    let mut colons = [0usize; 4];
    let mut found = 0;
    for (n, b) in line.bytes().enumerate() {
        if b == b':' && (n == 0 || line.as_bytes()[n - 1] != b'\\') && found < 4 {
            colons[found] = n;
            found += 1;
        }
    }
    if found < 4 || line.contains([' ', '\t', '"']) || !search.spend(line.len()) {
        return;
    }
    let host = &line[..colons[0]];
    let port = &line[colons[0] + 1..colons[1]];
    let form = !line[..colons[3]].contains('/')
        && !host.is_empty()
        && !host.starts_with("arn")
        && (port == "*" || port.bytes().all(|b| b.is_ascii_digit()));
    let named = colons.windows(2).all(|pair| pair[1] > pair[0] + 1);
    let secret = &line[colons[3] + 1..];
    if form && named && !port.is_empty() && !secret.is_empty() && secret != "*" {
        push(search, text, start + colons[3] + 1, start + line.len());
    }
}

/// `chpasswd:` of cloud-init with its list, `chpasswd <<EOF`, and `echo user:secret | chpasswd`.
pub(super) fn chpasswd(search: &mut Search<'_>, text: &str, at: usize) {
    let bytes = text.as_bytes();
    let begin = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |n| n + 1);
    let (_, end) = lines(bytes, begin).next().unwrap_or((begin, begin));
    let behind = text.get(at + "chpasswd".len()..end).unwrap_or("");
    let heredoc = behind.contains("<<") && !behind.contains("<<<");
    let yaml = behind.trim_end() == ":";
    if !heredoc && !yaml {
        super::commands::piped(search, text, at);
        return;
    }
    let column = indent(&bytes[begin..]);
    for (from, to) in lines(bytes, end + 1) {
        let line = text.get(from..to).unwrap_or("");
        let ends = if yaml { indent(line.as_bytes()) <= column } else { !line.contains(':') };
        if !line.trim().is_empty() && ends || !search.spend(line.len()) {
            return;
        }
        let body = line.trim_start_matches([' ', '-', '"', '\'']);
        let Some((user, secret)) = body.split_once(':') else { continue };
        let account =
            !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let random = matches!(secret, "R" | "RANDOM");
        if account && !random && !secret.starts_with(' ') && !secret.trim().is_empty() {
            let secret = secret.trim_end_matches(['"', '\'', ' ']);
            let start = to - (line.len() - (line.len() - body.len()) - user.len() - 1);
            push(search, text, start, start + secret.len());
        }
    }
}
