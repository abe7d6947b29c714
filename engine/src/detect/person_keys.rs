//! What key names say about people: names, addresses, identity, card, account and telephone numbers.
//!
//! Knows names only; must never look at a value.

use super::keys::{Words, hint};
use super::structural as rule;
use super::{Hint, KeyVerdict, RuleIx};

/// The verdict on a key that names data about people.
pub(super) fn verdict(words: &Words) -> Option<KeyVerdict> {
    let (last, before) = (words.word(0), words.word(1));
    let pair = (before, last);
    let sensitive = |ix: RuleIx| Some(KeyVerdict::Sensitive(ix));
    if let Some(named) = person(pair) {
        return Some(hint(named));
    }
    match pair {
        ("street" | "postal" | "home" | "mailing" | "billing" | "residential" | "shipping", "address")
        | ("street", "addr")
        | (
            _,
            "street" | "streetaddress" | "streetaddr" | "postaladdress" | "strasse" | "address1" | "address2"
            | "line1" | "line2",
        )
        | ("address", "line" | "line3" | "1" | "2" | "3")
        | ("line", "1" | "2" | "3")
        | ("zip" | "postal", "code")
        | (_, "postcode" | "zipcode" | "postalcode") => return sensitive(rule::POSTAL),
        ("birth", "date" | "day")
        | ("of", "birth")
        | ("data", "urodzenia")
        | ("date", "naissance")
        | (
            _,
            "geburtsdatum" | "geburtstag" | "birthdate" | "birthday" | "dob" | "dateofbirth" | "nacimiento"
            | "nascimento" | "nascita" | "datenaissance" | "geboortedatum",
        ) => {
            return sensitive(rule::BIRTH);
        }
        _ if national(pair) || pair == ("file", "number") && words.word(2) == "tax" => {
            // "insurance number" and the like are ids only where somebody wrote something.
            return Some(hint(Hint::NationalId));
        }
        ("card" | "cc", "number" | "no" | "num")
        | ("credit" | "debit", "card")
        | (_, "cardnumber" | "creditcard") => {
            return Some(hint(Hint::Card));
        }
        ("account" | "routing" | "iban" | "sort", "number" | "code")
        | ("bank", "account")
        | (_, "iban" | "bic" | "accountnumber" | "kontonummer" | "kontonr") => {
            return Some(hint(Hint::Bank));
        }
        _ => {}
    }
    let number = matches!(last, "number" | "numbers" | "no" | "num") && PHONES.contains(&before);
    (PHONES.contains(&last) || number).then(|| hint(Hint::Phone))
}

/// What a key that names a person says.
fn person(pair: (&str, &str)) -> Option<Hint> {
    match pair {
        (
            "first" | "given" | "family" | "maiden" | "middle" | "sur" | "contact" | "cardholder"
            | "employee" | "customer" | "patient",
            "name",
        )
        | ("full", "name")
        | (
            _,
            "nachname" | "vorname" | "prenom" | "apellido" | "apellidos" | "cognome" | "firstname"
            | "lastname" | "surname" | "fullname" | "givenname" | "familyname" | "cardholder",
        ) => Some(Hint::Person),
        ("last", "name") | ("nom", "famille") | (_, "nazwisko" | "achternaam" | "voornaam" | "forename") => {
            Some(Hint::Person)
        }
        (
            "owner" | "holder" | "registrant" | "recipient" | "manager" | "admin" | "preferred" | "real",
            "name",
        )
        | ("account", "holder")
        | ("emergency", "contact")
        | ("of", "kin")
        | ("protection", "officer")
        | ("created" | "approved" | "signed" | "requested" | "reviewed", "by")
        | (_, "assignee" | "reporter" | "author" | "gecos" | "patient" | "approver" | "requester") => {
            Some(Hint::Named)
        }
        _ => None,
    }
}

/// What a telephone number is called.
#[rustfmt::skip]
const PHONES: &[&str] = &[
    "phone", "telephone", "mobile", "fax", "cell", "msisdn", "tel", "cellphone", "phonenumber", "sms", "telefon",
    "telefonnummer", "handy", "handynummer", "whatsapp", "telefono", "telefone", "celular", "mobilnummer", "phones",
    "telephones", "mobiles",
];

/// Names of identity, tax and social security numbers: their last word says it.
#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "steueridentifikationsnummer", "steuernummer", "sozialversicherungsnummer", "rodnecislo", "taxpayerid",
    "identifikationsnummer", "nif", "personnummer", "hetu", "henkilotunnus", "burgerservicenummer", "ssn", "nino",
    "passport", "cpf", "dni", "nie", "nir", "bsn", "pesel", "aadhaar", "sin", "itin", "codicefiscale",
    "fodselsnummer", "rijksregisternummer", "svnr", "egn", "cedula", "isikukood", "amka", "oib", "ppsn",
    "kennitala", "mynumber", "rrn", "nric", "mykad", "cuit", "cuil", "cnic", "cnp", "jmbg", "tckn", "tckimlik",
    "snils", "tfn", "curp", "iqama", "hkid", "cccd", "emso", "rnokpp", "niss", "insz", "rut",
    "iin", "nik", "ird", "afm", "ipn", "nin", "tin", "taj", "driverslicense", "passnummer", "pps", "emiratesid",
];

/// The same with a word behind it (`cpr_number`), or by their last two words.
fn national(pair: (&str, &str)) -> bool {
    let counted = matches!(pair.1, "number" | "no" | "nr" | "num" | "id" | "nummer" | "numero" | "numer");
    NUMBERS.contains(&pair.1)
        || counted && NUMBERS.contains(&pair.0)
        || matches!(
            pair,
            (
                "license"
                    | "licence"
                    | "insurance"
                    | "insee"
                    | "nhs"
                    | "id"
                    | "identity"
                    | "citizen"
                    | "voter"
                    | "individual"
                    | "tax"
                    | "my"
                    | "kimlik"
                    | "pan"
                    | "cpr",
                "number" | "no" | "nummer",
            ) | ("steuer" | "personal" | "national" | "tax" | "citizen" | "voter" | "thai", "id")
                | ("social", "security")
                | ("resident" | "tw", "id")
                | ("birth", "number")
                | (_, "cpr")
                | ("emirates", "id")
                | ("personas", "kods")
                | ("asmens", "kodas")
                | ("taj", "szam")
                | ("driver" | "drivers", "license" | "licence")
                | ("cedula", "identidad")
                | ("adoazonosito", "jel")
                | ("taxpayer", "id")
                | ("securite", "sociale")
                | ("rodne", "cislo")
                | ("security", "number")
                | ("codice", "fiscale")
                | ("teudat", "zehut")
                | ("resident" | "residence", "registration" | "permit")
        )
}
