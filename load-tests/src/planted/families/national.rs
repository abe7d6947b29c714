//! Owns national identity numbers with right check digits, each as its authority describes it.
//! It must never hold the number of a real person.

use super::super::{Sample, checks};
use crate::generator::checksums::luhn_digit;
use crate::generator::dice::{DIGITS, Dice};

/// Area 001–665 and 667–899, group 01–99, serial 0001–9999 (Social Security Administration).
pub(super) fn us_ssn(dice: &mut Dice) -> Sample {
    let area = match dice.between(1, 898) {
        666 => 667,
        area => area,
    };
    Sample::whole(format!("{area:03}-{:02}-{:04}", dice.between(1, 99), dice.between(1, 9_999)))
}

/// HMRC: the letters that are in use.
pub(super) fn nino(dice: &mut Dice) -> Sample {
    let head = *dice.pick(&["AB", "CE", "JK", "LM", "PR", "SX", "WY", "HA"]);
    let tail = *dice.pick(&["A", "B", "C", "D"]);
    let parts: Vec<String> = (0..3).map(|_| dice.text(DIGITS, 2)).collect();
    let join = if dice.one_in(2) { " " } else { "" };
    Sample::whole(format!("{head}{join}{}{join}{tail}", parts.join(join)))
}

pub(super) fn dni(dice: &mut Dice) -> Sample {
    let number = dice.between(10_000_000, 99_999_999);
    Sample::whole(format!("{number}{}", checks::dni_letter(number)))
}

pub(super) fn nie(dice: &mut Dice) -> Sample {
    let (head, number) = (dice.below(3), dice.between(0, 9_999_999));
    let letter = *dice.pick(&["X"]);
    let (letter, head) = match head {
        1 => ("Y", 10_000_000),
        2 => ("Z", 20_000_000),
        _ => (letter, 0),
    };
    Sample::whole(format!("{letter}{number:07}{}", checks::dni_letter(head + number)))
}

/// INSEE: sex, year, month, department, commune, order, and the complement to 97.
pub(super) fn nir(dice: &mut Dice, spaced: bool) -> Sample {
    let parts = [
        format!("{}", dice.between(1, 2)),
        format!("{:02}", dice.below(100)),
        format!("{:02}", dice.between(1, 12)),
        format!("{:02}", dice.between(21, 95)),
        format!("{:03}", dice.between(1, 989)),
        format!("{:03}", dice.between(1, 989)),
    ];
    let number: u64 = parts.concat().parse().unwrap_or(0);
    let check = format!("{:02}", checks::complement_97(number));
    let join = if spaced { " " } else { "" };
    Sample::whole(format!("{}{join}{check}", parts.join(join)))
}

pub(super) fn codice_fiscale(dice: &mut Dice) -> Sample {
    let consonants = b"BCDFGLMNPRSTVZ";
    let (names, month) = (dice.text(consonants, 6), dice.text(b"ABCDEHLMPRST", 1));
    let (year, day, place) = (dice.below(100), dice.between(1, 28), dice.between(100, 999));
    let body = format!("{names}{year:02}{month}{day:02}H{place}");
    let check = checks::fiscal_letter(&body);
    Sample::whole(format!("{body}{check}"))
}

pub(super) fn birth(dice: &mut Dice) -> (u32, u32, u32) {
    (dice.between(1950, 1999), dice.between(1, 12), dice.between(1, 28))
}

pub(super) fn pesel(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let body = format!("{:02}{month:02}{day:02}{}", year % 100, dice.text(DIGITS, 4));
    let check = (10 - checks::weighted(&body, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10;
    Sample::whole(format!("{body}{check}"))
}

/// The eleven test: weights 9 … 2 and -1.
pub(super) fn bsn(dice: &mut Dice) -> Sample {
    loop {
        let body = dice.between(10_000_000, 99_999_999).to_string();
        let check = checks::weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        if check < 10 {
            return Sample::whole(format!("{body}{check}"));
        }
    }
}

pub(super) fn cpf(dice: &mut Dice, dotted: bool) -> Sample {
    let mut body = dice.text(DIGITS, 9);
    for first in [10, 11] {
        let weights: Vec<u32> = (2..=first).rev().collect();
        let rest = checks::weighted(&body, &weights) * 10 % 11 % 10;
        body.push_str(&rest.to_string());
    }
    Sample::whole(match dotted {
        true => format!("{}.{}.{}-{}", &body[..3], &body[3..6], &body[6..9], &body[9..]),
        false => body,
    })
}

pub(super) fn aadhaar(dice: &mut Dice) -> Sample {
    let body = format!("{}{}", dice.between(2, 9), dice.text(DIGITS, 10));
    let body = format!("{body}{}", checks::verhoeff(&body));
    Sample::whole(match dice.below(2) {
        0 => body,
        _ => format!("{} {} {}", &body[..4], &body[4..8], &body[8..]),
    })
}

/// Ten digits of which exactly one comes twice.
pub(super) fn german_tax_id(dice: &mut Dice) -> Sample {
    let mut pool: Vec<u8> = DIGITS.to_vec();
    let mut body = String::new();
    while body.len() < 9 {
        let at = usize::try_from(dice.below(u32::try_from(pool.len()).unwrap_or(1))).unwrap_or(0);
        if body.is_empty() && pool[at] == b'0' {
            continue;
        }
        body.push(char::from(pool.remove(at)));
    }
    let twice = body.as_bytes()[3];
    body.push(char::from(twice));
    let check = checks::mod_11_10(&body);
    Sample::whole(format!("{body}{check}"))
}

pub(super) fn sin(dice: &mut Dice) -> Sample {
    let body = format!("{}{}", dice.between(1, 7), dice.text(DIGITS, 7));
    let body = format!("{body}{}", luhn_digit(&body));
    Sample::whole(match dice.below(3) {
        0 => body,
        1 => format!("{} {} {}", &body[..3], &body[3..6], &body[6..]),
        _ => format!("{}-{}-{}", &body[..3], &body[3..6], &body[6..]),
    })
}

pub(super) fn belgian(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let order = dice.between(1, 997);
    let number: u64 = format!("{:02}{month:02}{day:02}{order:03}", year % 100).parse().unwrap_or(0);
    let check = checks::complement_97(number);
    Sample::whole(format!("{:02}.{month:02}.{day:02}-{order:03}.{check:02}", year % 100))
}

pub(super) fn ahv(dice: &mut Dice) -> Sample {
    let body = format!("756{}", dice.text(DIGITS, 9));
    let check = checks::ean(&body);
    Sample::whole(format!("756.{}.{}.{}{check}", &body[3..7], &body[7..11], &body[11..]))
}

pub(super) fn personnummer(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let date = format!("{:02}{month:02}{day:02}", year % 100);
    let order = dice.text(DIGITS, 3);
    let check = luhn_digit(&format!("{date}{order}"));
    Sample::whole(format!("{date}-{order}{check}"))
}

pub(super) fn hetu(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let date = format!("{day:02}{month:02}{:02}", year % 100);
    let order = dice.between(2, 899);
    let number: u64 = format!("{date}{order:03}").parse().unwrap_or(0);
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY"[usize::try_from(number % 31).unwrap_or(0)];
    Sample::whole(format!("{date}-{order:03}{}", char::from(check)))
}

pub(super) fn rut(dice: &mut Dice) -> Sample {
    let body = dice.between(5_000_000, 25_000_000).to_string();
    let reversed: String = body.chars().rev().collect();
    let check = match 11 - checks::weighted(&reversed, &[2, 3, 4, 5, 6, 7, 2, 3]) % 11 {
        11 => "0".to_owned(),
        10 => "K".to_owned(),
        digit => digit.to_string(),
    };
    let head = body.len() - 6;
    Sample::whole(format!("{}.{}.{}-{check}", &body[..head], &body[head..head + 3], &body[head + 3..]))
}

pub(super) fn resident_id(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let area = *dice.pick(&["110105", "310115", "440305", "330106", "510104"]);
    let body = format!("{area}{year}{month:02}{day:02}{}", dice.text(DIGITS, 3));
    let check = checks::resident_character(&body);
    Sample::whole(format!("{body}{check}"))
}

pub(super) fn nhs(dice: &mut Dice) -> Sample {
    loop {
        let body = format!("{}{}", dice.between(4, 7), dice.text(DIGITS, 8));
        let check = (11 - checks::weighted(&body, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        if check < 10 {
            return Sample::whole(format!("{} {} {}{check}", &body[..3], &body[3..6], &body[6..]));
        }
    }
}

pub(super) fn south_african(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let body = format!("{:02}{month:02}{day:02}{}08", year % 100, dice.text(DIGITS, 4));
    Sample::whole(format!("{body}{}", luhn_digit(&body)))
}
