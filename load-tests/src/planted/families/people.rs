//! Owns data about people who do not exist: drawn names and numbers with right check digits, addresses inside networks.
//! It must never hold the data of a real person.

use super::super::Sample;
use super::super::checks;
use super::{Family, Tell};
use crate::generator::checksums::{iban_remainder, luhn_digit};
use crate::generator::dice::{DIGITS, Dice, LOWER, UPPER};

const PHONE: Tell = Tell::Person(
    &["phone", "phone_number", "mobile_phone", "contact_phone", "fax_number"],
    &["Phone: \u{2039}\u{203a}", "Tel. \u{2039}\u{203a}", "mobile \u{2039}\u{203a}, office hours only"],
);

const fn person(
    name: &'static str,
    make: fn(&mut Dice) -> Sample,
    keys: &'static [&'static str],
    announced: &'static [&'static str],
) -> Family {
    Family { make: super::Make::Function(make), tell: Tell::Person(keys, announced), ..super::made(name, make) }
}

pub(super) const FAMILIES: &[Family] = &[
    super::made("email", email),
    super::made("phone-e164", e164),
    Family { tell: PHONE, ..super::made("phone-national", national_phone) },
    super::made("us-ssn", us_ssn),
    person("us-ssn-bare", |d| digits(us_ssn(d)), &["ssn", "social_security_number"], &["SSN \u{2039}\u{203a}", "SSN: \u{2039}\u{203a}"]),
    person("uk-nino", nino, &["nino", "national_insurance_number"], &["NINO \u{2039}\u{203a}", "National Insurance number: \u{2039}\u{203a}"]),
    person("es-dni", dni, &["dni", "nif"], &["DNI \u{2039}\u{203a}", "DNI: \u{2039}\u{203a}"]),
    person("es-nie", nie, &["nie"], &["NIE \u{2039}\u{203a}"]),
    super::made("fr-nir-spaced", |d| nir(d, true)),
    person("fr-nir", |d| nir(d, false), &["nir", "insee_number"], &["NIR \u{2039}\u{203a}"]),
    super::made("it-codice-fiscale", codice_fiscale),
    person("pl-pesel", pesel, &["pesel"], &["PESEL \u{2039}\u{203a}", "PESEL: \u{2039}\u{203a}"]),
    person("nl-bsn", bsn, &["bsn", "burgerservicenummer"], &["BSN \u{2039}\u{203a}", "BSN: \u{2039}\u{203a}"]),
    super::made("br-cpf", |d| cpf(d, true)),
    person("br-cpf-bare", |d| cpf(d, false), &["cpf"], &["CPF \u{2039}\u{203a}"]),
    person("in-aadhaar", aadhaar, &["aadhaar", "aadhaar_number"], &["Aadhaar \u{2039}\u{203a}", "Aadhaar number: \u{2039}\u{203a}"]),
    person("de-tax-id", german_tax_id, &["steuer_id", "tax_id", "steuerliche_identifikationsnummer"], &["Steuer-ID \u{2039}\u{203a}", "Steuer-ID: \u{2039}\u{203a}"]),
    person("ca-sin", sin, &["sin", "social_insurance_number"], &["SIN \u{2039}\u{203a}", "Social Insurance Number: \u{2039}\u{203a}"]),
    super::made("be-national-number", belgian),
    super::made("ch-ahv", ahv),
    person("se-personnummer", personnummer, &["personnummer"], &["personnummer \u{2039}\u{203a}"]),
    person("fi-hetu", hetu, &["hetu", "henkilotunnus"], &["HETU \u{2039}\u{203a}"]),
    super::made("cl-rut", rut),
    super::made("cn-resident-id", resident_id),
    person("uk-nhs-number", nhs, &["nhs_number"], &["NHS number \u{2039}\u{203a}", "NHS number: \u{2039}\u{203a}"]),
    person("za-id", south_african, &["national_id", "id_number"], &["national id \u{2039}\u{203a}"]),
    person("passport", |d| Sample::whole(format!("{}{}", d.text(UPPER, 1), d.text(DIGITS, 8))), &["passport_number", "passport_no"], &["passport number \u{2039}\u{203a}"]),
    super::made("iban", |d| iban(d, false)),
    super::made("iban-grouped", |d| iban(d, true)),
    super::made("card", |d| card(d, "")),
    super::made("card-spaced", |d| card(d, " ")),
    super::made("card-dashed", |d| card(d, "-")),
    person("card-number", |d| card(d, ""), &["card_number", "credit_card"], &["card number \u{2039}\u{203a}"]),
    person("bank-account", |d| Sample::whole(format!("{}{}", d.between(1, 9), d.text(DIGITS, 9))), &["bank_account_number", "bank_account"], &["bank account number \u{2039}\u{203a}"]),
    person("routing-number", routing, &["routing_number", "aba_routing_number"], &["routing number \u{2039}\u{203a}"]),
    person("full-name", full_name, &["full_name", "contact_name", "cardholder_name", "owner_full_name"], &["Dear \u{2039}\u{203a},", "Contact: \u{2039}\u{203a}", "Mr. \u{2039}\u{203a} signed it off", "please ask Dr. \u{2039}\u{203a} first", "Kind regards, \u{2039}\u{203a}"]),
    person("given-name", |d| Sample::whole(d.pick(GIVEN).to_string()), &["first_name", "given_name"], &[]),
    person("family-name", |d| Sample::whole(d.pick(FAMILY).to_string()), &["last_name", "surname", "family_name"], &[]),
    person("street-address", street, &["street_address", "address_line1", "home_address", "postal_address"], &["Address: \u{2039}\u{203a}", "Ship to \u{2039}\u{203a}", "lives at \u{2039}\u{203a}"]),
    person("birth-date", birth_date, &["date_of_birth", "dob", "birth_date"], &["born \u{2039}\u{203a}", "date of birth: \u{2039}\u{203a}"]),
    super::made("private-ipv4", |d| Sample::whole(private_v4(d))),
    super::made("private-ipv4-network", |d| {
        let text = private_v4(d);
        let head = text.rsplit_once('.').map_or("10.0.0", |(head, _)| head).to_owned();
        Sample::inside("", &format!("{head}.0"), *d.pick(&["/24", "/25", "/28"]))
    }),
    super::made("private-ipv4-with-port", |d| {
        let text = private_v4(d);
        Sample::inside("", &text, &format!(":{}", d.between(1024, 9999)))
    }),
    super::made("private-ipv6", |d| Sample::whole(unique_local(d))),
    super::made("private-ipv6-network", |d| {
        let (a, b, c) = (d.between(0, 255), d.between(0x1000, 0xffff), d.between(0x1000, 0xffff));
        Sample::inside("", &format!("fd{a:02x}:{b:x}:{c:x}::"), "/48")
    }),
    super::made("private-ipv6-url", |d| {
        let text = unique_local(d);
        Sample::inside("http://[", &text, "]:8080/status")
    }),
    super::made("high-entropy-base62", |d| Sample::whole(super::super::format::sample(d, "{b62:40-60}").text)),
    super::made("high-entropy-base64", |d| Sample::whole(super::super::format::sample(d, "{b64:86}==").text)),
    super::made("high-entropy-url-safe", |d| Sample::whole(super::super::format::sample(d, "{b64u:48-64}").text)),
];

const GIVEN: &[&str] = &[
    "Maria", "James", "Anna", "Michael", "Julia", "Robert", "Sophie", "Thomas", "Laura", "David", "Elena",
    "Daniel", "Sarah", "Andreas", "Emma", "Carlos", "Olivia", "Marco", "Ingrid", "Pierre", "Fatima", "Hiroshi",
    "Priya", "Katarzyna", "Sven", "Giulia", "Ahmed", "Natalia", "Patrick", "Charlotte",
];
const FAMILY: &[&str] = &[
    "Schmidt", "Johnson", "Garcia", "Rossi", "Kowalski", "Nguyen", "Dubois", "Andersson", "Williams", "Hoffmann",
    "Martinez", "Petrov", "Tanaka", "O'Brien", "Fernandez", "Weber", "Janssen", "Patel", "Moreau", "Lindqvist",
    "Anderson", "Fischer", "Romano", "Silva", "Novak", "Thompson", "Schneider", "Murphy", "Larsen", "Becker",
];
const STREETS: &[&str] =
    &["Larkspur", "Quarry", "Tannery", "Millrace", "Foundry", "Orchard", "Beacon", "Weir", "Maple", "Station"];
const TOWNS: &[&str] = &["Eastmere", "Norwold", "Tarnbrook", "Highfell", "Silverden", "Ashcombe"];

fn digits(sample: Sample) -> Sample {
    Sample::whole(sample.text.replace(|c: char| !c.is_ascii_digit(), ""))
}

fn email(dice: &mut Dice) -> Sample {
    let ascii = |text: &str| text.to_lowercase().replace('\'', "");
    let (given, family) = (ascii(dice.pick::<&str>(GIVEN)), ascii(dice.pick::<&str>(FAMILY)));
    let company = dice.text(LOWER, 7);
    let number = dice.between(10, 9_999);
    Sample::whole(match dice.below(5) {
        0 => format!("{given}.{family}{number}@{company}-logistics.com"),
        1 => format!("{given}+tf{number}@{company}.io"),
        2 => format!("{family}_{number}@mail.{company}.co.uk"),
        3 => format!("{}{number}@{company}.de", &given[..1]),
        _ => format!("{given}-{family}.{number}@{company}.example.org"),
    })
}

fn e164(dice: &mut Dice) -> Sample {
    let number = |dice: &mut Dice, count| dice.text(DIGITS, count);
    Sample::whole(match dice.below(8) {
        0 => format!("+49151{}", number(dice, 8)),
        1 => format!("+49 171 {}", dice.between(1_000_000, 9_999_999)),
        2 => format!("+447{}", dice.between(400_000_000, 999_999_999)),
        3 => format!("+44 20 7946 0{}", dice.between(100, 999)),
        4 => format!("+1 {}-{}-{}", dice.between(201, 989), dice.between(200, 999), number(dice, 4)),
        5 => format!("+1 ({}) {}-{}", dice.between(201, 989), dice.between(200, 999), number(dice, 4)),
        6 => format!("+33 6 {} {} {} {}", number(dice, 2), number(dice, 2), number(dice, 2), number(dice, 2)),
        _ => format!("+4670{}", dice.between(1_000_000, 9_999_999)),
    })
}

fn national_phone(dice: &mut Dice) -> Sample {
    let number = |dice: &mut Dice, count| dice.text(DIGITS, count);
    Sample::whole(match dice.below(6) {
        0 => format!("({}) {}-{}", dice.between(201, 989), dice.between(200, 999), number(dice, 4)),
        1 => format!("{}-{}-{}", dice.between(201, 989), dice.between(200, 999), number(dice, 4)),
        2 => format!("0151 {}", dice.between(10_000_000, 99_999_999)),
        3 => format!("06 {} {} {} {}", number(dice, 2), number(dice, 2), number(dice, 2), number(dice, 2)),
        4 => format!("07{} {}", dice.between(400, 999), number(dice, 6)),
        _ => format!("030/{}", dice.between(1_000_000, 9_999_999)),
    })
}

/// Area 001–665 and 667–899, group 01–99, serial 0001–9999 (Social Security Administration).
fn us_ssn(dice: &mut Dice) -> Sample {
    let area = match dice.between(1, 898) {
        666 => 667,
        area => area,
    };
    Sample::whole(format!("{area:03}-{:02}-{:04}", dice.between(1, 99), dice.between(1, 9_999)))
}

/// HMRC: the letters that are in use.
fn nino(dice: &mut Dice) -> Sample {
    let head = *dice.pick(&["AB", "CE", "JK", "LM", "PR", "SX", "WY", "HA"]);
    let tail = *dice.pick(&["A", "B", "C", "D"]);
    let parts: Vec<String> = (0..3).map(|_| dice.text(DIGITS, 2)).collect();
    let join = if dice.one_in(2) { " " } else { "" };
    Sample::whole(format!("{head}{join}{}{join}{tail}", parts.join(join)))
}

fn dni(dice: &mut Dice) -> Sample {
    let number = dice.between(10_000_000, 99_999_999);
    Sample::whole(format!("{number}{}", checks::dni_letter(number)))
}

fn nie(dice: &mut Dice) -> Sample {
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
fn nir(dice: &mut Dice, spaced: bool) -> Sample {
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

fn codice_fiscale(dice: &mut Dice) -> Sample {
    let consonants = b"BCDFGLMNPRSTVZ";
    let (names, month) = (dice.text(consonants, 6), dice.text(b"ABCDEHLMPRST", 1));
    let (year, day, place) = (dice.below(100), dice.between(1, 28), dice.between(100, 999));
    let body = format!("{names}{year:02}{month}{day:02}H{place}");
    let check = checks::fiscal_letter(&body);
    Sample::whole(format!("{body}{check}"))
}

fn birth(dice: &mut Dice) -> (u32, u32, u32) {
    (dice.between(1950, 1999), dice.between(1, 12), dice.between(1, 28))
}

fn pesel(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let body = format!("{:02}{month:02}{day:02}{}", year % 100, dice.text(DIGITS, 4));
    let check = (10 - checks::weighted(&body, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10;
    Sample::whole(format!("{body}{check}"))
}

/// The eleven test: weights 9 … 2 and -1.
fn bsn(dice: &mut Dice) -> Sample {
    loop {
        let body = dice.between(10_000_000, 99_999_999).to_string();
        let check = checks::weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        if check < 10 {
            return Sample::whole(format!("{body}{check}"));
        }
    }
}

fn cpf(dice: &mut Dice, dotted: bool) -> Sample {
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

fn aadhaar(dice: &mut Dice) -> Sample {
    let body = format!("{}{}", dice.between(2, 9), dice.text(DIGITS, 10));
    let body = format!("{body}{}", checks::verhoeff(&body));
    Sample::whole(match dice.below(2) {
        0 => body,
        _ => format!("{} {} {}", &body[..4], &body[4..8], &body[8..]),
    })
}

/// Ten digits of which exactly one comes twice.
fn german_tax_id(dice: &mut Dice) -> Sample {
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

fn sin(dice: &mut Dice) -> Sample {
    let body = format!("{}{}", dice.between(1, 7), dice.text(DIGITS, 7));
    let body = format!("{body}{}", luhn_digit(&body));
    Sample::whole(match dice.below(3) {
        0 => body,
        1 => format!("{} {} {}", &body[..3], &body[3..6], &body[6..]),
        _ => format!("{}-{}-{}", &body[..3], &body[3..6], &body[6..]),
    })
}

fn belgian(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let order = dice.between(1, 997);
    let number: u64 = format!("{:02}{month:02}{day:02}{order:03}", year % 100).parse().unwrap_or(0);
    let check = checks::complement_97(number);
    Sample::whole(format!("{:02}.{month:02}.{day:02}-{order:03}.{check:02}", year % 100))
}

fn ahv(dice: &mut Dice) -> Sample {
    let body = format!("756{}", dice.text(DIGITS, 9));
    let check = checks::ean(&body);
    Sample::whole(format!("756.{}.{}.{}{check}", &body[3..7], &body[7..11], &body[11..]))
}

fn personnummer(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let date = format!("{:02}{month:02}{day:02}", year % 100);
    let order = dice.text(DIGITS, 3);
    let check = luhn_digit(&format!("{date}{order}"));
    Sample::whole(format!("{date}-{order}{check}"))
}

fn hetu(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let date = format!("{day:02}{month:02}{:02}", year % 100);
    let order = dice.between(2, 899);
    let number: u64 = format!("{date}{order:03}").parse().unwrap_or(0);
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY"[usize::try_from(number % 31).unwrap_or(0)];
    Sample::whole(format!("{date}-{order:03}{}", char::from(check)))
}

fn rut(dice: &mut Dice) -> Sample {
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

fn resident_id(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let area = *dice.pick(&["110105", "310115", "440305", "330106", "510104"]);
    let body = format!("{area}{year}{month:02}{day:02}{}", dice.text(DIGITS, 3));
    let check = checks::resident_character(&body);
    Sample::whole(format!("{body}{check}"))
}

fn nhs(dice: &mut Dice) -> Sample {
    loop {
        let body = format!("{}{}", dice.between(4, 7), dice.text(DIGITS, 8));
        let check = (11 - checks::weighted(&body, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        if check < 10 {
            return Sample::whole(format!("{} {} {}{check}", &body[..3], &body[3..6], &body[6..]));
        }
    }
}

fn south_african(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    let body = format!("{:02}{month:02}{day:02}{}08", year % 100, dice.text(DIGITS, 4));
    Sample::whole(format!("{body}{}", luhn_digit(&body)))
}

/// Lengths and bank codes of the IBAN registry.
fn iban(dice: &mut Dice, grouped: bool) -> Sample {
    let (country, account) = match dice.below(8) {
        0 => ("DE", dice.text(DIGITS, 18)),
        1 => ("GB", format!("NWBK{}", dice.text(DIGITS, 14))),
        2 => ("NL", format!("ABNA{}", dice.text(DIGITS, 10))),
        3 => ("FR", format!("{}{}{}", dice.text(DIGITS, 10), dice.text(UPPER, 1), dice.text(DIGITS, 12))),
        4 => ("ES", dice.text(DIGITS, 20)),
        5 => ("IT", format!("X{}", dice.text(DIGITS, 22))),
        6 => ("CH", dice.text(DIGITS, 17)),
        _ => ("PL", dice.text(DIGITS, 24)),
    };
    let check = 98 - iban_remainder(country, 0, &account);
    let text = format!("{country}{check:02}{account}");
    Sample::whole(match grouped {
        true => {
            let groups: Vec<_> = text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
            groups.join(" ")
        }
        false => text,
    })
}

/// Visa, Mastercard, American Express, Discover; with the Luhn digit.
fn card(dice: &mut Dice, join: &str) -> Sample {
    let (head, count) = *dice.pick(&[("4539", 16), ("4716", 16), ("5412", 16), ("5224", 16), ("6011", 16), ("3782", 15)]);
    let body = format!("{head}{}", dice.text(DIGITS, count - 5));
    let text = format!("{body}{}", luhn_digit(&body));
    let cuts: &[usize] = if count == 15 { &[4, 10, 15] } else { &[4, 8, 12, 16] };
    let mut from = 0;
    let groups: Vec<&str> = cuts.iter().map(|to| &text[std::mem::replace(&mut from, *to)..*to]).collect();
    Sample::whole(groups.join(join))
}

/// American Bankers Association: weights 3, 7, 1.
fn routing(dice: &mut Dice) -> Sample {
    let body = format!("0{}{}", dice.between(1, 9), dice.text(DIGITS, 6));
    let check = (10 - checks::weighted(&body, &[3, 7, 1, 3, 7, 1, 3, 7]) % 10) % 10;
    Sample::whole(format!("{body}{check}"))
}

fn full_name(dice: &mut Dice) -> Sample {
    let family = *dice.pick(FAMILY);
    Sample::whole(format!("{} {family}", dice.pick(GIVEN)))
}

fn street(dice: &mut Dice) -> Sample {
    let (number, street, town) = (dice.between(1, 299), *dice.pick(STREETS), *dice.pick(TOWNS));
    Sample::whole(match dice.below(3) {
        0 => format!("{number} {street} Street, {town}, NY {}", dice.between(10_001, 14_999)),
        1 => format!("{street}straße {number}, {} {town}", dice.between(10_115, 99_998)),
        _ => format!("{number} {street} Lane, {town} SW1A {}AB", dice.between(1, 9)),
    })
}

fn birth_date(dice: &mut Dice) -> Sample {
    let (year, month, day) = birth(dice);
    Sample::whole(match dice.below(2) {
        0 => format!("{year}-{month:02}-{day:02}"),
        _ => format!("{day:02}.{month:02}.{year}"),
    })
}

/// RFC 1918.
fn private_v4(dice: &mut Dice) -> String {
    let octet = |dice: &mut Dice| dice.between(1, 254);
    let (b, c, d) = (octet(dice), octet(dice), octet(dice));
    match dice.below(3) {
        0 => format!("10.{b}.{c}.{d}"),
        1 => format!("172.{}.{c}.{d}", 16 + b % 16),
        _ => format!("192.168.{c}.{d}"),
    }
}

/// RFC 4193.
fn unique_local(dice: &mut Dice) -> String {
    let mut group = || dice.between(0x1000, 0xffff);
    let (a, b, c, d) = (group(), group(), group(), group());
    format!("fd{:02x}:{b:x}:{c:x}:1::{d:x}", a & 0xff)
}
