//! Identity and routing numbers without a form of their own: believed when a word announces them and their check
//! digits hold.

use super::checksum;
use super::inspect::Search;
use super::people::glue;
use super::{RuleIx, national_ids, structural as rule};

/// How many digits, the words before them, the check, the rule.
pub(super) struct Row {
    digits: usize,
    words: &'static [&'static str],
    check: fn(&[u8]) -> bool,
    rule: RuleIx,
}

pub(super) const fn row(
    digits: usize,
    words: &'static [&'static str],
    check: fn(&[u8]) -> bool,
    rule: RuleIx,
) -> Row {
    Row { digits, words, check, rule }
}

/// Of what nothing but the word is known.
pub(super) fn any(_: &[u8]) -> bool {
    true
}

/// A day, month and year of somebody who may live.
fn date(text: &[u8]) -> bool {
    let number = |from: usize, to: usize| checksum::digits(&text[from..to]).fold(0, |n, d| n * 10 + d);
    let (year, month, day) = match text {
        [_, _, b'.' | b'-', _, _, b'.' | b'-', ..] if text.len() == 10 => {
            (number(6, 10), number(3, 5), number(0, 2))
        }
        [_, _, _, _, b'-' | b'.', ..] if text.len() == 10 => (number(0, 4), number(5, 7), number(8, 10)),
        _ => return false,
    };
    (1900..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// How a day of birth is announced.
#[rustfmt::skip]
const BORN: &[&str] = &[
    "born", "date of birth", "birth date", "birthdate", "dob", "geboren", "geburtsdatum", "geburtstag", "né le", "née le", "naissance",
    "nato il", "nata il", "geb. am", "geb.", "ur.", "nascita", "nacido el", "nacida el", "nacimiento", "nascido em", "nascida em", "nascimento", "geboortedatum", "född",
    "urodzony", "urodzona", "urodzenia", "syntynyt", "født",
];

const LICENCE: &[&str] = &[
    "driver license",
    "driver's license",
    "drivers license",
    "driving licence",
    "driver's licence",
    "driving license",
];

const ROWS: &[Row] = &[
    row(10, &["personnummer", "personal number"], checksum::personnummer, rule::NATIONAL_ID),
    row(12, &["personnummer", "personal number"], checksum::personnummer, rule::NATIONAL_ID),
    row(9, &["hetu", "henkilotunnus", "henkilötunnus"], checksum::hetu, rule::NATIONAL_ID),
    row(10, &["hetu", "henkilotunnus", "henkilötunnus"], checksum::hetu, rule::NATIONAL_ID),
    row(13, &["national id", "id number", "idnumber", "nationalid"], checksum::luhn, rule::NATIONAL_ID),
    row(8, &["sort code"], any, rule::BANK),
    row(7, LICENCE, any, rule::NATIONAL_ID),
    row(8, LICENCE, any, rule::NATIONAL_ID),
    row(9, LICENCE, any, rule::NATIONAL_ID),
    row(8, &["bank account", "bankaccount"], any, rule::BANK),
    row(9, &["bank account", "bankaccount"], any, rule::BANK),
    row(10, &["bank account", "bankaccount"], any, rule::BANK),
    row(11, &["bank account", "bankaccount"], any, rule::BANK),
    row(12, &["bank account", "bankaccount"], any, rule::BANK),
    row(8, BORN, date, rule::BIRTH),
    row(7, &["passport"], any, rule::NATIONAL_ID),
    row(8, &["passport"], any, rule::NATIONAL_ID),
    row(9, &["passport"], any, rule::NATIONAL_ID),
    row(11, &["pesel"], checksum::pesel, rule::NATIONAL_ID),
    row(9, &["bsn", "burgerservicenummer", "sofinummer"], checksum::bsn, rule::NATIONAL_ID),
    row(11, &["steuer", "idnr", "tax id"], checksum::german_tax_id, rule::NATIONAL_ID),
    row(10, &["nhs", "nhsnumber"], checksum::nhs, rule::NATIONAL_ID),
    row(9, &["routing", "aba", "routingnumber"], checksum::aba_routing, rule::BANK),
    row(9, &["sin", "social insurance", "socialinsurance"], checksum::sin, rule::NATIONAL_ID),
    row(11, &["cpf"], checksum::cpf, rule::NATIONAL_ID),
    row(12, &["aadhaar", "uidai"], checksum::aadhaar, rule::NATIONAL_ID),
    row(9, &["ssn", "social security"], checksum::ssn, rule::NATIONAL_ID),
    row(15, &["nir", "securite sociale", "sécurité sociale", "insee"], checksum::nir, rule::NATIONAL_ID),
    row(8, &["dni", "nif"], checksum::dni, rule::NATIONAL_ID),
    row(7, &["nie"], checksum::dni, rule::NATIONAL_ID),
    row(
        6,
        &["nino", "national insurance", "nationalinsurance", "ni number", "ni no"],
        checksum::nino,
        rule::NATIONAL_ID,
    ),
];

/// Words that announce numbers with letters in them: the gate looks for these.
pub(super) const LETTERED: &[&str] = &[
    "passport",
    "hetu",
    "henkilotunnus",
    "henkilötunnus",
    "driver's l",
    "drivers l",
    "driver l",
    "driving licen",
    "nino",
    "national insurance",
    "insurance_number",
    "insurancenumber",
    "ni number",
    "ni no",
    "pan ",
    "dni",
    "nif ",
    "nif:",
    "nie ",
    "nie:",
    "nif=",
    "nie=",
    "nif\"",
    "nie\"",
    "nif\\",
    "nie\\",
    "pps ",
    "pps:",
    "pps=",
    "pps\"",
    "ppsn",
    "nric",
    "fin:",
    "fin=",
    "fin\"",
    "pan:",
    "pan=",
    "pan\"",
    "pan number",
    "pan_number",
    "pannumber",
    "pan card",
    "permanent account",
    "voter",
    "rfc:",
    "rfc=",
    "rfc\"",
    "taiwan id",
    "national id",
    "rut:",
    "rut=",
    "rut ",
    "rut\"",
];

/// Announcing words stand at most this far before the number.
const NEAR: usize = 36;

/// The rule whose word stands shortly before the number, when the number checks.
pub(super) fn number(bytes: &[u8], start: usize, end: usize, digits: usize) -> Option<RuleIx> {
    let near = &bytes[start.saturating_sub(NEAR)..start];
    if near.iter().filter(|b| b.is_ascii_alphabetic() || !b.is_ascii()).count() < 3 {
        return None;
    }
    let mut lower = [0u8; NEAR];
    let before = &mut lower[..near.len()];
    before.copy_from_slice(near);
    before.make_ascii_lowercase();
    // `ID_NUMBER=` announces as `id number` does.
    for b in before.iter_mut().filter(|b| matches!(b, b'_' | b'-')) {
        *b = b' ';
    }
    // `socialSecurityNumber` announces as `social security` does.
    let mut joined = [0u8; NEAR];
    let mut length = 0;
    for b in before.iter().filter(|b| **b != b' ') {
        joined[length] = *b;
        length += 1;
    }
    let joined = &joined[..length];
    let together = |word: &str| {
        let mut parts = word.split(' ');
        let first = parts.next().unwrap_or("");
        let rest: &str = parts.next().unwrap_or("");
        !rest.is_empty()
            && memchr::memmem::rfind(joined, first.as_bytes())
                .is_some_and(|at| joined[at + first.len()..].starts_with(rest.as_bytes()))
    };
    let says = |word: &str| {
        together(word)
            || memchr::memmem::rfind(before, word.as_bytes()).is_some_and(|at| {
                // `abaRoutingNumber`: a capital behind a small letter begins a word.
                let parted = |at: usize| {
                    let letter = |at: usize| near.get(at).filter(|b| b.is_ascii_alphabetic());
                    match (at.checked_sub(1).and_then(letter), letter(at)) {
                        (Some(last), Some(first)) => last.is_ascii_lowercase() && first.is_ascii_uppercase(),
                        _ => true,
                    }
                };
                // `…c9cccd`: no word begins behind a digit.
                let begins = parted(at) && !at.checked_sub(1).is_some_and(|n| near[n].is_ascii_digit());
                begins && (word.len() > 4 || parted(at + word.len()))
            })
    };
    // Part of a UUID or of a name: what nothing but the word tells stands alone.
    let part = start > 0 && bytes[start - 1] == b'-'
        || bytes.get(end) == Some(&b'-') && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    let alone = |row: &&Row| !(part && matches!(row.words[0], "passport" | "bank account"));
    let mut rows = ROWS.iter().chain(national_ids::ROWS).filter(|row| row.digits == digits).filter(alone);
    let found = rows.find(|row| (row.check)(&bytes[start..end]) && row.words.iter().any(|word| says(word)));
    found.map(|row| row.rule)
}

/// Words before telephone numbers that have only their digits.
#[rustfmt::skip]
const CALLS: &[&str] = &[
    "phone", "tel", "tel.", "telephone", "mobile", "cell", "fax", "call", "cellphone", "whatsapp", "viber", "sms", "hotline", "mob", "ph",
    "gsm", "telefon", "telefonnummer", "rufnummer", "handy", "handynummer", "mobil", "telefono", "telefone", "celular", "cellulare", "movil",
    "telefoon", "puhelin", "natel", "mobiel", "mobilni", "cell.", "mob.", "tlf", "tlf.", "telf.", "anrufen", "anruf", "au", "op",
];

/// The same beyond ASCII, where no blank need stand between.
#[rustfmt::skip]
const CALLS_BEYOND: &[&str] = &[
    "電話", "電話番号", "携帯", "电话", "手机", "전화", "전화번호", "휴대폰", "연락처", "тел", "тел.", "телефон", "моб.", "τηλ.", "τηλέφωνο", "טלפון", "هاتف",
    "Tél", "Tél.", "Téléphone", "Teléfono", "Móvil", "komórka", "Komórka", "☎", "tél", "tél.", "téléphone", "teléfono", "móvil", "telefón",
];

/// A word before the number says that somebody answers there.
pub(super) fn telephone(bytes: &[u8], start: usize) -> bool {
    let near = &bytes[start.saturating_sub(NEAR)..start];
    let quoted = |b: u8| b == b' ' || b == b'"' || b == b'\'' || b == b'=' || b == b':';
    let signs = near.iter().rev().take_while(|b| quoted(**b)).count();
    let word = &near[..near.len() - signs];
    let number = [&b"number"[..], b"Number", b"NUMBER", b"no", b"No", b"NO"]
        .into_iter()
        .find_map(|noun| word.strip_suffix(noun));
    let word = number.unwrap_or(word).trim_ascii_end();
    let word = word.strip_suffix(b"_").unwrap_or(word);
    if word.last().is_some_and(|b| !b.is_ascii() || *b == b'.')
        && CALLS_BEYOND.iter().any(|call| word.ends_with(call.as_bytes()))
    {
        return true;
    }
    let begin = word.iter().rposition(|b| !(b.is_ascii_alphabetic() || *b == b'.')).map_or(0, |n| n + 1);
    // The lines of a signature: `M: 020 …`.
    if matches!(&word[begin..], b"M" | b"T" | b"P" | b"F")
        && near.get(..=near.len() - signs).is_some_and(|to| to.ends_with(b":"))
    {
        return begin == 0 || word[begin - 1] == b'\n';
    }
    CALLS.iter().any(|call| word[begin..].eq_ignore_ascii_case(call.as_bytes()))
}

/// Bytes of a number with letters in it, separators and all: `6433435F`, `VACE-460910-SX6`.
const LETTERED_MIN: usize = 8;
const LETTERED_MAX: usize = 15;

/// Numbers with letters in them: `AB 12 34 56 C`, `12345678Z`, `X1234567L`.
pub(super) fn lettered(search: &mut Search<'_>, bytes: &[u8]) {
    for (at, b) in bytes.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|n| bytes.get(n));
        if !b.is_ascii_alphanumeric() || before != Some(&b'=') && glue(before) {
            continue;
        }
        let reach = bytes[at..]
            .iter()
            .take(LETTERED_MAX)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'+'))
            .count();
        // A word behind the number may have been read along: the longest that ends where a word does.
        for len in (LETTERED_MIN..=reach).rev() {
            if !bytes[at + len - 1].is_ascii_alphanumeric() || glue(bytes.get(at + len)) {
                continue;
            }
            let digits = checksum::digits(&bytes[at..at + len]).count();
            let found = (4..=9).contains(&digits) && digits < len;
            if let Some(ix) = found.then(|| number(bytes, at, at + len, digits)).flatten() {
                search.push(at, at + len, ix);
                break;
            }
        }
    }
}
