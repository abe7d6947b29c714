//! Owns the numbers of persons that most countries write without a form of their own: what announces them, and their check digits.
//! It must never hold the number of a real person.

use super::super::{Sample, checks};
use super::Family;
use super::national::birth;
use super::people::person;
use crate::generator::checksums::luhn_digit;
use crate::generator::dice::{DIGITS, Dice, UPPER};

pub(super) const FAMILIES: &[Family] = &[
    person(
        "no-fodselsnummer",
        norwegian,
        &["fodselsnummer"],
        &["fodselsnummer \u{2039}\u{203a}", "Fodselsnummer: \u{2039}\u{203a}"],
    ),
    person("dk-cpr", danish, &["cpr_number"], &["CPR \u{2039}\u{203a}", "CPR: \u{2039}\u{203a}"]),
    person("bg-egn", bulgarian, &["egn"], &["EGN \u{2039}\u{203a}"]),
    person("ro-cnp", romanian, &["cnp"], &["CNP \u{2039}\u{203a}", "CNP: \u{2039}\u{203a}"]),
    person("si-emso", slovene, &["emso"], &["EMSO \u{2039}\u{203a}"]),
    person("hr-oib", croatian, &["oib"], &["OIB \u{2039}\u{203a}", "OIB: \u{2039}\u{203a}"]),
    person("ee-isikukood", estonian, &["isikukood"], &["isikukood \u{2039}\u{203a}"]),
    person("gr-amka", greek, &["amka"], &["AMKA \u{2039}\u{203a}"]),
    person("pt-nif", portuguese, &["nif"], &["NIF \u{2039}\u{203a}"]),
    person("ie-pps", irish, &["ppsn"], &["PPSN \u{2039}\u{203a}", "PPS: \u{2039}\u{203a}"]),
    person("is-kennitala", icelandic, &["kennitala"], &["kennitala \u{2039}\u{203a}"]),
    person("tr-kimlik", turkish, &["tckn"], &["TC Kimlik No: \u{2039}\u{203a}", "TCKN \u{2039}\u{203a}"]),
    person("ar-cuit", argentine, &["cuit"], &["CUIT \u{2039}\u{203a}"]),
    super::made("kr-rrn", korean),
    super::made("th-id", thai),
    person("sg-nric", singaporean, &["nric"], &["NRIC \u{2039}\u{203a}", "NRIC: \u{2039}\u{203a}"]),
    person("my-nric", malaysian, &["mykad"], &["MyKad \u{2039}\u{203a}"]),
    person("jp-my-number", japanese, &["my_number"], &["My Number: \u{2039}\u{203a}"]),
    person("au-tfn", australian, &["tfn"], &["TFN \u{2039}\u{203a}", "tax file number: \u{2039}\u{203a}"]),
    person("il-id", israeli, &["teudat_zehut"], &["Teudat Zehut \u{2039}\u{203a}"]),
    super::made("us-itin", itin),
    person("ua-rnokpp", ukrainian, &["rnokpp"], &["RNOKPP \u{2039}\u{203a}"]),
    person("ru-snils", snils, &["snils"], &["SNILS \u{2039}\u{203a}"]),
    person("in-pan", pan, &["pan_number"], &["PAN: \u{2039}\u{203a}", "PAN number \u{2039}\u{203a}"]),
];

/// Draws bodies until one has a check digit.
fn checked(
    dice: &mut Dice,
    mut body: impl FnMut(&mut Dice) -> String,
    check: impl Fn(&str) -> Option<u32>,
) -> String {
    loop {
        let drawn = body(dice);
        if let Some(digit) = check(&drawn).filter(|digit| *digit < 10) {
            return format!("{drawn}{digit}");
        }
    }
}

/// Day, month, year of the century.
fn dated(dice: &mut Dice) -> String {
    let (year, month, day) = birth(dice);
    format!("{day:02}{month:02}{:02}", year % 100)
}

/// Year of the century, month, day.
fn reversed(dice: &mut Dice) -> String {
    let (year, month, day) = birth(dice);
    format!("{:02}{month:02}{day:02}", year % 100)
}

/// Skatteetaten: two check digits, mod 11.
fn norwegian(dice: &mut Dice) -> Sample {
    let eleven = |sum: u32| (11 - sum % 11) % 11;
    let first = |body: &str| Some(eleven(checks::weighted(body, &[3, 7, 6, 1, 8, 9, 4, 5, 2])));
    let second = |body: &str| Some(eleven(checks::weighted(body, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])));
    Sample::whole(checked(
        dice,
        |dice| checked(dice, |dice| format!("{}{}", dated(dice), dice.text(DIGITS, 3)), first),
        second,
    ))
}

/// CPR-kontoret: a date and four digits.
fn danish(dice: &mut Dice) -> Sample {
    Sample::whole(format!("{}-{}", dated(dice), dice.text(DIGITS, 4)))
}

/// GRAO.
fn bulgarian(dice: &mut Dice) -> Sample {
    let check = |body: &str| Some(checks::weighted(body, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10);
    Sample::whole(checked(dice, |dice| format!("{}{}", reversed(dice), dice.text(DIGITS, 3)), check))
}

/// DEPABD: weights 279146358279.
fn romanian(dice: &mut Dice) -> Sample {
    let check = |body: &str| {
        let rest = checks::weighted(body, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        Some(if rest == 10 { 1 } else { rest })
    };
    let body = |dice: &mut Dice| format!("{}{}{}", dice.between(1, 2), reversed(dice), dice.text(DIGITS, 5));
    Sample::whole(checked(dice, body, check))
}

/// The EMŠO of Slovenia, once Yugoslavia's JMBG.
fn slovene(dice: &mut Dice) -> Sample {
    let check = |body: &str| Some(11 - checks::weighted(body, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11);
    let body = |dice: &mut Dice| {
        let (year, month, day) = birth(dice);
        format!("{day:02}{month:02}{:03}50{}", year % 1000, dice.text(DIGITS, 3))
    };
    Sample::whole(checked(dice, body, check))
}

/// ISO 7064 mod 11,10.
fn croatian(dice: &mut Dice) -> Sample {
    let body = dice.text(DIGITS, 10);
    Sample::whole(format!("{body}{}", checks::mod_11_10(&body)))
}

/// Two rows of weights; the second where the first leaves ten.
fn estonian(dice: &mut Dice) -> Sample {
    let check = |body: &str| {
        let first = checks::weighted(body, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
        let second = checks::weighted(body, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
        Some(if first < 10 { first } else { second % 10 })
    };
    let body = |dice: &mut Dice| format!("{}{}{}", dice.between(3, 4), reversed(dice), dice.text(DIGITS, 3));
    Sample::whole(checked(dice, body, check))
}

/// IDIKA: a date, and Luhn.
fn greek(dice: &mut Dice) -> Sample {
    let body = format!("{}{}", dated(dice), dice.text(DIGITS, 4));
    Sample::whole(format!("{body}{}", luhn_digit(&body)))
}

fn portuguese(dice: &mut Dice) -> Sample {
    let check = |body: &str| {
        let rest = 11 - checks::weighted(body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        Some(if rest > 9 { 0 } else { rest })
    };
    Sample::whole(checked(dice, |dice| format!("{}{}", dice.between(1, 2), dice.text(DIGITS, 7)), check))
}

/// Seven digits and a letter of 23.
fn irish(dice: &mut Dice) -> Sample {
    let body = dice.text(DIGITS, 7);
    let rest = checks::weighted(&body, &[8, 7, 6, 5, 4, 3, 2]) % 23;
    let letter = b"WABCDEFGHIJKLMNOPQRSTUV"[usize::try_from(rest).unwrap_or(0)];
    Sample::whole(format!("{body}{}", char::from(letter)))
}

/// Þjóðskrá: the ninth digit checks, the last one is the century.
fn icelandic(dice: &mut Dice) -> Sample {
    let check = |body: &str| Some((11 - checks::weighted(body, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11);
    let number = checked(dice, |dice| format!("{}{}", dated(dice), dice.between(20, 99)), check);
    Sample::whole(format!("{}-{}9", &number[..6], &number[6..]))
}

/// NVI: two check digits.
fn turkish(dice: &mut Dice) -> Sample {
    let body = format!("{}{}", dice.between(1, 9), dice.text(DIGITS, 8));
    let odd = checks::weighted(&body, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = checks::weighted(&body, &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
    let tenth = (odd * 7 + 100 - even) % 10;
    Sample::whole(format!("{body}{tenth}{}", (odd + even + tenth) % 10))
}

/// AFIP.
fn argentine(dice: &mut Dice) -> Sample {
    let check = |body: &str| match 11 - checks::weighted(body, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
        11 => Some(0),
        10 => None,
        check => Some(check),
    };
    let number = checked(dice, |dice| format!("{}{}", dice.pick(&["20", "27"]), dice.text(DIGITS, 8)), check);
    Sample::whole(format!("{}-{}-{}", &number[..2], &number[2..10], &number[10..]))
}

/// A date, a dash, and seven digits of which the last one checks.
fn korean(dice: &mut Dice) -> Sample {
    let check =
        |body: &str| Some((11 - checks::weighted(body, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10);
    let body = |dice: &mut Dice| format!("{}{}{}", reversed(dice), dice.between(1, 2), dice.text(DIGITS, 5));
    let number = checked(dice, body, check);
    Sample::whole(format!("{}-{}", &number[..6], &number[6..]))
}

fn thai(dice: &mut Dice) -> Sample {
    let check =
        |body: &str| Some((11 - checks::weighted(body, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10);
    let n = checked(dice, |dice| format!("{}{}", dice.between(1, 8), dice.text(DIGITS, 11)), check);
    Sample::whole(format!("{}-{}-{}-{}-{}", &n[..1], &n[1..5], &n[5..10], &n[10..12], &n[12..]))
}

/// ICA: S before 2000, T since.
fn singaporean(dice: &mut Dice) -> Sample {
    let (head, more) = *dice.pick(&[("S", 0), ("T", 4)]);
    let body = dice.text(DIGITS, 7);
    let rest = (checks::weighted(&body, &[2, 7, 6, 5, 4, 3, 2]) + more) % 11;
    let letter = b"JZIHGFEDCBA"[usize::try_from(rest).unwrap_or(0)];
    Sample::whole(format!("{head}{body}{}", char::from(letter)))
}

/// JPN: a date, the place of birth, four digits.
fn malaysian(dice: &mut Dice) -> Sample {
    Sample::whole(format!("{}-{:02}-{}", reversed(dice), dice.between(1, 16), dice.text(DIGITS, 4)))
}

/// J-LIS.
fn japanese(dice: &mut Dice) -> Sample {
    let check = |body: &str| {
        let rest = checks::weighted(body, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        Some(if rest < 2 { 0 } else { 11 - rest })
    };
    let n = checked(dice, |dice| dice.text(DIGITS, 11), check);
    Sample::whole(format!("{} {} {}", &n[..4], &n[4..8], &n[8..]))
}

/// ATO: the sum is a multiple of eleven; ten times the last digit counts.
fn australian(dice: &mut Dice) -> Sample {
    let check = |body: &str| Some(checks::weighted(body, &[1, 4, 3, 7, 5, 8, 6, 9]) % 11);
    let n = checked(dice, |dice| format!("{}{}", dice.between(1, 8), dice.text(DIGITS, 7)), check);
    Sample::whole(format!("{} {} {}", &n[..3], &n[3..6], &n[6..]))
}

fn israeli(dice: &mut Dice) -> Sample {
    let body = format!("{}{}", dice.between(1, 3), dice.text(DIGITS, 7));
    Sample::whole(format!("{body}{}", luhn_digit(&body)))
}

/// IRS: area 900 to 999, groups that are given out.
fn itin(dice: &mut Dice) -> Sample {
    let group = *dice.pick(&[50, 57, 65, 70, 78, 88, 90, 92, 94, 99]);
    Sample::whole(format!("9{}-{group}-{}", dice.text(DIGITS, 2), dice.text(DIGITS, 4)))
}

fn ukrainian(dice: &mut Dice) -> Sample {
    // The first digit counts minus one, which is ten modulo eleven.
    let check = |body: &str| Some(checks::weighted(body, &[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10);
    Sample::whole(checked(dice, |dice| format!("{}{}", dice.between(2, 3), dice.text(DIGITS, 8)), check))
}

fn snils(dice: &mut Dice) -> Sample {
    let body = format!("{}{}", dice.between(2, 9), dice.text(DIGITS, 8));
    let check = checks::weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
    Sample::whole(format!("{}-{}-{} {check:02}", &body[..3], &body[3..6], &body[6..]))
}

/// Income Tax Department: the fourth letter is P for a person.
fn pan(dice: &mut Dice) -> Sample {
    let (head, name) = (dice.text(UPPER, 3), dice.text(UPPER, 1));
    Sample::whole(format!("{head}P{name}{}{}", dice.text(DIGITS, 4), dice.text(UPPER, 1)))
}
