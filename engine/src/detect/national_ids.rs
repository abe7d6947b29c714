//! Numbers of persons by country: check digits and dates, beside those of `checksum.rs`.
//!
//! Each takes the number as it stands, separators and all, and says whether it can be one. Knows no words and no places; the
//! rows say what announces each. Sources: the issuers' own rules, as collected by Wikipedia's "National identification number"
//! and its pages by country.

use super::announced::{Row, any, row};
use super::checksum::{ahv, belgian, digits, exactly, luhn, mod_11_10, rut, weighted};
use super::structural as rule;

const fn id(digits: usize, words: &'static [&'static str], check: fn(&[u8]) -> bool) -> Row {
    row(digits, words, check, rule::NATIONAL_ID)
}

/// Announced by these words.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    id(11, &["fodselsnummer", "fødselsnummer", "personnummer", "d nummer"], norwegian),
    id(10, &["cpr", "personnummer"], danish),
    id(11, &["rijksregister", "registre national", "national register", "insz", "niss"], belgian),
    id(10, &["svnr", "sozialversicherung", "versicherungsnummer"], austrian),
    id(10, &["egn", "ЕГН"], bulgarian),
    id(13, &["ahv", "avs", "oasi"], ahv),
    id(8, &["rut"], rut), id(9, &["rut"], rut),
    id(8, &["cedula", "cédula"], any), id(9, &["cedula", "cédula"], any), id(10, &["cedula", "cédula"], any),
    id(11, &["cedula", "cédula"], any),
    id(9, &["rodne cislo", "rodné číslo", "Rodné číslo", "birth number"], czech), id(10, &["rodne cislo", "rodné číslo", "Rodné číslo", "birth number"], czech),
    id(11, &["isikukood", "asmens kodas", "personal code"], baltic),
    id(11, &["personas kods"], latvian),
    id(10, &["utr", "unique taxpayer"], utr),
    id(11, &["amka", "ΑΜΚΑ"], amka),
    id(11, &["oib"], croatian),
    id(9, &["taj"], hungarian),
    id(16, &["nik", "ktp"], indonesian),
    id(7, &["pps", "ppsn"], irish),
    id(9, &["teudat", "zehut", "israeli id", "תעודת זהות"], luhn), id(8, &["teudat", "zehut", "israeli id"], luhn),
    id(4, &["pan", "permanent account"], pan),
    id(7, &["epic", "voter"], voter),
    id(10, &["kennitala"], icelandic),
    id(12, &["my number", "individual number", "マイナンバー", "個人番号"], japanese),
    id(13, &["rrn", "resident registration", "jumin"], korean),
    id(12, &["nric", "mykad", "ic number"], malaysian),
    id(8, &["ird"], new_zealand), id(9, &["ird"], new_zealand),
    id(8, &["dni"], dotted), id(7, &["dni"], dotted),
    id(11, &["cuit", "cuil"], argentine),
    id(13, &["cnic", "nadra"], any),
    id(9, &["nif", "contribuinte"], portuguese),
    id(13, &["cnp", "cod numeric"], romanian),
    id(13, &["jmbg", "emso", "emšo"], yugoslav),
    id(7, &["nric", "fin"], singaporean),
    id(13, &["thai id", "citizen id", "id card"], thai),
    id(11, &["kimlik", "tckn", "tckimlik"], turkish),
    id(9, &["taiwan id", "national id", "id number"], taiwanese),
    id(10, &["rnokpp", "ipn", "tax number", "РНОКПП", "ІПН"], ukrainian),
    id(12, &["inn", "ИНН"], russian_tax), id(11, &["snils", "СНИЛС"], snils),
    id(9, &["itin"], itin), id(9, &["tfn", "tax file"], australian_tax),
    id(10, &["medicare"], medicare), id(11, &["medicare"], medicare),
    id(13, &["identity number", "sa id", "rsa id"], luhn),
    id(10, &["iqama", "national id"], luhn), id(14, &["national id"], egyptian), id(12, &["cccd"], any),
    id(11, &["nin"], any), id(10, &["sss number"], any),
    id(6, &["rfc"], mexican_tax), id(7, &["rfc"], mexican_tax), id(8, &["rfc"], mexican_tax), id(9, &["rfc"], mexican_tax),
];

fn sum(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn is_date(day: u32, month: u32) -> bool {
    (1..=31).contains(&day) && (1..=12).contains(&month)
}

/// Letters and digits, in capitals; at most eighteen.
fn written(text: &[u8]) -> ([u8; 18], usize) {
    let (mut all, mut len) = ([0; 18], 0);
    for byte in text.iter().filter(|b| b.is_ascii_alphanumeric()).take(18) {
        all[len] = byte.to_ascii_uppercase();
        len += 1;
    }
    (all, len)
}

/// The form of what is written: `A` a letter, `9` a digit.
fn has_form(text: &[u8], form: &[u8]) -> bool {
    text.len() == form.len()
        && text.iter().zip(form).all(|(b, f)| match f {
            b'A' => b.is_ascii_uppercase(),
            b'9' => b.is_ascii_digit(),
            _ => b.is_ascii_alphanumeric(),
        })
}

fn norwegian(text: &[u8]) -> bool {
    exactly::<11>(text).is_some_and(|d| {
        sum(&d, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
            && sum(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// A date and four digits: the check digit is not used any more.
fn danish(text: &[u8]) -> bool {
    exactly::<10>(text).is_some_and(|d| is_date(d[0] * 10 + d[1], d[2] * 10 + d[3]))
}

fn austrian(text: &[u8]) -> bool {
    exactly::<10>(text).is_some_and(|d| sum(&d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == d[3])
}

fn bulgarian(text: &[u8]) -> bool {
    exactly::<10>(text).is_some_and(|d| sum(&d, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == d[9])
}

/// Women have fifty added to their month, and since 2004 twenty may be.
fn czech(text: &[u8]) -> bool {
    let month = |d: &[u32]| (d[2] * 10 + d[3]) % 50 % 20;
    let day = |d: &[u32]| d[4] * 10 + d[5];
    let whole = |d: [u32; 10]| d.iter().fold(0u64, |n, digit| n * 10 + u64::from(*digit));
    exactly::<9>(text).is_some_and(|d| is_date(day(&d), month(&d)))
        || exactly::<10>(text)
            .is_some_and(|d| is_date(day(&d), month(&d)) && (whole(d) % 11 == 0 || whole(d) / 10 % 11 == 10))
}

/// Estonia and Lithuania.
fn baltic(text: &[u8]) -> bool {
    exactly::<11>(text).is_some_and(|d| {
        let first = sum(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
        let second = sum(&d, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
        d[10] == if first < 10 { first } else { second % 10 }
    })
}

/// A date, or 32 and drawn digits since 2017.
fn latvian(text: &[u8]) -> bool {
    exactly::<11>(text).is_some_and(|d| d[..2] == [3, 2] || is_date(d[0] * 10 + d[1], d[2] * 10 + d[3]))
}

fn utr(text: &[u8]) -> bool {
    const CHECKS: [u32; 11] = [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    exactly::<10>(text).is_some_and(|d| {
        let rest = sum(&d[1..], &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
        usize::try_from(rest).ok().and_then(|at| CHECKS.get(at)) == Some(&d[0])
    })
}

fn amka(text: &[u8]) -> bool {
    exactly::<11>(text).is_some_and(|d| is_date(d[0] * 10 + d[1], d[2] * 10 + d[3])) && luhn(text)
}

fn croatian(text: &[u8]) -> bool {
    exactly::<11>(text).is_some_and(|d| mod_11_10(&d))
}

fn hungarian(text: &[u8]) -> bool {
    exactly::<9>(text).is_some_and(|d| sum(&d, &[3, 7, 3, 7, 3, 7, 3, 7]) % 10 == d[8])
}

/// Women have forty added to their day.
fn indonesian(text: &[u8]) -> bool {
    exactly::<16>(text).is_some_and(|d| is_date((d[6] * 10 + d[7]) % 40, d[8] * 10 + d[9]))
}

/// Seven digits, a check letter, and perhaps one more, which counts nine times since 2013 (A, H) and not before (W, T, X).
fn irish(text: &[u8]) -> bool {
    let (all, len) = written(text);
    let all = &all[..len];
    let form = has_form(all, b"9999999A") || has_form(all, b"9999999AA");
    let Some(d) = exactly::<7>(all).filter(|_| form) else { return false };
    let second = all.get(8).filter(|b| !b"WTX".contains(b)).map_or(0, |b| u32::from(b - b'@'));
    let rest = (sum(&d, &[8, 7, 6, 5, 4, 3, 2]) + second * 9) % 23;
    all[7] == if rest == 0 { b'W' } else { b'@' + u8::try_from(rest).unwrap_or(0) }
}

/// India's tax number: the fourth letter says who, and P is a person.
fn pan(text: &[u8]) -> bool {
    let (all, len) = written(text);
    has_form(&all[..len], b"AAAAA9999A") && b"PCHFATBLJG".contains(&all[3])
}

fn voter(text: &[u8]) -> bool {
    let (all, len) = written(text);
    has_form(&all[..len], b"AAA9999999")
}

fn icelandic(text: &[u8]) -> bool {
    exactly::<10>(text).is_some_and(|d| sum(&d, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}

fn japanese(text: &[u8]) -> bool {
    exactly::<12>(text).is_some_and(|d| {
        let rest = sum(&d, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        d[11] == if rest < 2 { 0 } else { 11 - rest }
    })
}

/// Six digits of a date and seven more; those of since October 2020 have no check digit.
pub(super) fn korean(text: &[u8]) -> bool {
    exactly::<13>(text).is_some_and(|d| {
        is_date(d[4] * 10 + d[5], d[2] * 10 + d[3])
            && (11 - sum(&d, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10 == d[12]
    })
}

fn malaysian(text: &[u8]) -> bool {
    exactly::<12>(text).is_some_and(|d| is_date(d[4] * 10 + d[5], d[2] * 10 + d[3]))
}

fn new_zealand(text: &[u8]) -> bool {
    // Older ones have eight digits: a zero stands before them.
    let Some(all) = exactly::<9>(text).or_else(|| {
        exactly::<8>(text).map(|d| std::array::from_fn(|at| if at == 0 { 0 } else { d[at - 1] }))
    }) else {
        return false;
    };
    let check = |weights: &[u32]| (11 - sum(&all[..8], weights) % 11) % 11;
    let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
    all[8] == if first < 10 { first } else { check(&[7, 4, 3, 2, 5, 2, 7, 6]) }
}

/// Argentina writes its own with points, and has no check digit.
fn dotted(text: &[u8]) -> bool {
    let mut parts = text.rsplit(|b| *b == b'.');
    let mut next = |digits: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|part| digits.contains(&part.len()) && part.iter().all(u8::is_ascii_digit))
    };
    next(3..=3) && next(3..=3) && next(1..=2) && parts.next().is_none()
}

fn argentine(text: &[u8]) -> bool {
    exactly::<11>(text).is_some_and(|d| {
        let check = 11 - sum(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        d[10]
            == match check {
                11 => 0,
                10 => 9,
                check => check,
            }
    })
}

/// Eleven less the rest, or nothing where that has two digits.
fn less_rest(sum: u32) -> u32 {
    let check = 11 - sum % 11;
    if check > 9 { 0 } else { check }
}

fn portuguese(text: &[u8]) -> bool {
    exactly::<9>(text).is_some_and(|d| less_rest(sum(&d, &[9, 8, 7, 6, 5, 4, 3, 2])) == d[8])
}

fn romanian(text: &[u8]) -> bool {
    exactly::<13>(text).is_some_and(|d| {
        let rest = sum(&d, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        d[12] == if rest == 10 { 1 } else { rest }
    })
}

fn yugoslav(text: &[u8]) -> bool {
    exactly::<13>(text).is_some_and(|d| {
        less_rest(sum(&d, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])) == d[12]
            && is_date(d[0] * 10 + d[1], d[2] * 10 + d[3])
    })
}

fn singaporean(text: &[u8]) -> bool {
    let (all, len) = written(text);
    let all = &all[..len];
    let Some(d) = exactly::<7>(all).filter(|_| has_form(all, b"A9999999A")) else { return false };
    let (more, checks): (u32, &[u8; 11]) = match all[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let rest = (sum(&d, &[2, 7, 6, 5, 4, 3, 2]) + more) % 11;
    usize::try_from(rest).ok().and_then(|at| checks.get(at)) == Some(&all[8])
}

pub(super) fn thai(text: &[u8]) -> bool {
    exactly::<13>(text)
        .is_some_and(|d| (11 - sum(&d, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10 == d[12])
}

fn turkish(text: &[u8]) -> bool {
    exactly::<11>(text).is_some_and(|d| {
        let odd = sum(&d, &[7, 0, 7, 0, 7, 0, 7, 0, 7]);
        let even = sum(&d, &[0, 1, 0, 1, 0, 1, 0, 1]);
        d[0] != 0 && (odd + 100 - even) % 10 == d[9] && d[..10].iter().sum::<u32>() % 10 == d[10]
    })
}

fn taiwanese(text: &[u8]) -> bool {
    const LETTERS: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let (all, len) = written(text);
    let all = &all[..len];
    let Some(d) = exactly::<9>(all).filter(|_| has_form(all, b"A999999999")) else { return false };
    let letter =
        LETTERS.iter().position(|b| *b == all[0]).and_then(|at| u32::try_from(at + 10).ok()).unwrap_or(0);
    (letter / 10 + letter % 10 * 9 + sum(&d, &[8, 7, 6, 5, 4, 3, 2, 1, 1])).is_multiple_of(10)
}

fn ukrainian(text: &[u8]) -> bool {
    // The first digit counts minus one: ten in place of it.
    exactly::<10>(text).is_some_and(|d| sum(&d, &[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10 == d[9])
}

fn russian_tax(text: &[u8]) -> bool {
    exactly::<12>(text).is_some_and(|d| {
        sum(&d, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == d[10]
            && sum(&d, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == d[11]
    })
}

fn snils(text: &[u8]) -> bool {
    weighted(text, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100
        == exactly::<11>(text).map_or(u32::MAX, |d| d[9] * 10 + d[10])
}

/// Nine hundreds, and groups that the IRS gives out.
pub(super) fn itin(text: &[u8]) -> bool {
    exactly::<9>(text)
        .is_some_and(|d| d[0] == 9 && matches!(d[3] * 10 + d[4], 50..=65 | 70..=88 | 90..=92 | 94..=99))
}

fn australian_tax(text: &[u8]) -> bool {
    exactly::<9>(text).is_some_and(|d| sum(&d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11))
}

fn medicare(text: &[u8]) -> bool {
    let mut first = digits(text);
    let d: [u32; 9] = std::array::from_fn(|_| first.next().unwrap_or(0));
    (2..=6).contains(&d[0]) && sum(&d, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == d[8]
}

/// A century, a date, a governorate.
fn egyptian(text: &[u8]) -> bool {
    exactly::<14>(text).is_some_and(|d| matches!(d[0], 2 | 3) && is_date(d[5] * 10 + d[6], d[3] * 10 + d[4]))
}

/// Letters of a name, a date, and three more.
fn mexican_tax(text: &[u8]) -> bool {
    let (all, len) = written(text);
    let all = &all[..len];
    let name = all.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let Some(date) = all.get(name..name + 6).and_then(exactly::<6>) else { return false };
    matches!(name, 3 | 4) && len == name + 9 && is_date(date[4] * 10 + date[5], date[2] * 10 + date[3])
}

/// `BOXW310820HNERXN09`: Mexico's CURP has a form and a check digit of its own.
pub(super) fn curp(text: &[u8]) -> bool {
    const SIGNS: &[u8] = b"0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ";
    let form = has_form(text, b"AAAA999999AAAAAA*9") && matches!(text[10], b'H' | b'M' | b'X');
    let value = |b: &u8| SIGNS.iter().position(|sign| sign == b).and_then(|at| u32::try_from(at).ok());
    let sum: Option<u32> =
        text.iter().zip((2..=18).rev()).take(17).map(|(b, weight)| Some(value(b)? * weight)).sum();
    form && sum.is_some_and(|sum| (10 - sum % 10) % 10 == u32::from(text[17] - b'0'))
}

/// `784-1979-1234567-1`: the United Arab Emirates'.
pub(super) fn emirati(text: &[u8]) -> bool {
    text.starts_with(b"784") && luhn(text)
}
