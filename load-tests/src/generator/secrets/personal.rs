//! Owns data about people who do not exist: syllables put together, numbers with right check digits.
//! It must never hold the name, number or address of a real person.

use super::super::dice::{DIGITS, Dice};
use super::Made;
use super::checksums::{iban_remainder, luhn_digit};

const GIVEN: &[&str] = &[
    "Marlena",
    "Tobiah",
    "Ysolde",
    "Henrik",
    "Oluchi",
    "Radomir",
    "Saskia",
    "Thaddeus",
    "Ingrida",
    "Caspian",
    "Noemie",
    "Balthasar",
    "Wilhelmina",
    "Anselm",
    "Philippa",
    "Leocadia",
];
const SYLLABLES: &[&str] = &[
    "kra", "vel", "tho", "min", "dar", "sel", "bor", "wex", "lun", "gro", "fen", "zal", "pem", "rix", "hol",
    "tav", "nor", "quil", "dro", "mas",
];
const STREETS: &[&str] =
    &["Larkspur", "Quarry", "Tannery", "Millrace", "Foundry", "Orchard", "Beacon", "Weir"];
const TOWNS: &[&str] = &["Eastmere", "Norwold", "Tarnbrook", "Highfell", "Silverden", "Ashcombe"];

fn surname(dice: &mut Dice, syllables: usize) -> String {
    let mut name: String = (0..syllables).map(|_| *dice.pick(SYLLABLES)).collect();
    if let Some(first) = name.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    name
}

pub(super) fn email(dice: &mut Dice) -> Made {
    let given = dice.pick(GIVEN).to_lowercase();
    let family = surname(dice, 3).to_lowercase();
    let number = dice.between(10, 99);
    let company = surname(dice, 2).to_lowercase();
    Made::whole(format!("{given}.{family}{number}@{company}-logistics.com"))
}

/// Area 001–665 and 667–899, group 01–99, serial 0001–9999 (Social Security Administration).
pub(super) fn us_ssn(dice: &mut Dice) -> Made {
    let area = match dice.between(100, 898) {
        666 => 667,
        area => area,
    };
    let (group, serial) = (dice.between(10, 99), dice.between(1000, 9999));
    Made::whole(format!("{area}-{group}-{serial}"))
}

/// German, British or Dutch, with valid check digits.
pub(super) fn iban(dice: &mut Dice) -> Made {
    let (country, account) = match dice.below(3) {
        0 => ("DE", dice.text(DIGITS, 18)),
        1 => ("GB", format!("NWBK{}", dice.text(DIGITS, 14))),
        _ => ("NL", format!("ABNA0{}", dice.text(DIGITS, 9))),
    };
    let check = 98 - iban_remainder(country, 0, &account);
    Made::whole(format!("{country}{check:02}{account}"))
}

/// Sixteen digits in a range of Visa or Mastercard, with the Luhn digit.
pub(super) fn payment_card(dice: &mut Dice) -> Made {
    let head = *dice.pick(&["4539", "4716", "5412", "5224"]);
    let body = format!("{head}{}", dice.text(DIGITS, 11));
    Made::whole(format!("{body}{}", luhn_digit(&body)))
}

/// E.164, in German and British mobile ranges.
pub(super) fn phone(dice: &mut Dice) -> Made {
    match dice.below(2) {
        0 => Made::whole(format!("+49151{}", dice.between(10_000_000, 99_999_999))),
        _ => Made::whole(format!("+447{}", dice.between(400_000_000, 999_999_999))),
    }
}

pub(super) fn bank_account(dice: &mut Dice) -> Made {
    Made::whole(format!("{}{}", dice.between(1, 9), dice.text(DIGITS, 11)))
}

pub(super) fn given_name(dice: &mut Dice) -> Made {
    let tail = surname(dice, 3);
    Made::whole(format!("{}-{tail}", dice.pick(GIVEN)))
}

pub(super) fn family_name(dice: &mut Dice) -> Made {
    Made::whole(surname(dice, 4))
}

pub(super) fn person_name(dice: &mut Dice) -> Made {
    let family = surname(dice, 4);
    Made::whole(format!("{} {family}", dice.pick(GIVEN)))
}

pub(super) fn street_address(dice: &mut Dice) -> Made {
    let number = dice.between(1, 999);
    let (street, town) = (*dice.pick(STREETS), *dice.pick(TOWNS));
    let flat = dice.between(1, 99);
    let postcode = dice.between(10_000, 99_999);
    Made::whole(format!("{number} {street} Lane, Flat {flat}, {town} {postcode}"))
}
