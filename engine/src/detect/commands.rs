//! Command lines: which flag or word of which command is a secret.
//!
//! Reads one command of a script, up to its end. Must never take what stands for a value (`$PASSWORD`), and leaves flags
//! whose name says it (`--password x`) to `assignment.rs`.

mod rows;

use super::inspect::Search;
use super::{Hint, KeyVerdict, keys, marker, notations, plausible, references, structural as rule};

/// Where a command keeps its secret.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In the word behind the flag, or in the rest of the flag's word.
    Flag(&'static str),
    /// Only in the rest of the flag's word: with a space it means something else.
    Glued(&'static str),
    /// As [`Place::Flag`], behind the first of this character (`user:password`).
    Behind(&'static str, char),
    /// The word at this place, flags not counted, when it is not the last word of a path or a flag.
    Word(usize),
    /// The word behind the share of a network drive (`\\\\host\\share`), flags not counted.
    Share,
    /// The last word that is no type or number of a key.
    Tail,
    /// The word at this place that is none of SNMP's own words, flags not counted.
    Community(usize),
    /// Behind the slash of the first word that has one (`user/password@host`).
    Slash,
    /// The last word, when a flag's cluster holds this letter.
    Last(char),
    /// The word behind one that names a secret.
    Named,
    /// The word behind it, when there is no other: sentences go on.
    Only,
}

/// A command by its name and the space behind it, and a word that must stand in it (empty: none).
pub(super) struct Command {
    pub(super) name: &'static str,
    needs: &'static str,
    places: &'static [Place],
}

use Place::{Behind, Community, Flag, Glued, Last, Named, Only, Share, Slash, Tail, Word};
pub(super) use rows::COMMANDS;

/// Words that stand beside a community string or key.
const SNMP_WORDS: &[&str] =
    &["0", "6", "7", "traps", "informs", "version", "1", "2c", "3", "auth", "noauth", "priv", "vrf"];

/// Words of one command that are read, and bytes: longer ones are no command line.
const WORDS_MAX: usize = 96;
const BYTES_MAX: usize = 8_192;

/// A word without its quotes.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// The name of a command stands at `start`.
pub(super) fn at(search: &mut Search<'_>, text: &str, start: usize, command: &Command) {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let glued = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if before.is_some_and(glued) && command.name.bytes().next().is_some_and(|b| b == b'-' || glued(b)) {
        return;
    }
    let from = start + command.name.len();
    let (words, end) = words(bytes, from);
    if !search.spend(end - from)
        || !command.needs.is_empty() && !text.get(from..end).is_some_and(|all| all.contains(command.needs))
    {
        return;
    }
    for place in command.places {
        take(search, text, &words, *place);
    }
}

fn take(search: &mut Search<'_>, text: &str, words: &[Span], place: Place) {
    let word = |n: usize| words.get(n).and_then(|w| text.get(w.start..w.end)).unwrap_or("");
    // `/M`, `/user:bob`: a secret in base64 may begin with a slash as well.
    let is_flag = |w: &Span| match text.as_bytes().get(w.start) {
        Some(b'-') => w.end > w.start + 1,
        Some(b'/') => {
            let name = text[w.start + 1..w.end].split(':').next().unwrap_or("");
            (1..=16).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphabetic())
        }
        _ => false,
    };
    match place {
        Flag(flag) | Glued(flag) | Behind(flag, _) => {
            for n in 0..words.len() {
                let glued = matches!(place, Glued(_));
                let Some(value) = flagged(text, words, n, flag, glued) else { continue };
                let cut = match place {
                    Behind(_, c) => match text[value.start..value.end].find(c) {
                        Some(at) => value.start + at + c.len_utf8(),
                        None => continue,
                    },
                    _ => value.start,
                };
                secret(search, text, Span { start: cut, end: value.end });
            }
        }
        Word(nth) => {
            if let Some(w) = words.iter().filter(|w| !is_flag(w)).nth(nth)
                && !names_its_value(&text[w.start..w.end])
            {
                secret(search, text, *w);
            }
        }
        Share | Community(_) | Tail | Only => device(search, text, words, place),
        Slash => {
            let first = words.iter().find(|w| !is_flag(w) && text[w.start..w.end].contains('/'));
            if let Some(w) = first {
                let all = &text[w.start..w.end];
                let slash = all.find('/').unwrap_or(0);
                let to = all.rfind('@').filter(|at| *at > slash).unwrap_or(all.len());
                if slash > 0 && !all[..slash].contains(['.', '\\']) {
                    secret(search, text, Span { start: w.start + slash + 1, end: w.start + to });
                }
            }
        }
        Last(letter) => {
            let batch = (0..words.len()).any(|n| word(n).starts_with('-') && word(n)[1..].contains(letter));
            if let Some(last) = words.last().filter(|w| batch && words.len() >= 3 && !is_flag(w)) {
                secret(search, text, *last);
            }
        }
        Named => {
            for n in 0..words.len().saturating_sub(1) {
                let name = word(n).rsplit(['/', ':']).next().unwrap_or("");
                let named = match keys::classify(name) {
                    KeyVerdict::Sensitive(_) => true,
                    KeyVerdict::Context(context) => {
                        matches!(context.hint, Hint::Secret(_)) && plausible::plausible(word(n + 1))
                    }
                    KeyVerdict::Plain => false,
                };
                if named && !is_flag(&words[n]) && !is_flag(&words[n + 1]) && !word(n).contains('=') {
                    secret(search, text, words[n + 1]);
                }
            }
        }
    }
}

/// `NAME=value`.
fn names_its_value(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./:".contains(&b)))
}

/// Places of drives and network devices, whose words have no flags.
fn device(search: &mut Search<'_>, text: &str, words: &[Span], place: Place) {
    let is = |w: &Span, known: &[&str]| known.iter().any(|k| k.eq_ignore_ascii_case(&text[w.start..w.end]));
    let mut plain = words.iter().filter(|w| !text[w.start..w.end].starts_with('/'));
    let found = match place {
        Only => words.first().filter(|_| words.len() == 1),
        Share => {
            let share = plain.any(|w| text[w.start..w.end].starts_with("\\\\"));
            plain.next().filter(|_| share)
        }
        Community(nth) => {
            plain.filter(|w| !is(w, SNMP_WORDS)).nth(nth).filter(|w| !is(w, &["public", "private"]))
        }
        _ => words.iter().rfind(|w| w.end - w.start > 2),
    };
    if let Some(w) = found {
        secret(search, text, *w);
    }
}

/// The value of a flag that stands in word `n`: `-p x`, `-px`, `--user=x`, `-sSu x`.
fn flagged(text: &str, words: &[Span], n: usize, flag: &str, glued: bool) -> Option<Span> {
    let word = words[n];
    let all = text.get(word.start..word.end)?;
    let cluster = flag.len() == 2
        && all.len() > 2
        && all.starts_with('-')
        && all.ends_with(&flag[1..])
        && all[1..].bytes().all(|b| b.is_ascii_alphabetic());
    if !glued && (all == flag || cluster) {
        return words.get(n + 1).copied();
    }
    let rest = all.strip_prefix(flag)?;
    let long = flag.len() > 2 && !flag.ends_with(':');
    let skip = if long { usize::from(rest.starts_with('=')) } else { 0 };
    if rest.is_empty() || long && skip == 0 {
        return None;
    }
    let quotes = usize::from(rest[skip..].starts_with(['"', '\'']));
    Some(Span { start: word.start + flag.len() + skip + quotes, end: word.end })
}

fn secret(search: &mut Search<'_>, text: &str, span: Span) {
    let Some(value) = text.get(span.start..span.end) else { return };
    // A variable of a shell, a file of curl, the next flag; `$`, `%`, `@` and a dash may as well begin a secret.
    let signs = |b: u8| b"!#^&*+?~%@=".contains(&b);
    let drawn = notations::made_up(value.as_bytes());
    let mut rest = value.bytes().skip(1);
    let (second, lower) = (rest.next(), rest.next().is_some_and(|b| b.is_ascii_lowercase()));
    let stands_for = match value.as_bytes().first() {
        Some(b'$') if drawn && value.bytes().any(signs) => false,
        Some(b'$') => second.is_none_or(|b| {
            b.is_ascii_uppercase() || matches!(b, b'{' | b'(' | b'_') || b.is_ascii_lowercase() && lower
        }),
        // `-pSecret` is a flag and its value.
        Some(b'-') => !drawn || second.is_some_and(|b| b == b'-' || b.is_ascii_lowercase()),
        Some(b'@') => second.is_none_or(|b| matches!(b, b'/' | b'.' | b'-')),
        Some(b'<') => value.ends_with('>'),
        Some(b'*') => value.bytes().all(|b| b == b'*'),
        Some(b'%') => value.ends_with('%'),
        _ => false,
    };
    let stands_for = stands_for || references::reference(value);
    if !value.is_empty() && !stands_for && !marker::only(value) {
        search.push(span.start, span.end, rule::ASSIGNMENT);
    }
}

/// Words up to the end of the command, and where that is.
fn words(bytes: &[u8], from: usize) -> (Vec<Span>, usize) {
    let mut words = Vec::new();
    let limit = bytes.len().min(from + BYTES_MAX);
    let mut at = from;
    while at < limit && words.len() < WORDS_MAX {
        match bytes[at] {
            b' ' | b'\t' => at += 1,
            b'\\' if matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => at += 2,
            b'\n' | b'\r' | b';' | b'|' | b'&' | b'>' | b'`' | b')' => break,
            b'\\' if bytes.get(at + 1) == Some(&b'n') => break,
            // A share of a network drive: its backslashes escape nothing.
            b'\\' if bytes.get(at + 1) == Some(&b'\\') => {
                let len = bytes[at..limit]
                    .iter()
                    .take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\''))
                    .count();
                words.push(Span { start: at, end: at + len });
                at += len;
            }
            // The end of the quoted text that the command stands in.
            b'"' | b'\''
                if words.last().is_some_and(|last: &Span| last.end == at && at > from)
                    && bytes[at - 1] != b' ' =>
            {
                break;
            }
            _ => {
                let (span, next) = word(bytes, at, limit);
                words.push(span);
                if next == at {
                    break;
                }
                at = next;
            }
        }
    }
    (words, at)
}

/// One word, and where reading goes on: whole quotes at its begin fall away, a quote inside `-p"x"` is kept.
fn word(bytes: &[u8], at: usize, limit: usize) -> (Span, usize) {
    if let quote @ (b'"' | b'\'') = bytes[at] {
        let end = memchr::memchr(quote, &bytes[at + 1..limit]).map_or(limit, |n| at + 1 + n);
        return (Span { start: at + 1, end }, (end + 1).min(limit));
    }
    let mut to = at;
    while to < limit {
        match bytes[to] {
            b' ' | b'\t' | b'\n' | b'\r' | b';' | b'|' | b'>' | b'`' => break,
            // The end of `$(openssl passwd x)`: a shell takes no bracket that nobody opened for a letter.
            b')' if !bytes[at..to].contains(&b'(') => break,
            b'\\' if matches!(bytes.get(to + 1), Some(b'\n' | b'n' | b'\r')) => break,
            quote @ (b'"' | b'\'') => {
                // A quote that opens here closes before the line ends; else the word stood inside a quoted text.
                let line = memchr::memchr2(b'\n', b'\r', &bytes[to..limit]).map_or(limit, |n| to + n);
                let close = memchr::memchr(quote, &bytes[to + 1..line]).map(|n| to + 1 + n);
                let glued = to > at && !bytes[to - 1].is_ascii_digit();
                return match close.filter(|_| glued) {
                    Some(close) => (Span { start: at, end: close }, close + 1),
                    None => (Span { start: at, end: to }, limit.min(to)),
                };
            }
            b'$' if matches!(bytes.get(to + 1), Some(b'(' | b'{')) => {
                let close = if bytes[to + 1] == b'(' { b')' } else { b'}' };
                to = memchr::memchr(close, &bytes[to..limit]).map_or(limit, |n| to + n + 1);
            }
            _ => to += 1,
        }
    }
    (Span { start: at, end: to }, to)
}

/// `echo x | command --password-stdin`: the reader stands at `start`, the secret before the pipe; or behind `<<<`.
pub(super) fn piped(search: &mut Search<'_>, text: &str, start: usize) {
    let bytes = text.as_bytes();
    let start = start + usize::from(bytes.get(start) == Some(&b'|'));
    let near = start.saturating_sub(BYTES_MAX);
    let line = memchr::memrchr(b'\n', &bytes[near..start]).map_or(near, |n| near + n + 1);
    if !search.spend(start - line) {
        return;
    }
    let pipe = memchr::memrchr(b'|', &bytes[line..start]).map(|n| line + n);
    if let Some(pipe) = pipe {
        for name in ["echo ", "printf "] {
            let Some(at) = memchr::memmem::rfind(&bytes[line..pipe], name.as_bytes()) else { continue };
            let (words, _) = words(bytes, line + at + name.len());
            let said =
                |w: &&Span| !text[w.start..w.end].starts_with('-') && text[w.start..w.end].trim() != "%s";
            if let Some(word) = words.iter().filter(|w| w.end <= pipe).rfind(said) {
                let all = &text[word.start..word.end];
                // `user:password` for chpasswd.
                let cut =
                    all.find(':').filter(|_| text[start..].starts_with("chpasswd")).map_or(0, |n| n + 1);
                let end = word.end - (all.len() - all.trim_end_matches("\\n").len());
                secret(search, text, Span { start: word.start + cut, end });
            }
        }
    }
    let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |n| start + n);
    if let Some(at) = memchr::memmem::find(&bytes[start..end.min(start + 1_024)], b"<<<") {
        let (words, _) = words(bytes, start + at + 3);
        // The first look wants a blank or a colon where such words stand (`Group::Names`).
        let seen = |word: &&Span| {
            matches!(bytes[word.start - 1], b' ' | b'\t' | b'"' | b'\'')
                || bytes[word.start..word.end].contains(&b':')
        };
        if let Some(word) = words.first().filter(seen) {
            let user = text[word.start..word.end].find(':').filter(|_| text[start..].starts_with("chpasswd"));
            secret(search, text, Span { start: word.start + user.map_or(0, |n| n + 1), ..*word });
        }
    }
}
