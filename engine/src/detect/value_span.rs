//! Where the value behind a name begins and ends: quotes of each kind, bare words, blocks, elements, lists.
//!
//! Knows the notations of configuration files and scripts. Must never judge whether a value is a secret, but where a
//! sentence tells it: there only a word that nobody writes is a value.

use super::{notations, rarity};

/// The span of a value.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Its bounds are certain.
    pub(super) quoted: bool,
}

/// A byte of a name.
pub(super) fn name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
}

/// The colon that is as wide as the letters of Chinese and Japanese, U+FF1A; or a part of it.
pub(super) fn wide_colon(bytes: &[u8], at: usize) -> bool {
    (at.saturating_sub(2)..=at).any(|from| bytes[from..].starts_with("：".as_bytes()))
}

/// Finds the value behind a name.
pub(super) fn value(bytes: &[u8], from: usize, to: usize, strong: bool) -> Option<Value> {
    let mut at = to;
    let get = |i: usize| bytes.get(i).copied();
    // The closing quote or bracket of the name itself: "password": …, ['password'] = …, \"password\": …
    let mut steps = 0;
    let emphasised = from > 0 && bytes[from - 1] == b'*';
    while matches!(get(at), Some(b'"' | b'\'' | b']' | b'\\' | b'`')) || emphasised && get(at) == Some(b'*') {
        at += 1;
        steps += 1;
        if steps == 4 {
            break;
        }
    }
    if let Some(value) = notations::beside(bytes, from, at) {
        return Some(value);
    }
    let closed = at;
    while matches!(get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    let flag = bytes[from] == b'-';
    let line_start = line_start(bytes, from);
    let declared = declared(bytes, closed).filter(|_| closed == to).or_else(|| operator(bytes, at));
    match (get(at)?, get(at + 1)) {
        _ if declared.is_some() => at = declared?,
        (b'=', Some(b'=')) if strong => return notations::compared(bytes, at),
        (b'=', Some(b'=' | b'~')) | (b':', Some(b':')) => return None,
        (b'-', Some(b'>')) if strong && at > closed => at += 2,
        (b'=', Some(b'>')) | (b':', Some(b'=')) => at += 2,
        (b'=', _) => at += 1,
        (0xef, _) if wide_colon(bytes, at) => at += "：".len(),
        (b':', _) => {
            at += 1;
            let below = block_scalar(bytes, from, at).or_else(|| next_line(bytes, from, at));
            if let Some(block) = below.or_else(|| notations::member(bytes, from, at)) {
                return Some(block);
            }
        }
        _ if from > 0 && matches!(bytes[from - 1], b'<' | b':') && element_opens(bytes, from) => {
            return element(bytes, to);
        }
        // `SetEnvironmentVariable("NAME", "value")`.
        (b',', _) if is_parted(&bytes[to..closed]) && notations::first_argument(bytes, from) => at += 1,
        // `os.getenv("NAME") or "value"`, `process.env['NAME'] || 'value'`.
        _ if is_parted(&bytes[to..closed]) && notations::otherwise(bytes, closed).is_some() => {
            at = notations::otherwise(bytes, closed)?;
        }
        (b'\'' | b'"', _) if at > closed && strong => {}
        // `:name "x"` of Clojure.
        (b'"', _) if at > closed && from > 0 && bytes[from - 1] == b':' => {}
        _ if at > to && notations::variable(bytes, from) => {}
        _ if flag && is_parted(&bytes[to..at]) => {}
        (b'\'' | b'"', _) if at > closed && !strong => return notations::quoted_draw(bytes, at),
        _ if at > closed && (strong || numbered(bytes, at)) => {
            return told(bytes, at).or_else(|| notations::alone(bytes, at).filter(|_| strong && line_start));
        }
        _ => return None,
    }
    let equals = bytes[at - 1] == b'=';
    while matches!(get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at += notations::before_quote(&bytes[at.min(bytes.len())..]);
    if let Some(value) = enclosed(bytes, at, equals) {
        return Some(value);
    }
    let spaced = line_start && !flag && bytes[to..at].contains(&b':');
    Some(Value { start: at, end: unquoted(bytes, at, spaced), quoted: false })
}

/// What quotes, a block or braces enclose.
fn enclosed(bytes: &[u8], at: usize, equals: bool) -> Option<Value> {
    let escapes = bytes[at.min(bytes.len())..].iter().take_while(|b| **b == b'\\').count();
    if bytes[at.min(bytes.len())..].starts_with(b"''")
        && let Some(value) = notations::doubled(bytes, at)
    {
        return Some(value);
    }
    if let Some(quote @ (b'"' | b'\'' | b'`')) = bytes.get(at + escapes).copied() {
        if escapes == 0 && bytes[at..].starts_with(&[quote; 3]) {
            return Some(tripled(bytes, at + 3, quote));
        }
        return Some(quoted(bytes, at + escapes + 1, quote, escapes));
    }
    let block = heredoc(bytes, at).or_else(|| notations::fallback(bytes, at));
    block.or_else(|| notations::braced(bytes, at).filter(|_| equals))
}

/// Signs that assign besides `=`, `:`, `:=` and `=>`: of PHP, make, Ruby, Perl. Where the value begins.
fn operator(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let known = [&b".="[..], b"+=", b"?=", b"|=", b"||=", b"//=", b"??=", b"::=", b":::="];
    known.iter().find(|sign| rest.starts_with(sign)).map(|sign| at + sign.len())
}

/// `name string = "x"`, `name: &str = "x"`: the type between a name and its value, and blanks that no attribute of an element
/// has. Where the value begins.
fn declared(bytes: &[u8], at: usize) -> Option<usize> {
    const TYPE_MAX: usize = 32;
    let rest = &bytes[at..];
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let rest = &rest[rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()..];
    let kind = |b: &&u8| b.is_ascii_alphanumeric() || b"_.&*[]<>?!'".contains(b);
    let len = rest.iter().take(TYPE_MAX).take_while(kind).count();
    let sign = rest[len..].strip_prefix(b" = ")?;
    let quoted = matches!(sign.first(), Some(b'"' | b'\'' | b'`'));
    let named = rest.iter().take(len).any(u8::is_ascii_alphabetic) && !rest.starts_with(b"'");
    (named && quoted && bytes.get(at) != Some(&b'=')).then(|| bytes.len() - sign.len())
}

/// A quote or a blank stands between: a bracket alone parts no name from its value (nor does the cheap look think so).
fn is_parted(between: &[u8]) -> bool {
    between.iter().any(|byte| matches!(byte, b'"' | b'\'' | b' ' | b'\t'))
}

pub(super) fn line_start(bytes: &[u8], from: usize) -> bool {
    bytes[..from]
        .iter()
        .rev()
        .take_while(|b| **b != b'\n')
        .all(|b| matches!(b, b' ' | b'\t' | b'-' | b'"' | b'\''))
}

pub(super) fn quoted(bytes: &[u8], start: usize, quote: u8, escapes: usize) -> Value {
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
    let (mut at, mut brackets) = (start, (start, None));
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => at = continued(bytes, at),
            b'\n' | b'\r' | b'\0' => break,
            // Inside of a quoted text a line ends with an escape.
            b'\\'
                if matches!(bytes.get(at + 1), Some(b'n' | b'r')) && notations::next_name(bytes, at + 2) =>
            {
                break;
            }
            b' ' | b'\t' if !spaced => break,
            b'#' if spaced && at > start && bytes[at - 1] == b' ' => break,
            b'\'' if within_word(bytes, at) => {}
            // `PASSWORD=<e=KZ)k+(`: what is not closed in the word is no element.
            b'<' if !closes(bytes, at, &mut brackets) => {}
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

/// A bracket that opens here closes on its line. `known`: up to where that was looked for, and where one closes: brackets that
/// open one behind the other are not each looked for.
fn closes(bytes: &[u8], at: usize, known: &mut (usize, Option<usize>)) -> bool {
    const NEAR: usize = 512;
    if at >= known.0 {
        let near = &bytes[at..bytes.len().min(at + NEAR)];
        let end = memchr::memchr3(b'>', b'\n', b'\r', near);
        let closing = end.filter(|end| near[*end] == b'>').map(|end| at + end);
        *known = (at + end.map_or(near.len(), |end| end + 1), closing);
    }
    known.1.is_some_and(|closing| closing > at)
}

/// `O'Brien`: no quote ends between two letters.
fn within_word(bytes: &[u8], at: usize) -> bool {
    let letter = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphabetic);
    at > 0 && letter(bytes.get(at - 1)) && letter(bytes.get(at + 1))
}

/// A value of a properties file goes on behind a backslash and the next line's indentation; a command's flag does not.
fn continued(bytes: &[u8], at: usize) -> usize {
    let skip = bytes[at + 1..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    if bytes.get(at + 1 + skip).is_some_and(|b| *b != b'-') { at + skip } else { at + 1 }
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

/// A value that YAML has on the line behind its key, indented deeper: one word, and no key, item or comment itself.
fn next_line(bytes: &[u8], from: usize, after: usize) -> Option<Value> {
    let blank = |b: &&u8| matches!(b, b' ' | b'\t' | b'\r');
    let line = after + bytes[after..].iter().take_while(blank).count();
    if bytes.get(line) != Some(&b'\n') || !line_start(bytes, from) {
        return None;
    }
    let column = bytes[..from].iter().rev().take_while(|b| **b != b'\n').count();
    let depth = bytes[line + 1..].iter().take_while(|b| **b == b' ').count();
    let start = line + 1 + depth;
    let len = bytes[start..].iter().take_while(|b| !b.is_ascii_whitespace()).count();
    let rest = bytes[start + len..].iter().take_while(blank).count();
    let alone = matches!(bytes.get(start + len + rest), None | Some(b'\n'));
    let (first, last) = (bytes.get(start)?, bytes.get((start + len).checked_sub(1)?)?);
    let word = len > 0 && !b"-#{[<|>&*!\"'".contains(first) && !b":{[,".contains(last);
    (alone && word && depth > column).then_some(Value { start, end: start + len, quoted: true })
}

/// `<password`, `<db:password`: the name is an element's.
fn element_opens(bytes: &[u8], from: usize) -> bool {
    if bytes[from - 1] == b'<' {
        // `(?<password>…)` and `(?P<password>…)` name a group of a pattern.
        return !(bytes[..from - 1].ends_with(b"(?") || bytes[..from - 1].ends_with(b"(?P"));
    }
    let prefix = bytes[..from - 1].iter().rev().take(32).take_while(|b| name_byte(**b)).count();
    prefix > 0 && from >= prefix + 2 && bytes[from - 2 - prefix] == b'<'
}

/// What an element holds up to the next tag, or its CDATA. Its attributes are others' business.
pub(super) fn element(bytes: &[u8], to: usize) -> Option<Value> {
    let near = &bytes[to..bytes.len().min(to + 512)];
    let close =
        memchr::memchr2(b'>', b'<', near).filter(|n| near[*n] == b'>' && (*n == 0 || near[n - 1] != b'/'))?;
    let start = to + close + 1;
    const DATA: &[u8] = b"<![CDATA[";
    if bytes[start..].starts_with(DATA) {
        let start = start + DATA.len();
        let end = start + memchr::memmem::find(&bytes[start..], b"]]>")?;
        return Some(Value { start, end, quoted: true });
    }
    let end = start + memchr::memchr(b'<', &bytes[start..])?;
    // `<AdministratorPassword><Value>x</Value>` of an answer file of Windows.
    const VALUE: &[u8] = b"<Value>";
    if bytes[start..end].trim_ascii().is_empty() && bytes[end..].starts_with(VALUE) {
        let start = end + VALUE.len();
        let end = start + memchr::memchr(b'<', &bytes[start..])?;
        return Some(Value { start, end, quoted: true });
    }
    Some(Value { start, end, quoted: true })
}

/// `"""…"""` of TOML and Python, without the line breaks inside the quotes.
fn tripled(bytes: &[u8], from: usize, quote: u8) -> Value {
    let end = memchr::memmem::find(&bytes[from..], &[quote; 3]).map_or(bytes.len(), |n| from + n);
    let breaks = |b: &&u8| matches!(b, b'\n' | b'\r' | b' ');
    let start = from + bytes[from..end].iter().take_while(breaks).count();
    let tail = bytes[start..end].iter().rev().take_while(breaks).count();
    Value { start, end: end - tail, quoted: true }
}

/// `<<EOF`, `<<-EOF`, `<<~'EOF'`: the lines up to the one that repeats the word.
pub(super) fn heredoc(bytes: &[u8], at: usize) -> Option<Value> {
    let rest = bytes.get(at..)?.strip_prefix(b"<<")?;
    let lead = rest.iter().take(3).take_while(|b| matches!(b, b'-' | b'~' | b'"' | b'\'')).count();
    let len = rest[lead..].iter().take(64).take_while(|b| name_byte(**b)).count();
    let word = &rest[lead..lead + len];
    let line = at + memchr::memchr(b'\n', &bytes[at..])? + 1;
    if len == 0 {
        return None;
    }
    let mut next = line;
    while next < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[next..]).map_or(bytes.len(), |n| next + n);
        if bytes[next..end].trim_ascii() == word {
            break;
        }
        next = end + 1;
    }
    let end = next.min(bytes.len() + 1) - 1;
    let start = line + bytes[line..].iter().take_while(|b| **b == b' ').count();
    (start < end).then_some(Value { start, end, quoted: true })
}

/// `secret 5 x`: how network devices write that `x` is hashed or encrypted. A word with a digit in it, or there is none.
fn numbered(bytes: &[u8], at: usize) -> bool {
    let line = bytes[at..].iter().take(256).take_while(|b| !matches!(b, b'\n' | b'\r')).count();
    let word = &bytes[at..at + line];
    matches!(word, [b'0' | b'5'..=b'9', b' ', ..]) && word[2..].iter().any(u8::is_ascii_digit)
}

/// The length of the word of a sentence that begins here.
pub(super) fn spoken_word(rest: &[u8]) -> usize {
    let part = |b: &&u8| !b.is_ascii_whitespace() && !b"\"'`,;<>()".contains(b);
    rest.iter().take(256).take_while(part).count()
}

/// Told in words: `password is x`, `password 7 x`, `password x`. Only what no sentence goes on with.
pub(super) fn told(bytes: &[u8], at: usize) -> Option<Value> {
    let rest = &bytes[at..];
    let verb =
        notations::VERBS.iter().filter(|verb| rest.starts_with(verb)).max_by_key(|verb| verb.len()).copied();
    if verb.is_none()
        && let Some(value) = notations::told_later(bytes, at)
    {
        return Some(value);
    }
    let kind = matches!(rest, [b'0' | b'5'..=b'9', b' ', next, ..] if !next.is_ascii_whitespace());
    let start = at + verb.map_or(0, <[u8]>::len) + if kind { 2 } else { 0 };
    let quotes = usize::from(matches!(bytes.get(start), Some(b'"' | b'\'' | b'`')));
    let start = start + quotes;
    if verb.is_some() && quotes > 0 {
        let value = quoted(bytes, start, bytes[start - 1], 0);
        let word = &bytes[start..value.end];
        if word.len() >= 6 && !word.iter().any(|b| b.is_ascii_whitespace()) {
            return Some(value);
        }
    }
    let len = spoken_word(&bytes[start..]);
    let mut end = start + len;
    while end > start && matches!(bytes[end - 1], b'.' | b'?' | b'!' | b':') {
        end -= 1;
    }
    let word = &bytes[start..end];
    let has = |class: fn(&u8) -> bool| word.iter().any(class);
    let phrase = verb.is_some() && notations::phrase(word);
    let number = verb.is_some() && word.len() >= 6 && word.iter().all(u8::is_ascii_digit);
    let chosen = verb.is_some() && notations::chosen(word);
    let drawn = phrase || number || chosen || notations::made_up(word) || rarity::generated(word);
    // Base64 may hold a slash, and ends in `=`.
    let padding = word.iter().rev().take_while(|b| **b == b'=').count();
    let body = &word[..word.len() - padding];
    // An id and its key are joined by a colon: `78fe79c0-…:76a13eaf…`.
    let hex = |part: &[u8]| part.len() >= 16 && part.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    let joined = word.contains(&b':') && word.split(|b| *b == b':').all(hex);
    let path = has(|b| b"{}[]|".contains(b))
        || word.contains(&b':') && !joined
        || body.contains(&b'=') && !(word.len() >= 12 && notations::made_up(word))
        || body.contains(&b'/') && !rarity::drawn(word, rarity::Invitation::Key)
        || word.first() == Some(&b'-')
            && (word.get(1).is_some_and(|b| *b == b'-' || b.is_ascii_lowercase())
                || !notations::made_up(word));
    let alone = bytes.get(start + len).is_none_or(|b| matches!(b, b'\n' | b'\r'));
    (drawn && !path || kind && alone && word.len() >= 4).then_some(Value { start, end, quoted: true })
}

/// The items of a list behind a name: `name: [a, b]`, or lines that begin with a dash. `false`: there is no list.
pub(super) fn items(bytes: &[u8], from: usize, to: usize, mut found: impl FnMut(Value)) -> bool {
    let mut at = to;
    while matches!(bytes.get(at), Some(b'"' | b'\'' | b' ' | b'\t')) && at < to + 8 {
        at += 1;
    }
    if !matches!(bytes.get(at), Some(b':' | b'=')) {
        return false;
    }
    at += 1 + bytes[at + 1..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match bytes.get(at) {
        Some(b'[') => flow(bytes, at + 1, &mut found),
        Some(b'\n' | b'\r') => dashes(bytes, from, at, &mut found),
        _ => false,
    }
}

/// Longest list that is read, bytes.
const LIST_MAX: usize = 16_384;

fn flow(bytes: &[u8], from: usize, found: &mut impl FnMut(Value)) -> bool {
    let limit = bytes.len().min(from + LIST_MAX);
    let mut at = from;
    let mut any = false;
    while at < limit {
        match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => at += 1,
            quote @ (b'"' | b'\'') => {
                let value = quoted(&bytes[..limit], at + 1, quote, 0);
                at = value.end + 1;
                any = true;
                found(value);
            }
            b']' | b'{' | b'[' => break,
            _ => {
                let len =
                    bytes[at..limit].iter().take_while(|b| !matches!(b, b',' | b']' | b'\n' | b'"')).count();
                let tail = bytes[at..at + len].iter().rev().take_while(|b| **b == b' ').count();
                any = true;
                found(Value { start: at, end: at + len - tail, quoted: false });
                at += len.max(1);
            }
        }
    }
    any
}

fn dashes(bytes: &[u8], from: usize, after: usize, found: &mut impl FnMut(Value)) -> bool {
    let begin = bytes[..from].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let column = bytes[begin..from].iter().take_while(|b| **b == b' ').count();
    let limit = bytes.len().min(after + LIST_MAX);
    let mut at = after + memchr::memchr(b'\n', &bytes[after..]).map_or(0, |n| n + 1);
    let mut any = false;
    while at < limit {
        let end = memchr::memchr2(b'\n', b'\r', &bytes[at..limit]).map_or(limit, |n| at + n);
        let line = &bytes[at..end];
        let depth = line.iter().take_while(|b| **b == b' ').count();
        let Some(item) = line[depth..].strip_prefix(b"- ").filter(|_| depth >= column) else { break };
        let item = item.trim_ascii();
        let mapping = item.windows(2).any(|w| w == b": ") || item.ends_with(b":");
        if !mapping && !item.is_empty() {
            let start = end - line.len()
                + depth
                + 2
                + (line[depth + 2..].len() - line[depth + 2..].trim_ascii_start().len());
            let value = match item[0] {
                quote @ (b'"' | b'\'') => quoted(&bytes[..end], start + 1, quote, 0),
                _ => Value { start, end: start + item.len(), quoted: false },
            };
            any = true;
            found(value);
        }
        at = end + 1 + usize::from(bytes.get(end) == Some(&b'\r'));
    }
    any
}
