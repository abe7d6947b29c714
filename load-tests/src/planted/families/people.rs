//! Owns data about people who do not exist: drawn names and numbers with right check digits, addresses inside networks.
//! It must never hold the data of a real person.

use super::super::Sample;
use super::super::checks;
use super::national::{
    aadhaar, ahv, belgian, birth, bsn, codice_fiscale, cpf, dni, german_tax_id, hetu, nhs, nie, nino, nir,
    personnummer, pesel, resident_id, rut, sin, south_african, us_ssn,
};
use super::{Family, Tell};
use crate::generator::checksums::{iban_remainder, luhn_digit};
use crate::generator::dice::{DIGITS, Dice, LOWER, UPPER};

const PHONE: Tell = Tell::Person(
    &["phone", "phone_number", "mobile_phone", "contact_phone", "fax_number"],
    &["Phone: \u{2039}\u{203a}", "Tel. \u{2039}\u{203a}", "mobile \u{2039}\u{203a}, office hours only"],
);

pub(super) const fn person(
    name: &'static str,
    make: fn(&mut Dice) -> Sample,
    keys: &'static [&'static str],
    announced: &'static [&'static str],
) -> Family {
    Family {
        make: super::Make::Function(make),
        tell: Tell::Person(keys, announced),
        ..super::made(name, make)
    }
}

pub(super) const FAMILIES: &[Family] = &[
    super::made("email", email),
    super::made("phone-e164", e164),
    Family { tell: PHONE, ..super::made("phone-national", national_phone) },
    super::made("us-ssn", us_ssn),
    person(
        "us-ssn-bare",
        |d| digits(us_ssn(d)),
        &["ssn", "social_security_number"],
        &["SSN \u{2039}\u{203a}", "SSN: \u{2039}\u{203a}"],
    ),
    person(
        "uk-nino",
        nino,
        &["nino", "national_insurance_number"],
        &["NINO \u{2039}\u{203a}", "National Insurance number: \u{2039}\u{203a}"],
    ),
    person("es-dni", dni, &["dni", "nif"], &["DNI \u{2039}\u{203a}", "DNI: \u{2039}\u{203a}"]),
    person("es-nie", nie, &["nie"], &["NIE \u{2039}\u{203a}"]),
    super::made("fr-nir-spaced", |d| nir(d, true)),
    person("fr-nir", |d| nir(d, false), &["nir", "insee_number"], &["NIR \u{2039}\u{203a}"]),
    super::made("it-codice-fiscale", codice_fiscale),
    person("pl-pesel", pesel, &["pesel"], &["PESEL \u{2039}\u{203a}", "PESEL: \u{2039}\u{203a}"]),
    person(
        "nl-bsn",
        bsn,
        &["bsn", "burgerservicenummer"],
        &["BSN \u{2039}\u{203a}", "BSN: \u{2039}\u{203a}"],
    ),
    super::made("br-cpf", |d| cpf(d, true)),
    person("br-cpf-bare", |d| cpf(d, false), &["cpf"], &["CPF \u{2039}\u{203a}"]),
    person(
        "in-aadhaar",
        aadhaar,
        &["aadhaar", "aadhaar_number"],
        &["Aadhaar \u{2039}\u{203a}", "Aadhaar number: \u{2039}\u{203a}"],
    ),
    person(
        "de-tax-id",
        german_tax_id,
        &["steuer_id", "tax_id", "steuerliche_identifikationsnummer"],
        &["Steuer-ID \u{2039}\u{203a}", "Steuer-ID: \u{2039}\u{203a}"],
    ),
    person(
        "ca-sin",
        sin,
        &["sin", "social_insurance_number"],
        &["SIN \u{2039}\u{203a}", "Social Insurance Number: \u{2039}\u{203a}"],
    ),
    super::made("be-national-number", belgian),
    super::made("ch-ahv", ahv),
    person("se-personnummer", personnummer, &["personnummer"], &["personnummer \u{2039}\u{203a}"]),
    person("fi-hetu", hetu, &["hetu", "henkilotunnus"], &["HETU \u{2039}\u{203a}"]),
    super::made("cl-rut", rut),
    super::made("cn-resident-id", resident_id),
    person(
        "uk-nhs-number",
        nhs,
        &["nhs_number"],
        &["NHS number \u{2039}\u{203a}", "NHS number: \u{2039}\u{203a}"],
    ),
    person("za-id", south_african, &["national_id", "id_number"], &["national id \u{2039}\u{203a}"]),
    person(
        "passport",
        |d| Sample::whole(format!("{}{}", d.text(UPPER, 1), d.text(DIGITS, 8))),
        &["passport_number", "passport_no"],
        &["passport number \u{2039}\u{203a}"],
    ),
    super::made("iban", |d| iban(d, false)),
    super::made("iban-grouped", |d| iban(d, true)),
    super::made("card", |d| card(d, "")),
    super::made("card-spaced", |d| card(d, " ")),
    super::made("card-dashed", |d| card(d, "-")),
    person(
        "card-number",
        |d| card(d, ""),
        &["card_number", "credit_card"],
        &["card number \u{2039}\u{203a}"],
    ),
    person(
        "bank-account",
        |d| Sample::whole(format!("{}{}", d.between(1, 9), d.text(DIGITS, 9))),
        &["bank_account_number", "bank_account"],
        &["bank account number \u{2039}\u{203a}"],
    ),
    person(
        "routing-number",
        routing,
        &["routing_number", "aba_routing_number"],
        &["routing number \u{2039}\u{203a}"],
    ),
    person(
        "full-name",
        full_name,
        &["full_name", "contact_name", "cardholder_name", "owner_full_name"],
        &[
            "Dear \u{2039}\u{203a},",
            "Contact: \u{2039}\u{203a}",
            "Mr. \u{2039}\u{203a} signed it off",
            "please ask Dr. \u{2039}\u{203a} first",
            "Kind regards, \u{2039}\u{203a}",
            "approved by \u{2039}\u{203a} on Monday",
            "Owner: \u{2039}\u{203a}",
            "rotated for \u{2039}\u{203a} last week",
            "the laptop of \u{2039}\u{203a} was lost",
        ],
    ),
    person("given-name", |d| Sample::whole(d.pick(GIVEN).to_string()), &["first_name", "given_name"], &[]),
    person(
        "family-name",
        |d| Sample::whole(d.pick(FAMILY).to_string()),
        &["last_name", "surname", "family_name"],
        &[],
    ),
    person(
        "street-address",
        street,
        &["street_address", "address_line1", "home_address", "postal_address"],
        &[
            "Address: \u{2039}\u{203a}",
            "Ship to \u{2039}\u{203a}",
            "lives at \u{2039}\u{203a}",
            "the parcel went to \u{2039}\u{203a}.",
        ],
    ),
    person(
        "birth-date",
        birth_date,
        &["date_of_birth", "dob", "birth_date"],
        &["born \u{2039}\u{203a}", "date of birth: \u{2039}\u{203a}"],
    ),
    super::made("private-ipv4", |d| Sample::whole(private_v4(d))),
    super::made("private-ipv4-network", |d| {
        let text = private_v4(d);
        let head = text.rsplit_once('.').map_or("10.0.0", |(head, _)| head).to_owned();
        Sample::inside("", &format!("{head}.0"), d.pick::<&str>(&["/24", "/25", "/28"]))
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
    super::made("high-entropy-base62", |d| {
        Sample::whole(super::super::format::sample(d, "{b62:40-60}").text)
    }),
    super::made("high-entropy-base64", |d| Sample::whole(super::super::format::sample(d, "{b64:86}==").text)),
    super::made("high-entropy-url-safe", |d| {
        Sample::whole(super::super::format::sample(d, "{b64u:48-64}").text)
    }),
];

const GIVEN: &[&str] = &[
    "Maria",
    "James",
    "Anna",
    "Michael",
    "Julia",
    "Robert",
    "Sophie",
    "Thomas",
    "Laura",
    "David",
    "Elena",
    "Daniel",
    "Sarah",
    "Andreas",
    "Emma",
    "Carlos",
    "Olivia",
    "Marco",
    "Ingrid",
    "Pierre",
    "Fatima",
    "Hiroshi",
    "Priya",
    "Katarzyna",
    "Sven",
    "Giulia",
    "Ahmed",
    "Natalia",
    "Patrick",
    "Charlotte",
];
const FAMILY: &[&str] = &[
    "Schmidt",
    "Johnson",
    "Garcia",
    "Rossi",
    "Kowalski",
    "Nguyen",
    "Dubois",
    "Andersson",
    "Williams",
    "Hoffmann",
    "Martinez",
    "Petrov",
    "Tanaka",
    "O'Brien",
    "Fernandez",
    "Weber",
    "Janssen",
    "Patel",
    "Moreau",
    "Lindqvist",
    "Anderson",
    "Fischer",
    "Romano",
    "Silva",
    "Novak",
    "Thompson",
    "Schneider",
    "Murphy",
    "Larsen",
    "Becker",
];
const STREETS: &[&str] = &[
    "Larkspur", "Quarry", "Tannery", "Millrace", "Foundry", "Orchard", "Beacon", "Weir", "Maple", "Station",
];
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

/// Lengths and bank codes of the IBAN registry.
fn iban(dice: &mut Dice, grouped: bool) -> Sample {
    let (country, account): (&str, String) = match dice.below(8) {
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
    let (head, count) =
        *dice.pick(&[("4539", 16), ("4716", 16), ("5412", 16), ("5224", 16), ("6011", 16), ("3782", 15)]);
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

/// As the Universal Postal Union's addressing guides of the countries write them.
fn street(dice: &mut Dice) -> Sample {
    let (number, street, town) = (dice.between(1, 299), *dice.pick(STREETS), *dice.pick(TOWNS));
    let (five, four) = (dice.between(10_115, 94_998), dice.between(1_010, 9_499));
    Sample::whole(match dice.below(16) {
        0 => format!("{number} {street} Street, {town}, NY {}", dice.between(10_001, 14_999)),
        1 => format!("{street}straße {number}, {five} {town}"),
        2 => format!("{number} {street} Lane, {town} SW1A {}AB", dice.between(1, 9)),
        3 => format!("{number} {street} Ave, Apt {}, {town}, CA {five}", dice.between(1, 99)),
        4 => format!("{number} rue de la {street}, {five} {town}"),
        5 => format!("Calle {street} {number}, {five} {town}"),
        6 => format!("Via {street} {number}, {five} {town}"),
        7 => format!("{street}straat {number}, {four} AB {town}"),
        8 => format!("ul. {street} {number}, {}-{} {town}", dice.between(10, 99), dice.between(100, 999)),
        9 => format!("{street}gatan {number}, {} {} {town}", dice.between(100, 984), dice.between(10, 99)),
        10 => format!("{street}weg {number}, {four} {town}"),
        11 => format!("Rua {street} {number}, {four}-{} {town}", dice.between(100, 999)),
        12 => format!("{number} {street} Road, {town}, ON K1A 0B{}", dice.between(1, 9)),
        13 => format!("{number} {street} Street, {town} NSW {}", dice.between(2_000, 2_999)),
        14 => format!("P.O. Box {}, {town}, TX 7{}", dice.between(100, 9_999), dice.between(1_000, 9_999)),
        _ => format!("{number} avenue {street}, {five} {town}, France"),
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
