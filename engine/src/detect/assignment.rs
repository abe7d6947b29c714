//! Secrets by the name before them: `key: value`, `KEY=value`, `--flag value`, XML elements, headers, and the values of
//! keys that only suggest a secret.

use super::inspect::Search;
use super::rarity::{self, Invitation};
use super::{Hint, KeyVerdict, RuleIx, encoded, json, keys, marker, people, structural as rule, tokens};

/// The value of a key that suggests a secret.
pub(super) fn under_key(search: &mut Search<'_>, text: &str, hint: Hint) {
    match hint {
        Hint::Secret(ix) if plausible(text) && !marker::only(text) => search.push(0, text.len(), ix),
        Hint::Connection(ix) => connection(search, text, ix),
        _ => {}
    }
}

/// Not one of the things that stand under such keys without being secret.
fn plausible(text: &str) -> bool {
    let t = text.trim().trim_matches(['"', '\'']);
    let word = t.to_ascii_lowercase();
    let said = [
        "true", "false", "null", "none", "yes", "no", "enabled", "disabled", "enable", "disable", "bearer",
        "jwt", "aws_iam", "iam", "basic", "default", "required", "optional", "on", "off", "any", "all",
        "passwd", "string",
    ];
    if t.len() < 4 && !t.bytes().all(|b| b.is_ascii_digit())
        || t.is_empty()
        || said.contains(&word.as_str())
        || reference(t)
    {
        return false;
    }
    let heads = [
        "arn:",
        "projects/",
        "/subscriptions/",
        "organizations/",
        "ssh-rsa ",
        "ssh-ed25519 ",
        "ecdsa-sha2",
        "-----BEGIN CERT",
        "-----BEGIN PUB",
        "kms:",
        "vault:",
    ];
    if heads.iter().any(|head| t.starts_with(head)) || file_name(t) || resource_id(t) || timestamp(t) {
        return false;
    }
    // What has structure of its own is searched, not taken whole.
    let structured = t.starts_with(['{', '[']) || t.contains('\n') && t.contains(": ");
    !(structured || address_without_secret(t))
}

fn address_without_secret(t: &str) -> bool {
    t.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+')
    })
}

/// `/etc/app/token`, `key.pem`, `./id_rsa`.
fn file_name(t: &str) -> bool {
    let ends = [
        ".pem", ".key", ".crt", ".json", ".yaml", ".yml", ".txt", ".p12", ".pfx", ".tf", ".pub", ".cer",
        ".jks",
    ];
    let plain = t.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/~".contains(&b));
    plain
        && (ends.iter().any(|end| t.ends_with(end))
            || t.starts_with(['/', '~', '.']) && t[1..].contains('/') && words_only(t))
}

/// All parts between separators are words.
fn words_only(t: &str) -> bool {
    t.split(['/', '.', '-', '_', '~']).all(|part| !rarity::drawn(part.as_bytes(), Invitation::Key))
}

/// `vpc-0abc123def4567890`: letters, a dash, 8 or 17 hex digits.
fn resource_id(t: &str) -> bool {
    t.rsplit_once('-').is_some_and(|(head, tail)| {
        matches!(tail.len(), 8 | 17)
            && tail.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && (2..=12).contains(&head.len())
            && head.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    })
}

fn timestamp(t: &str) -> bool {
    let b = t.as_bytes();
    b.len() >= 10 && b[4] == b'-' && b[7] == b'-' && b[..10].iter().all(|c| c.is_ascii_digit() || *c == b'-')
}

/// The value names where the secret is instead of being it: `${var.x}`, `{{ .Values.x }}`, `$DB_PASSWORD`, `<password>`.
pub(super) fn reference(t: &str) -> bool {
    let shell = t.strip_prefix('$').is_some_and(|name| {
        name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
            || name.len() == 1
    });
    let wrapped = t.starts_with("${") && t.ends_with('}')
        || t.starts_with("$(") && t.ends_with(')')
        || t.starts_with("{{") && t.ends_with("}}")
        || t.starts_with("%{") && t.ends_with('}')
        || t.starts_with("<")
            && t.ends_with('>')
            && t.len() > 2
            && t[1..t.len() - 1].bytes().all(|b| b.is_ascii_alphabetic() || b" _-".contains(&b));
    let masked = t.len() >= 3 && (t.bytes().all(|b| b == b'*') || t.bytes().all(|b| b == b'x' || b == b'X'));
    shell || wrapped || masked || t == "(sensitive value)" || t == "<sensitive>" || t == "<redacted>"
}

/// A connection string: the secrets in it where it can be read, all of it where not.
fn connection(search: &mut Search<'_>, text: &str, ix: RuleIx) {
    let mut marked = false;
    marker::each(text.as_bytes(), |_, _| marked = true);
    let readable =
        text.contains("://") || text.contains('=') || text.contains(' ') || text.starts_with(['{', '[']);
    let host = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/,[]".contains(&b))
        && (text.contains('.') || text.contains(':'));
    if !marked && !readable && !host && plausible(text) {
        search.push(0, text.len(), ix);
    }
}

fn name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
}

/// A word that may name a secret stands at `at`. Returns where reading ended.
pub(super) fn at(search: &mut Search<'_>, text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut from = at;
    while from > 0 && name_byte(bytes[from - 1]) && at - from < 128 {
        from -= 1;
    }
    let mut to = at;
    while to < bytes.len() && name_byte(bytes[to]) && to - at < 128 {
        to += 1;
    }
    if to == from {
        return at + 1;
    }
    let name = &text[from..to];
    let verdict = keys::classify(name.trim_start_matches('-'));
    if !json::matters(verdict) {
        return to;
    }
    let strong = matches!(verdict, KeyVerdict::Sensitive(_));
    match value(bytes, from, to, strong) {
        Some(value) if search.spend(value.end - value.start) && take(search, text, verdict, &value) => {
            value.end
        }
        // A value that stays may itself hold assignments (`CONNECTION="Password=…"`): reading goes on inside it.
        _ => to,
    }
}

struct Value {
    start: usize,
    end: usize,
    quoted: bool,
}

/// Finds the value behind a name.
fn value(bytes: &[u8], from: usize, to: usize, strong: bool) -> Option<Value> {
    let mut at = to;
    let get = |i: usize| bytes.get(i).copied();
    // The closing quote or bracket of the name itself: "password": …, ['password'] = …, \"password\": …
    let mut steps = 0;
    while matches!(get(at), Some(b'"' | b'\'' | b']' | b'\\' | b'`')) && steps < 4 {
        at += 1;
        steps += 1;
    }
    let closed = at;
    while matches!(get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    let flag = bytes[from] == b'-';
    let line_start = line_start(bytes, from);
    match (get(at)?, get(at + 1)) {
        (b'=', Some(b'=' | b'~')) | (b':', Some(b':')) => return None,
        (b'=', Some(b'>')) | (b':', Some(b'=')) => at += 2,
        (b'=', _) => at += 1,
        (b':', _) => {
            at += 1;
            if let Some(block) = block_scalar(bytes, from, at) {
                return Some(block);
            }
        }
        (b'>', _) if from > 0 && bytes[from - 1] == b'<' => {
            let end = at + 1 + memchr::memchr(b'<', &bytes[at + 1..])?;
            return Some(Value { start: at + 1, end, quoted: true });
        }
        (b'\'' | b'"', _) if at > closed && strong => {}
        _ if flag && at > to => {}
        _ => return None,
    }
    while matches!(get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    let escapes = bytes[at.min(bytes.len())..].iter().take_while(|b| **b == b'\\').count();
    if let Some(quote @ (b'"' | b'\'' | b'`')) = get(at + escapes) {
        return Some(quoted(bytes, at + escapes + 1, quote, escapes));
    }
    let spaced = line_start && !flag && bytes[to..at].contains(&b':');
    Some(Value { start: at, end: unquoted(bytes, at, spaced), quoted: false })
}

fn line_start(bytes: &[u8], from: usize) -> bool {
    bytes[..from]
        .iter()
        .rev()
        .take_while(|b| **b != b'\n')
        .all(|b| matches!(b, b' ' | b'\t' | b'-' | b'"' | b'\''))
}

fn quoted(bytes: &[u8], start: usize, quote: u8, escapes: usize) -> Value {
    let mut at = start;
    while at < bytes.len() {
        if bytes[at] == b'\\' {
            let run = bytes[at..].iter().take_while(|b| **b == b'\\').count();
            if run == escapes && bytes.get(at + run) == Some(&quote) {
                return Value { start, end: at, quoted: true };
            }
            at += run + usize::from(run % 2 == 1 || escapes > 0);
            continue;
        }
        if bytes[at] == quote && escapes == 0 {
            return Value { start, end: at, quoted: true };
        }
        at += 1;
    }
    Value { start, end: bytes.len(), quoted: true }
}

/// Where a bare value ends: a space, a quote, or a separator that begins the next assignment or ends the list.
fn unquoted(bytes: &[u8], start: usize, spaced: bool) -> usize {
    if let Some(end) = interpolation(bytes, start) {
        return end;
    }
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\n' | b'\r' | b'\0' => break,
            b' ' | b'\t' if !spaced => break,
            b'#' if spaced && at > start && bytes[at - 1] == b' ' => break,
            b'"' | b'\'' | b'`' | b'<' if !spaced => break,
            b')' | b'}' | b']' if !spaced && separates(bytes, at) => break,
            b';' | b',' | b'&' | b'|' if separates(bytes, at) => break,
            _ => {}
        }
        at += 1;
    }
    while at > start && bytes[at - 1] == b' ' {
        at -= 1;
    }
    at
}

/// `${…}`, `$(…)`, `{{…}}`: up to the closing bracket, when nothing follows it.
fn interpolation(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = &bytes[start..];
    let pairs: [(&[u8], &[u8]); 4] = [(b"${", b"}"), (b"$(", b")"), (b"{{", b"}}"), (b"%{", b"}")];
    let (open, close) = pairs.into_iter().find(|(open, _)| rest.starts_with(open))?;
    let end = open.len() + memchr::memmem::find(&rest[open.len()..rest.len().min(256)], close)? + close.len();
    let free = rest.get(end).is_none_or(|b| b.is_ascii_whitespace() || b"\"'`;,&|)}]".contains(b));
    free.then_some(start + end)
}

fn separates(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at + 1..];
    if rest.first().is_none_or(|b| b.is_ascii_whitespace() || b"\"'`;,&|)}]".contains(b)) {
        return true;
    }
    let name = rest.iter().take(64).take_while(|b| name_byte(**b) || **b == b' ').count();
    name > 0 && matches!(rest.get(name), Some(b'=' | b':'))
}

/// `key: |` and `key: >`: the lines that are indented deeper than the key.
fn block_scalar(bytes: &[u8], from: usize, after: usize) -> Option<Value> {
    let rest = &bytes[after..];
    let head = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    if !matches!(rest.get(head), Some(b'|' | b'>')) {
        return None;
    }
    let line = memchr::memchr(b'\n', rest)?;
    if !rest[head + 1..line].iter().all(|b| matches!(b, b'+' | b'-' | b'0'..=b'9' | b' ' | b'\r')) {
        return None;
    }
    let begin = bytes[..from].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let indent = bytes[begin..from].iter().take_while(|b| matches!(b, b' ' | b'-' | b'"')).count();
    let mut at = after + line + 1;
    let start = at + bytes[at..].iter().take_while(|b| **b == b' ').count();
    let mut end = at;
    while at < bytes.len() {
        let next = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        let depth = bytes[at..next].iter().take_while(|b| **b == b' ').count();
        if depth < next - at && depth <= indent {
            break;
        }
        if depth < next - at {
            end = next;
        }
        at = next + 1;
    }
    (start < end).then_some(Value { start, end, quoted: true })
}

/// Pushes the value if it is secret. `true`: all of it is.
fn take(search: &mut Search<'_>, text: &str, verdict: KeyVerdict, value: &Value) -> bool {
    let Some(inner) = text.get(value.start..value.end) else { return false };
    if inner.is_empty() || marker::only(inner) || reference(inner) || !value.quoted && prose(inner) {
        return false;
    }
    match verdict {
        KeyVerdict::Sensitive(ix) => {
            let word = inner.trim_end_matches([',', ';']);
            let said = [
                "true", "false", "null", "none", "nil", "yes", "no", "{", "[", "(", "\\", "|", "string",
                "optional", "required",
            ];
            if said.iter().any(|w| w.eq_ignore_ascii_case(word))
                || inner.starts_with(['{', '[', '(']) && !value.quoted
            {
                return false;
            }
            let ix = if ix == rule::SENSITIVE_KEY { rule::ASSIGNMENT } else { ix };
            search.push(value.start, value.end, ix);
            true
        }
        KeyVerdict::Context(context) => {
            let from = search.scratch.found.len();
            match context.hint {
                Hint::Secret(_) => {
                    let digits = inner.bytes().any(|b| b.is_ascii_digit());
                    if plausible(inner)
                        && inner.len() >= 6
                        && (value.quoted || digits)
                        && !inner.starts_with(['{', '[', '('])
                    {
                        search.push(0, inner.len(), rule::ASSIGNMENT);
                    }
                }
                Hint::Connection(_) => {}
                hint => people::under_key(search, inner, hint),
            }
            for found in &mut search.scratch.found[from..] {
                found.start += value.start;
                found.end += value.start;
            }
            search.scratch.found.len() > from
        }
        KeyVerdict::Plain => false,
    }
}

/// Four or more plain words: somebody explains, nobody assigns.
fn prose(text: &str) -> bool {
    let words = text.split(' ').filter(|w| !w.is_empty());
    let plain = |w: &str| {
        w.trim_end_matches(['.', ',', ';', ':', ')']).bytes().all(|b| b.is_ascii_lowercase() || b == b'\'')
    };
    words.clone().count() >= 5 && words.skip(1).all(plain)
}

/// Schemes of authorization headers, as they stand before the credential.
pub(super) const SCHEMES: &[&[u8]] = &[b"bearer ", b"basic ", b"authtoken "];

/// `Authorization: Bearer …`, `Basic …`: the scheme begins at `start`.
pub(super) fn header(search: &mut Search<'_>, text: &str, start: usize) {
    let bytes = text.as_bytes();
    if start > 0 && bytes[start - 1].is_ascii_alphanumeric() {
        return;
    }
    let Some(space) = memchr::memchr(b' ', &bytes[start..]) else { return };
    let from = start + space + bytes[start + space..].iter().take_while(|b| **b == b' ').count();
    let len =
        bytes[from..].iter().take_while(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b)).count();
    let token = &bytes[from..from + len];
    let before = text[..start].trim_end_matches([' ', '"', '\'', ':', '=']).as_bytes();
    let context = before.len() >= 13 && before[before.len() - 13..].eq_ignore_ascii_case(b"authorization");
    let secret = if bytes[start..start + space].eq_ignore_ascii_case(b"basic") {
        basic(token)
    } else if context {
        len >= 8
    } else {
        len >= 16 && rarity::drawn(token, Invitation::Key) && !tokens::uuid(token)
    };
    if secret {
        search.push(from, from + len, rule::AUTH_HEADER);
    }
}

/// RFC 7617: base64 of `user:password`.
fn basic(token: &[u8]) -> bool {
    token.len() >= 6
        && encoded::tolerant(&encoded::STANDARD, token).is_some_and(|inner| {
            inner.contains(&b':')
                && std::str::from_utf8(&inner).is_ok_and(|t| !t.chars().any(char::is_control))
        })
}
