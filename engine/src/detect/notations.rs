//! Rarer notations of a name and its value: comparisons, tables, forms, defaults of templates, what a sentence tells late.
//!
//! Knows notations only; must never judge whether a value is a secret, but where a sentence tells it.

use super::rarity::{self, Invitation};
use super::value_span::{Value, heredoc, line_start, name_byte, quoted, spoken_word};

/// What stands between a secret's name and the secret in a sentence.
pub(super) const VERBS: &[&[u8]] = &[
    b"is ",
    b"was ",
    b"is: ",
    b"are ",
    b"set to ",
    b"value ",
    b"was set to ",
    b"is set to ",
    b"has been set to ",
    b"has been set to: ",
    b"was changed to ",
    b"has been changed to ",
    b"changed to ",
    b"lautet ",
    b"lautet: ",
    b"ist ",
    b"est ",
    b"es ",
    b"is now ",
    "é ".as_bytes(),
    "è ".as_bytes(),
    "→ ".as_bytes(),
    b"=> ",
];

/// Bytes of a sentence between a secret's name and what tells it.
const LATE_MAX: usize = 48;

/// `password for admin: x`, `password (change it!): x`, `Kennwort für den Benutzer admin ist: x`: only what was drawn.
pub(super) fn told_later(bytes: &[u8], at: usize) -> Option<Value> {
    let near = &bytes[at..bytes.len().min(at + LATE_MAX)];
    let line = near
        .iter()
        .position(|b| matches!(b, b'\n' | b'\r' | b'"' | b'=' | b',' | b';'))
        .unwrap_or(near.len());
    let words = &near[..line];
    // A sentence, not a list of names.
    let opens = words.first() == Some(&b'(')
        || [&b"for "[..], b"of ", b"to ", b"f\xc3\xbcr ", b"pour ", b"para ", b"von ", b"de ", b"from "]
            .iter()
            .any(|head| words.starts_with(head));
    if !opens {
        return None;
    }
    let signs = [&b": "[..], b" is ", b" ist ", b" est ", b" es "];
    let found = signs.iter().filter_map(|sign| Some(memchr::memmem::find(words, sign)? + sign.len())).min();
    let start = at
        + match found {
            Some(found) => found,
            // `changed from x`.
            None if words.starts_with(b"from ") => b"from ".len(),
            None => return None,
        };
    let len = spoken_word(&bytes[start..]);
    let word = &bytes[start..start + len];
    let end = start + len - word.iter().rev().take_while(|b| matches!(b, b'.' | b'!' | b'?')).count();
    let word = &bytes[start..end];
    let plain = !word.iter().any(|b| b"{}[]|:=".contains(b)) && !word.starts_with(b"-");
    let drawn = word.len() >= 10 && rarity::drawn(word, Invitation::Key) && rarity::generated(word);
    (plain && (drawn || made_up(word))).then_some(Value { start, end, quoted: true })
}

/// A word of letters of both cases or with a sign, and a digit.
pub(super) fn made_up(word: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| word.iter().any(class);
    let mixed =
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) || has(|b| b"!@#$%^&*+?~".contains(b));
    word.len() >= 8 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && mixed
}

/// `&lt;password&gt;x&lt;/password&gt;`: an element inside of another one's text.
fn escaped_element(bytes: &[u8], from: usize, to: usize) -> Option<Value> {
    const OPEN: &[u8] = b"&lt;";
    let inside = bytes[to..].strip_prefix(b"&gt;").filter(|_| bytes[..from].ends_with(OPEN))?;
    let start = bytes.len() - inside.len();
    let end = start + memchr::memmem::find(&inside[..inside.len().min(512)], OPEN)?;
    (start < end).then_some(Value { start, end, quoted: true })
}

/// `{p;w}` of ODBC: braces quote what holds a separator.
pub(super) fn braced(bytes: &[u8], at: usize) -> Option<Value> {
    // Longer than any password; a brace that nothing closes is not looked for to the end of the text.
    const BRACED_MAX: usize = 4_096;
    let rest = bytes.get(at..)?.strip_prefix(b"{")?;
    let near = &rest[..rest.len().min(BRACED_MAX)];
    let len = memchr::memchr3(b'}', b'\n', b'"', near).filter(|n| *n > 0 && rest[*n] == b'}')?;
    let ends = rest.get(len + 1).is_none_or(|b| b";\"'`\n\r <".contains(b));
    let plain = !matches!(rest[0], b'{' | b' ') && !rest[..len].contains(&b':');
    (ends && plain).then_some(Value { start: at + 1, end: at + 1 + len, quoted: true })
}

/// A name and the sign that assigns to it.
pub(super) fn next_name(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at..bytes.len().min(at + 64)];
    let name = rest.iter().take_while(|b| name_byte(**b)).count();
    let blanks = rest[name..].iter().take_while(|b| **b == b' ').count();
    name > 0 && matches!(rest.get(name + blanks), Some(b'=' | b':'))
}

/// `orbitcopper63`: words written together, and a number.
pub(super) fn chosen(word: &[u8]) -> bool {
    let digits = word.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let letters = &word[..word.len() - digits];
    (2..=4).contains(&digits) && letters.len() >= 8 && letters.iter().all(u8::is_ascii_lowercase)
}

/// `HTTP_Passwd orbitcopper63` on a line of its own, as Fluent Bit and Apache write it.
pub(super) fn alone(bytes: &[u8], at: usize) -> Option<Value> {
    let len = spoken_word(&bytes[at..]);
    let word = &bytes[at..at + len];
    let ends = matches!(bytes.get(at + len), None | Some(b'\n' | b'\r'));
    (ends && (chosen(word) || phrase(word) || made_up(word))).then_some(Value {
        start: at,
        end: at + len,
        quoted: true,
    })
}

/// The cell beside the name in a table, or the line below it in a form. `at`: behind the name and its quote.
pub(super) fn beside(bytes: &[u8], from: usize, at: usize) -> Option<Value> {
    const FORM: &[u8] = b"name=\"";
    let before = &bytes[..from];
    let rest = &bytes[at..];
    if let Some(value) = escaped_element(bytes, from, at) {
        return Some(value);
    }
    if before.ends_with(FORM) {
        let blank = [&b"\r\n\r\n"[..], b"\n\n"].into_iter().find(|blank| rest.starts_with(blank))?;
        let start = at + blank.len();
        let len = bytes[start..].iter().take_while(|b| !matches!(b, b'\r' | b'\n')).count();
        return (len > 0).then_some(Value { start, end: start + len, quoted: true });
    }
    if before.trim_ascii_end().last() != Some(&b'|') {
        return None;
    }
    let cell = rest.trim_ascii_start().strip_prefix(b"|")?;
    let end = memchr::memchr2(b'|', b'\n', cell).filter(|n| cell[*n] == b'|')?;
    let text = cell[..end].trim_ascii();
    let lead = cell[..end].len() - cell[..end].trim_ascii_start().len();
    let start = bytes.len() - cell.len() + lead;
    // Headings, rules and words of tables are none.
    let word = !text.iter().any(|b| b.is_ascii_whitespace())
        && text.iter().any(u8::is_ascii_alphanumeric)
        && text.iter().any(|b| b.is_ascii_digit() || b"!#$%^&*?+~".contains(b));
    (word && text.len() >= 6).then_some(Value { start, end: start + text.len(), quoted: true })
}

/// Two signs behind a name: a comparison, or a password that begins with the second one.
pub(super) fn compared(bytes: &[u8], at: usize) -> Option<Value> {
    compared_with(bytes, at).or_else(|| begins_with_sign(bytes, at + 1))
}

/// `password == "x"`: only what has a digit or a sign in it; what is compared with is mostly a word.
fn compared_with(bytes: &[u8], at: usize) -> Option<Value> {
    let signs = bytes[at..].iter().take_while(|b| **b == b'=').count();
    let blanks = bytes[at + signs..].iter().take_while(|b| **b == b' ').count();
    let start = at + signs + blanks;
    let quote = bytes.get(start).copied().filter(|b| matches!(b, b'"' | b'\''))?;
    let value = quoted(bytes, start + 1, quote, 0);
    let word = &bytes[value.start..value.end];
    let telling = word.iter().any(|b| b.is_ascii_digit()) && word.iter().any(u8::is_ascii_alphabetic);
    (signs <= 3 && word.len() >= 8 && telling && !word.contains(&b' ')).then_some(value)
}

/// `*p`: an alias of YAML.
pub(super) fn alias(bytes: &[u8], value: &Value) -> bool {
    let name = bytes.get(value.start..value.end).and_then(|alias| alias.strip_prefix(b"*"));
    !value.quoted
        && name.is_some_and(|name| (1..=64).contains(&name.len()) && name.iter().all(|b| name_byte(*b)))
}

/// `password: *p` where `x: &p "…"` stands before: the value at the anchor that an alias names.
pub(super) fn anchored(bytes: &[u8], alias: &Value) -> Option<Value> {
    let name = bytes.get(alias.start + 1..alias.end)?;
    let sign = [b"&", name, b" "].concat();
    let anchor = memchr::memmem::rfind(&bytes[..alias.start], &sign)?;
    let start = anchor + sign.len();
    if let quote @ (b'"' | b'\'') = *bytes.get(start)? {
        return Some(quoted(bytes, start + 1, quote, 0));
    }
    let len = bytes[start..alias.start].iter().take_while(|b| !matches!(b, b'\n' | b'\r')).count();
    let text = bytes[start..start + len].trim_ascii_end();
    (!text.is_empty()).then_some(Value { start, end: start + text.len(), quoted: true })
}

/// `PASSWORD==lfjDGJ`: the second sign begins the password, when nobody compares.
fn begins_with_sign(bytes: &[u8], start: usize) -> Option<Value> {
    let len = bytes[start..]
        .iter()
        .take(128)
        .take_while(|b| !b.is_ascii_whitespace() && !b"\"'`;,&|".contains(b))
        .count();
    let word = &bytes[start + 1..start + len.max(1)];
    let plain = word.first().is_some_and(|b| *b != b'=') && !word.iter().any(|b| b"(){}[].".contains(b));
    (plain && (made_up(word) || rarity::generated(word))).then_some(Value {
        start,
        end: start + len,
        quoted: true,
    })
}

/// `copper-rocket-copper-35`: words of a generator of passphrases.
pub(super) fn phrase(word: &[u8]) -> bool {
    word.iter().filter(|b| **b == b'-').count() >= 2 && word.last().is_some_and(u8::is_ascii_digit)
}

/// `token "x"` in a sentence: only what nobody writes.
pub(super) fn quoted_draw(bytes: &[u8], at: usize) -> Option<Value> {
    let value = quoted(bytes, at + 1, bytes[at], 0);
    let word = &bytes[value.start..value.end];
    let drawn =
        phrase(word) || made_up(word) || rarity::generated(word) || rarity::drawn(word, Invitation::Key);
    (word.len() >= 10 && drawn && !word.iter().any(|b| b" /:{}".contains(b))).then_some(value)
}

/// `ENV NAME value` of a container file, `setenv NAME value` and `set -gx NAME value` of shells.
pub(super) fn variable(bytes: &[u8], from: usize) -> bool {
    // No more is read of a line than the longest of these and its indentation may take.
    let near = from.saturating_sub(64);
    let Some(line) =
        memchr::memrchr(b'\n', &bytes[near..from]).map(|at| near + at + 1).or((near == 0).then_some(0))
    else {
        return false;
    };
    let word = bytes[line..from].trim_ascii();
    matches!(
        word,
        b"ENV" | b"#define" | b"setenv" | b"set -gx" | b"set -x" | b"set -g" | b"set -Ux" | b"set -xg"
    )
}

/// `NAME:` and, deeper on the next line, `value: x`.
pub(super) fn member(bytes: &[u8], from: usize, after: usize) -> Option<Value> {
    let rest = bytes[after..].strip_prefix(b"\n").or_else(|| bytes[after..].strip_prefix(b"\r\n"))?;
    if !line_start(bytes, from) {
        return None;
    }
    let column = bytes[..from].iter().rev().take_while(|b| **b != b'\n').count();
    let depth = rest.iter().take_while(|b| **b == b' ').count();
    let value = rest[depth..].strip_prefix(b"value: ").filter(|_| depth > column)?;
    let start = bytes.len() - value.len();
    if let Some(quote @ (b'"' | b'\'')) = value.first().copied() {
        return Some(quoted(bytes, start + 1, quote, 0));
    }
    let len = value.iter().take_while(|b| !matches!(b, b'\n' | b'\r')).count();
    Some(Value { start, end: start + len, quoted: false })
}

/// What stands before a quote and belongs to it: `b'x'` of Python, `N'x'` of SQL, `@"x"` of C#, `$'x'` of a shell, `Sensitive('x')` of Puppet. Its length.
pub(super) fn before_quote(rest: &[u8]) -> usize {
    const HEADS: &[&[u8]] = &[
        b"b",
        b"r",
        b"u",
        b"f",
        b"rb",
        b"N",
        b"E",
        b"@",
        b"$",
        b"Sensitive(",
        b"SecretStr(",
        b"Secret(",
        b"SecureString(",
        b"sensitive(",
    ];
    let quoted = |head: &&&[u8]| rest.starts_with(head) && matches!(rest.get(head.len()), Some(b'\'' | b'"'));
    HEADS.iter().find(quoted).map_or(0, |head| head.len())
}

/// `''x''` of Nix.
pub(super) fn doubled(bytes: &[u8], at: usize) -> Option<Value> {
    let rest = bytes[at..].strip_prefix(b"''")?;
    let first = rest.first().filter(|b| b.is_ascii_graphic() && !b",;)]}'".contains(b));
    let len = memchr::memmem::find(rest, b"''").filter(|_| first.is_some())?;
    Some(Value { start: at + 2, end: at + 2 + len, quoted: true })
}

/// The text that a template falls back on: `{{ x | default('y') }}`, `${x ? z : "y"}`.
pub(super) fn fallback(bytes: &[u8], at: usize) -> Option<Value> {
    let rest = &bytes[at..];
    let close: &[u8] = match rest {
        [b'{', b'{', ..] => b"}}",
        [b'$', b'{', ..] => b"}",
        // `process.env.NAME || "y"`.
        _ => {
            let len = rest.iter().take(128).take_while(|b| name_byte(**b)).count();
            let quote = otherwise(bytes, at + len).filter(|_| len > 0)?;
            return Some(quoted(bytes, quote + 1, bytes[quote], 0));
        }
    };
    let len = memchr::memmem::find(&rest[..rest.len().min(256)], close)?;
    let inner = &rest[..len];
    let marks = [&b"default('"[..], b"default(\"", b"default \"", b": \"", b": '"];
    let (found, mark) = marks.iter().find_map(|mark| Some((memchr::memmem::rfind(inner, mark)?, mark)))?;
    let start = at + found + mark.len();
    let value = quoted(bytes, start, *mark.last()?, 0);
    (value.end > value.start && value.end <= at + len).then_some(value)
}

/// The name in quotes before `from` is the first argument of a call.
pub(super) fn first_argument(bytes: &[u8], from: usize) -> bool {
    let before = &bytes[from.saturating_sub(4)..from.saturating_sub(1)];
    before.iter().rfind(|b| **b != b' ') == Some(&b'(')
}

/// The quote of what an expression that ends here falls back on: `) or "x"`, `'] || 'x'`, ` ?? "x"`.
pub(super) fn otherwise(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes[at..].trim_ascii_start();
    let rest = rest.strip_prefix(b")").or_else(|| rest.strip_prefix(b"]")).unwrap_or(rest).trim_ascii_start();
    let rest = [&b"||"[..], b"??", b"?:", b"or "].iter().find_map(|sign| rest.strip_prefix(*sign))?;
    let rest = rest.trim_ascii_start();
    matches!(rest.first(), Some(b'"' | b'\'' | b'`')).then_some(bytes.len() - rest.len())
}

/// Longest line or block that is read for what is written into a file, bytes.
const WRITTEN_MAX: usize = 4_096;

/// How much of the line stands before a place.
pub(super) fn line(bytes: &[u8], from: usize) -> usize {
    let near = from.saturating_sub(WRITTEN_MAX);
    from - memchr::memrchr(b'\n', &bytes[near..from]).map_or(near, |n| near + n + 1)
}

/// `echo 'x' > /etc/app/password`, `cat > /run/secrets/token <<EOF`: the file's name, at `from..to`, tells what is written.
pub(super) fn written(bytes: &[u8], from: usize, to: usize) -> Option<Value> {
    let line = from - line(bytes, from);
    let sign = line + memchr::memrchr(b'>', &bytes[line..from])?;
    let path = |b: &u8| name_byte(*b) || b"/~ \"'".contains(b);
    if !bytes[sign + 1..from].iter().all(path) {
        return None;
    }
    let command = bytes[line..sign].trim_ascii_end();
    let command = command.strip_suffix(b">").unwrap_or(command).trim_ascii_end();
    let end = line + command.len();
    if let Some(at) = memchr::memmem::rfind(command, b"<<") {
        return heredoc(bytes, line + at);
    }
    let rest = &bytes[to..bytes.len().min(to + 64)];
    let eol = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    if let Some(at) = memchr::memmem::find(&rest[..eol], b"<<") {
        return heredoc(bytes, to + at);
    }
    let says = [&b"echo "[..], b"printf "].iter().any(|name| memchr::memmem::find(command, name).is_some());
    let last = command.last().copied().filter(|_| says)?;
    if matches!(last, b'"' | b'\'') {
        let open = memchr::memrchr(last, &bytes[line..end - 1])? + line + 1;
        return (open < end - 1).then_some(Value { start: open, end: end - 1, quoted: true });
    }
    let start = line + command.iter().rposition(|b| *b == b' ')? + 1;
    Some(Value { start, end, quoted: false })
}

/// The members of a map behind a name that calls all of them secret: `secrets = { a = "x" }`, `credentials:` and deeper lines.
/// Returns how many bytes were read.
pub(super) fn members(
    bytes: &[u8],
    from: usize,
    to: usize,
    mut found: impl FnMut((usize, usize), Value),
) -> usize {
    let mut at = to;
    while matches!(bytes.get(at), Some(b'"' | b'\'' | b' ' | b'\t' | b':' | b'=')) && at < to + 8 {
        at += 1;
    }
    let limit = bytes.len().min(at + WRITTEN_MAX);
    let braced = bytes.get(at) == Some(&b'{');
    if !braced && (bytes.get(at) != Some(&b'\n') || !line_start(bytes, from)) {
        return 0;
    }
    // Only what begins a line has a column that counts: few blanks stand before it.
    let column = if braced { 0 } else { line(bytes, from) };
    at += 1;
    let begin = at;
    while at < limit {
        let len = bytes[at..limit]
            .iter()
            .position(|b| *b == b'\n' || braced && matches!(b, b',' | b'}' | b'{'))
            .unwrap_or(limit - at);
        let piece = &bytes[at..at + len];
        let depth = piece.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if !braced && depth < len && depth <= column {
            return at - begin;
        }
        if let Some((key, value)) = pair(bytes, at + depth, at + len) {
            found(key, value);
        }
        at += len + 1;
        if braced && matches!(bytes.get(at - 1), Some(b'}' | b'{')) {
            return at - begin;
        }
    }
    limit - begin.min(limit)
}

/// `a = "x"`, `a: x`, `"a": "x"` in a part of a text.
fn pair(bytes: &[u8], from: usize, to: usize) -> Option<((usize, usize), Value)> {
    let quotes = usize::from(matches!(bytes.get(from), Some(b'"' | b'\'')));
    let start = from + quotes;
    let len = bytes[start..to].iter().take_while(|b| name_byte(**b)).count();
    let mut at = start + len + quotes;
    let skip = |at: usize| bytes[at.min(to)..to].iter().take_while(|b| **b == b' ').count();
    at += skip(at);
    if len == 0 || !matches!(bytes[..to].get(at), Some(b'=' | b':')) {
        return None;
    }
    at += 1;
    at += skip(at);
    let first = bytes[..to].get(at).copied()?;
    let value = match first {
        b'"' | b'\'' => quoted(&bytes[..to], at + 1, first, 0),
        _ => {
            let text = bytes[at..to].trim_ascii_end();
            Value { start: at, end: at + text.len(), quoted: false }
        }
    };
    (value.end > value.start).then_some(((start, start + len), value))
}

/// The element behind a flag that is one itself: `"--requirepass", "x"`, and on the next line of a list in YAML (`- --requirepass`).
pub(super) fn argument(bytes: &[u8], from: usize, to: usize) -> Option<Value> {
    if bytes.get(from) != Some(&b'-') || to - from < 4 {
        return None;
    }
    let quote = bytes.get(to).filter(|b| matches!(b, b'"' | b'\''));
    let mut at = to + usize::from(quote.is_some());
    let spaces = |at: usize| at + bytes[at..].iter().take(64).take_while(|b| b.is_ascii_whitespace()).count();
    if quote.is_some() && bytes.get(at) == Some(&b',') {
        at = spaces(at + 1);
        let open = *bytes.get(at).filter(|b| Some(*b) == quote)?;
        let len = memchr::memchr2(open, b'\n', &bytes[at + 1..]).filter(|n| bytes[at + 1 + n] == open)?;
        let value = Value { start: at + 1, end: at + 1 + len, quoted: true };
        return (bytes.get(value.start) != Some(&b'-')).then_some(value);
    }
    if bytes.get(at) != Some(&b'\n') {
        return None;
    }
    let item = spaces(at);
    let value = bytes[item..].strip_prefix(b"- ").map(|_| item + 2)?;
    let line = memchr::memchr(b'\n', &bytes[value..]).map_or(bytes.len(), |n| value + n);
    let text = bytes[value..line].trim_ascii();
    let cut = usize::from(text.len() > 2 && matches!(text[0], b'"' | b'\'') && text.last() == text.first());
    let start = value + bytes[value..line].iter().take_while(|b| b.is_ascii_whitespace()).count() + cut;
    let end = start - cut + text.len() - cut;
    (end > start && bytes[start] != b'-').then_some(Value { start, end, quoted: cut > 0 })
}

/// The words of a wallet (BIP 39) with which a text begins: twelve to twenty-four, in threes, of three to eight letters each.
/// Prose has shorter ones among so many. Where they end.
pub(super) fn mnemonic(text: &[u8]) -> Option<usize> {
    let (mut at, mut count) = (0, 0);
    while count < 25 {
        let len = text[at..].iter().take(9).take_while(|b| b.is_ascii_lowercase()).count();
        if !(3..=8).contains(&len) {
            return None;
        }
        (at, count) = (at + len, count + 1);
        match text.get(at) {
            Some(b' ') if text.get(at + 1).is_some_and(u8::is_ascii_lowercase) => at += 1,
            next => {
                let ends = next.is_none_or(|b| b.is_ascii_whitespace() || b"\"'`,;<".contains(b));
                return (ends && matches!(count, 12 | 15 | 18 | 21 | 24)).then_some(at);
            }
        }
    }
    None
}
