//! Secrets by the name before them: `key: value`, `KEY=value`, `--flag value`, XML elements, headers, and the values of
//! keys that only suggest a secret.

use super::inspect::Search;
use super::rarity::{self, Invitation};
use super::value_span::{self, Value, name_byte, wide_colon};
use super::{
    Hint, KeyContext, KeyVerdict, RuleIx, elsewhere, encoded, json, keys, marker, notations, pairs, people,
    plausible::{file_name, plausible, structured},
    references::{reference, variable_name},
    structural as rule, tables, tokens,
};

/// The value of a key that suggests a secret.
pub(super) fn under_key(search: &mut Search<'_>, text: &str, hint: Hint) {
    match hint {
        Hint::Secret(ix) if plausible(text) && !marker::only(text) => search.push(0, text.len(), ix),
        Hint::Service(ix) if opaque(text) && plausible(text) => search.push(0, text.len(), ix),
        Hint::Member(ix) if made(text) && plausible(text) => search.push(0, text.len(), ix),
        Hint::Connection(ix) => connection(search, text, ix),
        _ => {}
    }
}

/// One word of sixteen characters and more that nobody wrote, perhaps in lines: what a service makes for a key.
fn opaque(text: &str) -> bool {
    let bytes = text.as_bytes();
    // A drawn word may look like a written one by chance; without a joint nobody writes twenty characters with a digit in them,
    // or such as no language has.
    let long = bytes.len() >= 20
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && (bytes.iter().any(u8::is_ascii_digit) || rarity::familiarity(bytes) < 40);
    bytes.len() >= 16
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:+/=\r\n".contains(b))
        && (long || rarity::generated(bytes))
}

/// One word with a digit, a letter and a sign that no name has, or that nobody wrote: a password, not what is said about one.
fn made(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has = |class: fn(&u8) -> bool| bytes.iter().any(class);
    let signed = has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && has(|b| b"!#$^&*?+~%".contains(b))
        && !has(|b| b"/:{}<>()".contains(b));
    let word = !has(u8::is_ascii_whitespace) && (8..=128).contains(&bytes.len());
    word && (signed || has(u8::is_ascii_alphabetic) && opaque(text) && !tokens::uuid(bytes))
}

/// One word with a digit, a letter and a sign that neither a name nor an address has.
fn signed(text: &str) -> bool {
    (8..=128).contains(&text.len())
        && notations::made_up(text.as_bytes())
        && text.bytes().any(|b| b"!#$^&*?+~%@".contains(&b))
        && !text.bytes().any(|b| b.is_ascii_whitespace() || b"./:{}<>()=".contains(&b))
}

/// What is called a key and no more, in a script: a word without joints, as it would be judged where it stands alone.
fn drawn_key(text: &str) -> bool {
    text.len() >= 20
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
        && rarity::drawn(text.as_bytes(), Invitation::Key)
        && plausible(text)
}

/// What is said of a password in place of one, and what begins something else.
#[rustfmt::skip]
const STATED: &[&str] = &[
    "true", "false", "null", "none", "nil", "yes", "no", "{", "[", "(", "\\", "|", "string", "optional", "required",
    "files", "write", "read", "integer", "object", "boolean", "number", "str", "string!", "text", "argon2id", "bcrypt",
    "scrypt", "~", "n/a", "tbd", "unchanged", "hidden", "masked", "omitted", "disabled", "enabled",
    "securestring", "unset", "undefined", "encrypted", "hashed", "expired", "sha512", "sha256", "md5", "date", "obligatoire",
    "obligatoria", "obligatorio", "obrigatória", "obbligatoria", "erforderlich", "requis", "필수",
];

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

/// A word that may name a secret stands at `at`. Returns where reading ended.
pub(super) fn at(search: &mut Search<'_>, text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut from, to) = name_at(bytes, at);
    from += usize::from(from < at && behind_escape(search, text, from, to));
    if to == from {
        return at + 1;
    }
    // The bound may have cut a letter.
    let name = text.get(from..to).unwrap_or("");
    // `java -DNAME=value`.
    let name = name.strip_prefix("-D").unwrap_or_else(|| name.trim_start_matches('-'));
    let (verdict, spoken) = said(search, bytes, (from, to), name);
    if !json::matters(verdict) {
        return to;
    }
    if no_name(bytes, from, to)
        || in_resource_name(bytes, from)
        || elsewhere::assigns_nothing(bytes, from, to)
        || several(search, text, verdict, (from, to))
    {
        return to;
    }
    if let Some(value) = notations::argument(bytes, from, to)
        && search.spend(value.end - to)
        && take(search, text, verdict, &value)
    {
        return value.end;
    }
    if from > 0
        && bytes[from - 1] == b'/'
        && search.spend(notations::line(bytes, from))
        && let Some(value) = notations::written(bytes, from, to)
        && search.spend(value.end - value.start)
        && take(search, text, verdict, &value)
    {
        return to;
    }
    if keys::holds_secrets(name) {
        members(search, text, verdict, (from, to));
    }
    // A variable's name announces a secret in a sentence, too: nobody writes `api_token` when no token follows.
    let suggests = |context: KeyContext| matches!(context.hint, Hint::Secret(_) | Hint::Service(_));
    let variable = matches!(verdict, KeyVerdict::Context(context) if suggests(context)) && name.contains('_');
    let strong = variable || spoken || matches!(verdict, KeyVerdict::Sensitive(_));
    let value = value_span::value(bytes, from, to, strong);
    if value.is_some_and(|value| elsewhere::handed_on(bytes, (from, to), &value)) {
        return to;
    }
    // `The API key is W1ll0w0rb1t7730`: what a sentence tells was no word of it.
    let told = spoken && value.is_some_and(|value| value.quoted && bytes[value.start - 1] == b' ');
    let verdict = if told { keys::hint(Hint::Secret(rule::SUGGESTIVE_KEY)) } else { verdict };
    match aliased(search, bytes, value).or(value) {
        // `AUTH_TOKEN=PRIVATE-TOKEN: …`: a header, whose own name tells what its value is.
        Some(value) if !value.quoted && names_another(search, text, &value) => to,
        Some(value) if search.spend(value.end - value.start) && take(search, text, verdict, &value) => {
            value.end.max(to)
        }
        // A value that stays may itself hold assignments (`CONNECTION="Password=…"`): reading goes on inside it.
        Some(_) => to,
        None => {
            let value = pairs::value(bytes, from, to).or_else(|| behind_noun(bytes, to, verdict));
            if let Some(value) = value
                && search.spend(value.end - value.start)
            {
                take(search, text, verdict, &value);
            }
            to
        }
    }
}

/// What an alias stands for; its anchor may stand anywhere before it.
fn aliased(search: &mut Search<'_>, bytes: &[u8], value: Option<Value>) -> Option<Value> {
    let alias = value.filter(|value| notations::alias(bytes, value) && search.spend(value.start))?;
    notations::anchored(bytes, &alias)
}

/// `\nsecret_key = x` inside of a quoted text: the letter of the escape is none of the name's, which says more without it.
fn behind_escape(search: &mut Search<'_>, text: &str, from: usize, to: usize) -> bool {
    let bytes = text.as_bytes();
    let escape = from > 0 && bytes[from - 1] == b'\\' && matches!(bytes[from], b'n' | b'r' | b't');
    let mut tells = |from: usize| {
        let name = text.get(from..to).unwrap_or("");
        matches!(search.scratch.names.classify(name), KeyVerdict::Sensitive(_))
    };
    escape && tells(from + 1) && !tells(from)
}

/// The items of a list behind a name, or the cells below it. False: there are none.
fn several(search: &mut Search<'_>, text: &str, verdict: KeyVerdict, name: (usize, usize)) -> bool {
    let bytes = text.as_bytes();
    let mut list = Vec::new();
    let listed = value_span::items(bytes, name.0, name.1, |item| list.push(item));
    let owned = matches!(verdict, KeyVerdict::Sensitive(rule::POSTAL | rule::BIRTH))
        || matches!(verdict, KeyVerdict::Context(context) if people::owns(context.hint));
    let read = if listed { 0 } else { tables::column(bytes, name, !owned, |cell| list.push(cell)) };
    if !search.spend(read) || !listed && list.is_empty() {
        return false;
    }
    for item in list {
        if search.spend(item.end - item.start) {
            take(search, text, verdict, &item);
        }
    }
    true
}

/// What a name says of its value, and whether a sentence names it in two words.
fn said(search: &mut Search<'_>, bytes: &[u8], place: (usize, usize), name: &str) -> (KeyVerdict, bool) {
    let verdict = search.scratch.names.classify(name);
    let spoken = !matches!(verdict, KeyVerdict::Sensitive(_)) && spoken(bytes, place.0, name);
    // `user=admin pass=x` assigns: what the name alone suggests holds.
    let assigned = matches!(bytes.get(place.1), Some(b'=' | b':'))
        && matches!(verdict, KeyVerdict::Context(KeyContext { hint: Hint::Secret(_), .. }));
    if spoken && !assigned {
        return (keys::hint(Hint::Service(rule::SUGGESTIVE_KEY)), true);
    }
    (verdict, spoken)
}

/// The name of which a byte stands here. Letters beyond ASCII name too, quotes and blanks beyond it do no harm, a wide colon
/// ends it.
fn name_at(bytes: &[u8], at: usize) -> (usize, usize) {
    let names = |at: usize| name_byte(bytes[at]) || !bytes[at].is_ascii() && !wide_colon(bytes, at);
    let (mut from, mut to) = (at, at);
    while from > 0 && names(from - 1) && at - from < 128 {
        from -= 1;
    }
    while to < bytes.len() && names(to) && to - at < 128 {
        to += 1;
    }
    (from, to)
}

/// The members of a map of secrets, but those that describe one.
fn members(search: &mut Search<'_>, text: &str, verdict: KeyVerdict, name: (usize, usize)) {
    let mut list = Vec::new();
    let read = notations::members(text.as_bytes(), name.0, name.1, |key, value| list.push((key, value)));
    if !search.spend(read) {
        return;
    }
    for (key, value) in list {
        let key = text.get(key.0..key.1).unwrap_or("");
        let silent = search.scratch.names.classify(key) == KeyVerdict::Plain && !keys::describes(key);
        if silent && search.spend(value.end - value.start) {
            take(search, text, verdict, &value);
        }
    }
}

/// `API key`, `Client Secret`: two words of a sentence that name a secret together.
fn spoken(bytes: &[u8], from: usize, last: &str) -> bool {
    let Some(before) = bytes[..from].strip_suffix(b" ") else { return false };
    let len = before.iter().rev().take(16).take_while(|b| b.is_ascii_alphabetic()).count();
    let word = std::str::from_utf8(&before[before.len() - len..]).unwrap_or("");
    keys::is_spoken_pair(word, last)
}

/// `TOKEN 8a5de3a8…`: behind a noun that suggests a secret, with nothing between them, only what was drawn.
fn behind_noun(bytes: &[u8], to: usize, verdict: KeyVerdict) -> Option<Value> {
    let KeyVerdict::Context(context) = verdict else { return None };
    if !matches!(context.hint, Hint::Secret(_)) || bytes.get(to) != Some(&b' ') {
        return None;
    }
    let value = value_span::told(bytes, to + 1)?;
    let word = &bytes[value.start..value.end];
    let drawn = word.len() >= 20
        && word.iter().all(u8::is_ascii_alphanumeric)
        && rarity::drawn(word, Invitation::Key);
    (drawn || tokens::uuid(word)).then_some(value)
}

/// A name that may announce a secret, and its colon.
fn names_another(search: &mut Search<'_>, text: &str, value: &Value) -> bool {
    let value = text.get(value.start..value.end).unwrap_or("");
    let name = value.strip_suffix(':').filter(|name| name.len() > 2 && name.bytes().all(name_byte));
    name.is_some_and(|name| json::matters(search.scratch.names.classify(name)))
}

/// The word is the category of a marker, or the user of an address (`smtp://apikey:…@`).
fn no_name(bytes: &[u8], from: usize, to: usize) -> bool {
    let before = &bytes[..from];
    before.ends_with(b"[REDACTED:")
        || before.ends_with(b"[HASHED:")
        || before.ends_with(b"://") && bytes.get(to) == Some(&b':')
}

/// `secret:` inside of `arn:aws:secretsmanager:…:secret:name`, and of `{{resolve:secretsmanager:…}}`.
fn in_resource_name(bytes: &[u8], from: usize) -> bool {
    let near = &bytes[from.saturating_sub(256)..from];
    let begin = near
        .iter()
        .rposition(|b| b.is_ascii_whitespace() || b"\"'`=,;()[]{}<>".contains(b))
        .map_or(0, |n| n + 1);
    let resolved = || {
        let open = memchr::memmem::rfind(near, b"{{resolve:");
        open.is_some_and(|at| memchr::memmem::find(&near[at..], b"}}").is_none())
    };
    near.last() == Some(&b':') && (near[begin..].starts_with(b"arn:") || resolved())
}

/// Pushes the value if it is secret. `true`: all of it is.
fn take(search: &mut Search<'_>, text: &str, verdict: KeyVerdict, value: &Value) -> bool {
    let Some(inner) = text.get(value.start..value.end) else { return false };
    if inner.is_empty()
        || marker::only(inner)
        || reference(inner)
        || variable_name(inner)
        || inner.starts_with("(?")
    {
        return false;
    }
    if let Some(end) = notations::mnemonic(&text.as_bytes()[value.start..]).filter(|_| json::matters(verdict))
    {
        search.push(value.start, value.start + end, rule::ASSIGNMENT);
        return true;
    }
    if !value.quoted && elsewhere::prose(inner) {
        // `API_KEY: x was taken from the old cluster`: the sentence goes on behind the secret, if its first word is one.
        let word = inner.find(' ').unwrap_or(inner.len());
        let first = Value { end: value.start + word, quoted: true, ..*value };
        return rarity::generated(&inner.as_bytes()[..word]) && take(search, text, verdict, &first);
    }
    if !value.quoted && (powershell_command(inner) || elsewhere::expression(inner))
        || elsewhere::explained(text, value)
        || elsewhere::words_path(inner)
        || elsewhere::kept(inner)
    {
        return false;
    }
    let (inner, value) = match behind_scheme(verdict, inner) {
        Some(skipped) => (&inner[skipped..], &Value { start: value.start + skipped, ..*value }),
        None => (inner, value),
    };
    match verdict {
        KeyVerdict::Sensitive(ix) => {
            let word = inner.trim_end_matches([',', ';', ':', ')']);
            if STATED.iter().any(|w| w.eq_ignore_ascii_case(word))
                || inner.starts_with(['{', '[', '(']) && !value.quoted
                || inner.starts_with("./") && file_name(inner)
                || inner == "@"
                || word.len() == 1 && word.bytes().all(|b| b.is_ascii_digit())
                // Nobody logs in with these (crypt(5)).
                || word.bytes().all(|b| matches!(b, b'!' | b'*'))
            {
                return false;
            }
            let ix = if ix == rule::SENSITIVE_KEY { rule::ASSIGNMENT } else { ix };
            search.push(value.start, value.end, ix);
            true
        }
        KeyVerdict::Context(context) => {
            let from = search.scratch.found.len();
            suggested(search, context.hint, inner, value.quoted);
            search.shift(from, value.start);
            search.scratch.found.len() > from
        }
        KeyVerdict::Plain => false,
    }
}

/// A value whose name only suggests what it is.
fn suggested(search: &mut Search<'_>, hint: Hint, inner: &str, quoted: bool) {
    match hint {
        Hint::Secret(_) => {
            let digits = inner.bytes().any(|b| b.is_ascii_digit());
            if plausible(inner)
                && inner.len() >= 6
                && (quoted || digits || rarity::drawn(inner.as_bytes(), Invitation::Key))
                && !(inner.starts_with('(') || structured(inner))
            {
                search.push(0, inner.len(), rule::ASSIGNMENT);
            }
        }
        Hint::Service(_) if (opaque(inner) || signed(inner)) && plausible(inner) => {
            search.push(0, inner.len(), rule::ASSIGNMENT);
        }
        Hint::Rare if drawn_key(inner) => search.push(0, inner.len(), rule::ASSIGNMENT),
        Hint::Connection(_) | Hint::Service(_) | Hint::Rare => {}
        hint => people::under_key(search, inner, hint),
    }
}

/// `ConvertTo-SecureString`, `Read-Host`: what makes the value, not the value.
fn powershell_command(text: &str) -> bool {
    text.split_once('-').is_some_and(|(verb, noun)| {
        let word = |w: &str| {
            w.starts_with(|c: char| c.is_ascii_uppercase()) && w.bytes().all(|b| b.is_ascii_alphabetic())
        };
        (3..=10).contains(&verb.len()) && noun.len() >= 4 && word(verb) && word(noun)
    })
}

/// `Basic x`, `Bearer x`, `Token x` under a name that only suggests: the scheme says what kind of secret follows, and stays.
fn behind_scheme(verdict: KeyVerdict, text: &str) -> Option<usize> {
    let KeyVerdict::Context(_) = verdict else { return None };
    let (scheme, rest) = text.split_once(' ')?;
    let known =
        ["basic", "bearer", "token", "apikey", "api-key", "key", "ssws", "geniekey", "bot", "negotiate"];
    let one = rest.len() >= 6 && !rest.trim().contains(' ');
    (one && known.iter().any(|k| k.eq_ignore_ascii_case(scheme))).then_some(scheme.len() + 1)
}

/// Schemes of authorization headers, as they stand before the credential.
pub(super) const SCHEMES: &[&[u8]] = &[b"bearer ", b"basic ", b"authtoken ", b"authorization: token "];

/// `Authorization: Bearer …`, `Basic …`: the scheme begins at `start`.
pub(super) fn header(search: &mut Search<'_>, text: &str, start: usize) {
    let bytes = text.as_bytes();
    if start > 0 && bytes[start - 1].is_ascii_alphanumeric() {
        return;
    }
    const NAMED: &[u8] = b"authorization: ";
    let named = bytes[start..].get(..NAMED.len()).is_some_and(|head| head.eq_ignore_ascii_case(NAMED));
    let start = if named { start + NAMED.len() } else { start };
    let Some(space) = memchr::memchr(b' ', &bytes[start..]) else { return };
    let from = start + space + bytes[start + space..].iter().take_while(|b| **b == b' ').count();
    let len =
        bytes[from..].iter().take_while(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b)).count();
    let token = &bytes[from..from + len];
    if token.starts_with(b"--") {
        // The next flag of a command line.
        return;
    }
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
