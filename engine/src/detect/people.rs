//! Data about people: e-mail addresses, telephone, card, account and identity numbers.
//!
//! Numbers need their check digit, or a form that is theirs alone, or a key that names them.

use std::ops::ControlFlow;

use super::gate::is_opened;
use super::gazetteer::Gazetteer;
use super::inspect::Search;
use super::{Hint, announced, checksum, marker, names, national_ids, postal, structural as rule};

/// Top-level names that are none: units of systemd and file names.
const NO_DOMAIN: &[&str] = &[
    "service", "socket", "target", "timer", "mount", "slice", "scope", "path", "png", "jpg", "svg", "js",
    "css", "html", "so", "git",
];

/// Mail domains of machine identities: names of resources, not of people.
const MACHINE_DOMAINS: &[&str] = &["gserviceaccount.com"];

/// E-mail addresses (RFC 5321's practical part, and letters beyond ASCII).
pub(super) fn emails(search: &mut Search<'_>, text: &str) {
    let bytes = text.as_bytes();
    for at in memchr::memchr_iter(b'@', bytes) {
        let local = bytes[..at].iter().rev().take(65).take_while(|b| local_byte(**b)).count();
        let domain = bytes[at + 1..].iter().take(254).take_while(|b| domain_byte(**b)).count();
        let mut end = at + 1 + domain;
        // What is cut at the bound may be cut inside of a character.
        while end > at + 1 && (!text.is_char_boundary(end) || matches!(bytes[end - 1], b'.' | b'-')) {
            end -= 1;
        }
        let mut start = at - local;
        while start < at && matches!(bytes[start], b'.' | b'-' | b'\'' | b'=' | b'/' | b'&' | b'%') {
            start += 1;
        }
        if start == at || local > 64 || !real_domain(&text[at + 1..end]) {
            continue;
        }
        let name = &text[start..at];
        let scp = name == "git"
            || text[end..].starts_with(':')
                && text[end + 1..].starts_with(|c: char| c.is_alphabetic() || c == '/')
                && !name.contains('.');
        if !scp && !in_user_info(search, text, start, at) {
            search.push(start, end, rule::EMAIL);
            addressee(search, text, start);
        }
    }
}

/// `Tamsin Thistlewood <t@e.org>`: who is called so stands before the address (RFC 5322, section 3.4).
fn addressee(search: &mut Search<'_>, text: &str, address: usize) {
    const NAME_MAX: usize = 64;
    let Some(before) = text[..address].strip_suffix('<').map(str::trim_end) else { return };
    let quoted = before.strip_suffix('"');
    let before = quoted.unwrap_or(before);
    let stops = |c: char| {
        if quoted.is_some() {
            c == '"'
        } else {
            matches!(c, ':' | ',' | ';' | '"' | '\n' | '<' | '>' | '=' | '(')
        }
    };
    let from = before.rfind(stops).map_or(0, |at| at + 1);
    let name = before[from..].trim_start();
    let start = before.len() - name.len();
    if (5..=NAME_MAX).contains(&name.len()) && names::whole(&search.rules.core.gazetteer, name) {
        search.push(start, before.len(), rule::PERSON);
    }
}

/// `user@` and `:password@` of an address are its own business.
fn in_user_info(search: &Search<'_>, text: &str, start: usize, at: usize) -> bool {
    let near = start.saturating_sub(2_048);
    let begin = near
        + text.as_bytes()[near..start]
            .iter()
            .rposition(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<' | b'`'))
            .map_or(0, |n| n + 1);
    let before = &text.as_bytes()[begin..start];
    let authority = memchr::memmem::rfind(before, b"://")
        .is_some_and(|n| !before[n + 3..].iter().any(|b| matches!(b, b'/' | b'?' | b'#')));
    authority
        || search.scratch.found.iter().rev().take(64).any(|f| f.end == at && f.rule == rule::URL_PASSWORD)
}

fn local_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"._%+'-".contains(&b) || b >= 0x80
}

fn domain_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || b >= 0x80
}

fn real_domain(domain: &str) -> bool {
    let Some((host, top)) = domain.rsplit_once('.') else { return false };
    let labels =
        host.split('.').all(|label| !label.is_empty() && label.len() <= 63 && !label.starts_with('-'));
    let named = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic() || b >= 0x80)
        || top.starts_with("xn--");
    labels
        && named
        && !NO_DOMAIN.iter().any(|no| no.eq_ignore_ascii_case(top))
        && !MACHINE_DOMAINS.iter().any(|machine| domain.ends_with(machine))
}

pub(super) fn glue(b: Option<&u8>) -> bool {
    b.is_some_and(|b| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/' | b'=' | b'+' | b'@') || *b >= 0x80
    })
}

/// Cards, IBANs, social security and telephone numbers in running text.
pub(super) fn numbers(search: &mut Search<'_>, text: &str, hint: Hint) {
    if matches!(hint, Hint::Public | Hint::Version) {
        return;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let begins = bytes[at].is_ascii_digit() || matches!(bytes[at], b'+' | b'(');
        let assigned = at > 1 && bytes[at - 1] == b'=' && bytes[at - 2] != b'=';
        let word = at > 0 && !assigned && (glue(bytes.get(at - 1)) || matches!(bytes[at - 1], b'-' | b'.'));
        if !begins || word {
            at += 1;
            continue;
        }
        let mut end = at + group(&bytes[at..]);
        if bytes.get(end) == Some(&b'/') && announced::telephone(bytes, at) {
            end += 1 + bytes[end + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        }
        // `…-…-word` and `1.2.3.4.example` are identifiers.
        let mut open =
            glue(bytes.get(end)) || matches!(bytes.get(end), Some(b'-' | b'.')) && glue(bytes.get(end + 1));
        if open && let Some(before) = before_bracket(&bytes[at..end]) {
            (open, end) = (false, at + before);
        }
        if !open {
            number(search, bytes, at, end);
        } else if let Some(ends) = checked_by_letter(bytes, at + usize::from(bytes[at] == b'('), end) {
            search.push(at + usize::from(bytes[at] == b'('), ends, rule::NATIONAL_ID);
        }
        at = end.max(at + 1);
    }
    ibans(search, text);
    letters_and_digits(search, bytes);
}

/// `+49 170 4379078 (24x7)`: where a group of digits ends before a bracket that does not close in it.
pub(super) fn before_bracket(group: &[u8]) -> Option<usize> {
    let open = memchr::memrchr(b'(', group).filter(|open| *open > 1 && group[open - 1] == b' ')?;
    (!group[open..].contains(&b')')).then_some(open - 1)
}

/// No number of a person is written longer.
pub(super) const GROUP_BYTES_MAX: usize = 40;

/// Length of a run of digits with single separators between them.
fn group(bytes: &[u8]) -> usize {
    let mut at = usize::from(matches!(bytes[0], b'+' | b'('));
    let mut end = at;
    while at < bytes.len() && at < GROUP_BYTES_MAX {
        match bytes[at] {
            b'0'..=b'9' => end = at + 1,
            b' ' | b'-' | b'.' | b'(' | b')' if at - end < 2 => {}
            _ => break,
        }
        at += 1;
    }
    end
}

fn shape_of(text: &[u8]) -> ([u8; GROUP_BYTES_MAX], usize) {
    let mut shape = [0; GROUP_BYTES_MAX];
    for (slot, b) in shape.iter_mut().zip(text) {
        *slot = if b.is_ascii_digit() { b'9' } else { *b };
    }
    (shape, text.len().min(GROUP_BYTES_MAX))
}

fn number(search: &mut Search<'_>, bytes: &[u8], start: usize, end: usize) {
    // A bracket that does not close inside of the number is the sentence's.
    let bracket = end > start + 1 && bytes[start] == b'(' && !bytes[start..end].contains(&b')');
    let start = start + usize::from(bracket);
    let text = &bytes[start..end];
    let digits = checksum::digits(text).count();
    let (shape, len) = shape_of(text);
    let form = &shape[..len];
    let plain = form.iter().all(|b| *b == b'9');
    let split = |b: u8| form.contains(&b) && form.iter().all(|c| *c == b'9' || *c == b);
    let card_form = plain && (14..=16).contains(&digits)
        || (split(b' ') || split(b'-')) && (13..=19).contains(&digits) && groups_of_cards(form);
    if card_form && checksum::card(text) {
        search.push(start, end, rule::CARD);
    } else if form == b"999-99-9999" && (checksum::ssn(text) || national_ids::itin(text))
        || form == b"999.999.999-99" && checksum::cpf(text)
        || (form == b"9999 9999 9999" || form == b"9999-9999-9999") && checksum::aadhaar(text)
        || form == b"9 99 99 99 999 999 99" && checksum::nir(text)
        || form == b"999 999 999" && checksum::sin(text)
        || form == b"999.9999.9999.99" && checksum::ahv(text)
        || form == b"99.99.99-999.99" && checksum::belgian(text)
        || matches!(form, b"9.999.999-9" | b"99.999.999-9") && checksum::rut(text)
        || form == b"999999-9999999" && national_ids::korean(text)
        || form == b"9-9999-99999-99-9" && national_ids::thai(text)
        || form == b"999-9999-9999999-9" && national_ids::emirati(text)
        || plain && digits == 18 && checksum::resident(text)
    {
        search.push(start, end, rule::NATIONAL_ID);
    } else if let Some(ix) = announced::number(bytes, start, end, digits) {
        search.push(start, end, ix);
    } else if phone(form, text, digits) || (6..=15).contains(&digits) && announced::telephone(bytes, start) {
        search.push(start, end, rule::PHONE);
    }
}

/// Numbers whose check digit is a letter: a Chilean RUT ends in `K`, a Chinese resident number in `X`.
fn checked_by_letter(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    let text = bytes.get(start..=end + usize::from(bytes.get(end) == Some(&b'-')))?;
    let (form, len) = shape_of(text);
    let ends = start + text.len();
    let found = matches!(&form[..len], b"9.999.999-K" | b"99.999.999-K" | b"9.999.999-k" | b"99.999.999-k")
        && checksum::rut(text)
        || len == 18 && matches!(form[17], b'X' | b'x') && checksum::resident(text);
    (found && !glue(bytes.get(ends))).then_some(ends)
}

/// 4-4-4-4, 4-6-5, 4-6-4 and 19 digits in fours.
fn groups_of_cards(form: &[u8]) -> bool {
    let mut sizes = [0usize; 6];
    let mut n = 0;
    for part in form.split(|b| *b != b'9') {
        if n == sizes.len() {
            return false;
        }
        sizes[n] = part.len();
        n += 1;
    }
    matches!(&sizes[..n], [4, 4, 4, 1..=4] | [4, 6, 4 | 5] | [4, 4, 4, 4, 1..=3])
}

/// E.164 with a plus, and the North American forms that are no other number's.
fn phone(form: &[u8], text: &[u8], digits: usize) -> bool {
    if form.first() == Some(&b'+') {
        return (8..=15).contains(&digits) && text[1] != b'0' && !form.windows(2).any(|w| w == b"..");
    }
    let american = matches!(
        form,
        b"(999) 999-9999" | b"999-999-9999" | b"999.999.9999" | b"1-999-999-9999" | b"(999)999-9999"
    );
    let own = form == b"(999) 999-9999" || form == b"(999)999-9999";
    if !american {
        return false;
    }
    let d: Vec<u32> = checksum::digits(text).collect();
    let d = &d[d.len() - 10..];
    let valid = d[0] >= 2 && d[3] >= 2 && !(d[1] == 1 && d[2] == 1);
    valid && (own || !form.contains(&b'.'))
}

/// `GB82 WEST 1234 …`: country, check digits, and mod 97 over all.
fn ibans(search: &mut Search<'_>, text: &str) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while from + 15 <= bytes.len() {
        let w = &bytes[from..from + 4];
        let head = w[0].is_ascii_uppercase()
            && w[1].is_ascii_uppercase()
            && w[2].is_ascii_digit()
            && w[3].is_ascii_digit();
        let before = from.checked_sub(1).map(|at| bytes[at]);
        if !head || before.is_some_and(|b| b != b'=' && glue(Some(&b)) || b == b'-') {
            from += 1;
            continue;
        }
        let mut end = from + 4;
        let mut at = end;
        let mut n = 4;
        while at < bytes.len() && n < 34 {
            match bytes[at] {
                b'0'..=b'9' | b'A'..=b'Z' => {
                    n += 1;
                    end = at + 1;
                }
                b' ' if bytes[at - 1] != b' ' => {}
                _ => break,
            }
            at += 1;
        }
        // A word behind the number may have been read along: try the ends of groups, longest first.
        while end > from + 14 {
            if !glue(bytes.get(end)) && checksum::iban(&bytes[from..end]) && iban_length(&bytes[from..end]) {
                search.push(from, end, rule::IBAN);
                break;
            }
            end = from + bytes[from..end].iter().rposition(|b| *b == b' ').unwrap_or(0);
        }
        from = end.max(from + 4);
    }
}

/// Lengths of the IBAN registry for the countries that use it most; others need their check digits only.
fn iban_length(text: &[u8]) -> bool {
    let n = text.iter().filter(|b| b.is_ascii_alphanumeric()).count();
    match &text[..2] {
        b"NO" => n == 15,
        b"BE" => n == 16,
        b"NL" | b"DK" | b"FI" => n == 18,
        b"AT" | b"LT" | b"EE" => n == 20,
        b"CH" | b"HR" | b"LV" => n == 21,
        b"GB" | b"DE" | b"IE" | b"BG" => n == 22,
        b"ES" | b"CZ" | b"SE" | b"SK" | b"RO" => n == 24,
        b"PT" => n == 25,
        b"IT" | b"FR" | b"GR" => n == 27,
        b"PL" | b"HU" | b"CY" => n == 28,
        _ => (15..=34).contains(&n),
    }
}

/// Italian codice fiscale and Mexican CURP: their form and check digit are their own.
fn letters_and_digits(search: &mut Search<'_>, bytes: &[u8]) {
    let mut at = 0;
    while at + 16 <= bytes.len() {
        let word = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        let len = bytes[at..].iter().take(19).take_while(|b| word(b)).count();
        let before = at.checked_sub(1).and_then(|n| bytes.get(n));
        let alone = (before == Some(&b'=') || !glue(before)) && !glue(bytes.get(at + len));
        let number = &bytes[at..at + len];
        if alone && (len == 16 && codice_fiscale(number) || len == 18 && national_ids::curp(number)) {
            search.push(at, at + len, rule::NATIONAL_ID);
        }
        at += len.max(1);
    }
}

fn codice_fiscale(number: &[u8]) -> bool {
    let digits = |(at, b): (usize, &u8)| b.is_ascii_digit() == matches!(at, 6 | 7 | 9 | 10 | 12..=14);
    number.iter().enumerate().all(digits) && checksum::codice_fiscale(number)
}

/// Whether a text names a person or an address.
pub(super) fn mentioned(gazetteer: &Gazetteer, text: &str) -> bool {
    let mut any = false;
    let mut first = |from, to| {
        any |= is_opened(text.as_bytes(), from, to);
        if any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    names::each(gazetteer, text, &mut first);
    postal::each(text, first);
    any
}

/// Names and addresses in running text.
pub(super) fn mentions(search: &mut Search<'_>, text: &str) {
    let rules = search.rules;
    let first = search.scratch.found.len();
    let opened = |start, end| is_opened(text.as_bytes(), start, end);
    postal::each(text, |start, end| {
        if opened(start, end) {
            search.push(start, end, rule::POSTAL);
        }
        ControlFlow::Continue(())
    });
    let last = search.scratch.found.len();
    names::each(&rules.core.gazetteer, text, |start, end| {
        // Streets are named after people.
        let streets = &search.scratch.found[first..last];
        if opened(start, end) && !streets.iter().any(|f| f.start < end && start < f.end) {
            search.push(start, end, rule::PERSON);
        }
        ControlFlow::Continue(())
    });
}

/// Whole values under keys that name what they hold.
pub(super) fn under_key(search: &mut Search<'_>, text: &str, hint: Hint) {
    if !owns(hint) {
        return;
    }
    let t = text.trim();
    let digits = t.bytes().filter(u8::is_ascii_digit).count();
    let ix = match hint {
        Hint::Person => {
            // `full_name` is also what registries call a repository's path.
            let form = t.chars().any(char::is_alphabetic) && !t.contains(['/', ':', '@', '=', '$', '{', '_']);
            let role = [
                "administrator",
                "admin",
                "root",
                "system",
                "user",
                "guest",
                "operator",
                "string",
                "text",
                "required",
                "optional",
                "null",
            ]
            .iter()
            .any(|role| role.eq_ignore_ascii_case(t));
            (form && t.len() <= 128 && !role).then_some(rule::PERSON)
        }
        Hint::Named => names::whole(&search.rules.core.gazetteer, t).then_some(rule::PERSON),
        Hint::Phone => {
            let form = t.bytes().all(|b| b.is_ascii_digit() || b" +-().xXext/".contains(&b));
            (form && (6..=17).contains(&digits)).then_some(rule::PHONE)
        }
        Hint::Card => {
            let form = t.bytes().all(|b| b.is_ascii_digit() || b" -.".contains(&b));
            (form && (12..=19).contains(&digits)).then_some(rule::CARD)
        }
        Hint::NationalId => {
            let form =
                t.len() <= 24 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b" -./()".contains(&b));
            (form && digits >= 4).then_some(rule::NATIONAL_ID)
        }
        Hint::Bank => {
            let form = t.len() <= 42 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b" -./".contains(&b));
            (form && digits >= 5).then_some(rule::BANK)
        }
        _ => None,
    };
    if let Some(ix) = ix
        && !marker::only(text)
    {
        search.push(0, text.len(), ix);
    }
}

/// Whether a name like this says that its value belongs to a person.
pub(super) const fn owns(hint: Hint) -> bool {
    matches!(hint, Hint::Person | Hint::Named | Hint::Phone | Hint::Card | Hint::NationalId | Hint::Bank)
}

/// A part of a text, as the value of a key that says this.
pub(super) fn member(search: &mut Search<'_>, text: &str, place: (usize, usize), hint: Hint) {
    let Some(inner) = text.get(place.0..place.1) else { return };
    let from = search.scratch.found.len();
    under_key(search, inner, hint);
    search.shift(from, place.0);
}

/// Numbers that are JSON numbers: only under keys that name them.
pub(super) fn number_leaf(raw: &str, hint: Hint) -> Option<super::RuleIx> {
    let digits = raw.bytes().filter(u8::is_ascii_digit).count();
    let whole = raw.bytes().all(|b| b.is_ascii_digit());
    match hint {
        Hint::Secret(ix) => (digits >= 6 && whole).then_some(ix),
        Hint::Phone => (whole && (7..=15).contains(&digits)).then_some(rule::PHONE),
        Hint::Card => (whole && (12..=19).contains(&digits)).then_some(rule::CARD),
        Hint::NationalId => (whole && digits >= 6).then_some(rule::NATIONAL_ID),
        Hint::Bank => (whole && digits >= 6).then_some(rule::BANK),
        Hint::None | Hint::Rare | Hint::Told(_) => {
            (whole && (15..=16).contains(&digits) && checksum::card(raw.as_bytes())).then_some(rule::CARD)
        }
        _ => None,
    }
}
