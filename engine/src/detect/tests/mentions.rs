//! Names of people and postal addresses in running text. `‹…›` stands around what must go; nobody here exists.

use proptest::prelude::*;

use super::{redact, rules};
use crate::detect::{KeyVerdict, Scratch};

const NAMES: &[&str] = &[
    "Dear ‹Michael Patel›,",
    "Requested by ‹Tyler McAllister›",
    "Kontaktperson: ‹Åsa Sjöberg›",
    "Contact: ‹Katarzyna Moreau›",
    "Mr. ‹Patrick Weber› signed it off",
    "please ask Dr. ‹Priya Romano› first",
    "Kind regards, ‹Charlotte Anderson›",
    "Kind regards,\n‹John Smith›\nHead of Platform",
    "Managed by ‹Jane Miller›",
    "approved by ‹Maria Garcia Lopez› on 2025-03-01",
    "owner=‹John F. Kowalski›",
    "Owner: ‹Anne-Marie Dubois› (on call)",
    "The key of ‹Zbigniew Wiśniewski› was rotated",
    "‹Jürgen Müller› hat das geprüft",
    "Sehr geehrter Herr ‹Schröder›,",
    "Sehr geehrte Frau Dr. ‹Schäfer›,",
    "Cher Monsieur ‹Lefèvre›, bonjour",
    "Estimada Sra. ‹Fernández García›: gracias",
    "Gentile Sig. ‹Giuseppe Esposito›",
    "Geachte heer, contact: ‹Pieter van der Berg›",
    "written by ‹Sinead O'Connor› and reviewed by ‹Ian McDonald›",
    "escalate to ‹Rajesh Krishnan› or ‹Mohammed Al Hassan›",
    "‹Thomas Müller›, Vertrieb",
    "User ‹Emily Clark› requested access for ‹Ahmed Khan›.",
    "Employee ‹Smith, Jennifer› left",
    "Author: ‹Tomáš Dvořák›",
    "Dear ‹Maria›,",
    "Hi ‹Olivia›! see below",
    "Ask ‹Robert Zubrowka› about it",
    "Contact: ‹Kamagate Sottile›",
    "Ansprechpartner: ‹Uwe Bergmann›",
    "Responsable: ‹Lucía Fernández›",
    "Patient ‹Hannah Schmidt› was admitted",
    "Prof. ‹Nakamura› will present",
    "on behalf of ‹Ludwig van Beethofer›",
    "‹J. Smith› added this",
    "Owned by ‹David Johnson›'s team",
    "‹Maria D'Angelo›",
    "contact=‹Maria›",
    "‹María Ángel Fernández›",
    "Dear ‹Maria O'Brien›",
    "rotated for ‹Charlotte Thompson› last week",
    "the laptop of ‹Victoria Taylor› was lost",
];

const ADDRESSES: &[&str] = &[
    "Address: ‹48 Quarry Street, Eastmere, NY 11908›",
    "Ship to ‹34 Larkspur Lane, Highfell SW1A 2AB›",
    "lives at ‹Stationstraße 77, 54792 Silverden›",
    "Deliver to ‹742 Evergreen Terrace, Springfield, IL 62704› by noon",
    "‹1600 Pennsylvania Avenue NW, Washington, DC 20500›",
    "‹350 Fifth Ave, Suite 3300, New York, NY 10118-0110, USA›",
    "office: ‹221B Baker Street, London NW1 6XE›",
    "Flat 3, ‹12 High Street, Oxford OX1 4AA, United Kingdom›",
    "Sitz: ‹Musterstr. 12a, 80331 München›",
    "wohnt ‹Berliner Straße 5, 10115 Berlin, Deutschland› seit 2020",
    "‹Unter den Linden 77, 10117 Berlin›",
    "‹Am Markt 5, D-28195 Bremen›",
    "Adresse : ‹12 rue de la Paix, 75002 Paris›",
    "‹5 bis avenue Victor Hugo, 69003 Lyon›",
    "‹12, boulevard Saint-Michel, 75005 Paris, France›",
    "Dirección: ‹Calle Mayor 5, 28013 Madrid›",
    "‹Avenida de la Constitución 12, 41001 Sevilla›",
    "Indirizzo: ‹Via Roma 12, 00184 Roma (RM)›",
    "‹Piazza del Duomo, 3, 20121 Milano›",
    "Adres: ‹Keizersgracht 123, 1015 CJ Amsterdam›",
    "‹Kerkstraat 12, 3511 AB Utrecht›",
    "‹ul. Długa 7, 00-238 Warszawa›",
    "‹Drottninggatan 4, 111 51 Stockholm›",
    "‹Bahnhofstrasse 1, 8001 Zürich›",
    "‹Rua Augusta 100, 1100-053 Lisboa›",
    "‹123 Main St, Apt 4B, Springfield, IL 62704›",
    "‹100 King Street West, Toronto, ON M5X 1A9›",
    "‹12 George Street, Sydney NSW 2000›",
    "mailing address ‹55 Oak Drive, Portland, OR›",
    "He moved to ‹12 Elm Street›.",
    "Postal: ‹P.O. Box 1234, Springfield, IL 62704›",
    "‹Postfach 1234, 60001 Frankfurt›",
    "‹742 Evergreen Terrace\nSpringfield, IL 62704›",
    "‹350 FIFTH AVENUE, NEW YORK, NY 10118›",
];

/// Speak of nobody and of no house.
/// What is told by its place in a table, a card or a statement, and numbers that words announce.
const PLACED: &[&str] = &[
    "id,first_name,last_name\n1,‹Quorvin›,‹Belsand›\n2,‹Ash›,‹Tor›\n",
    "INSERT INTO c (id, first_name, phone) VALUES (1, '‹Quorvin›', '‹0171 0023120›')",
    "BEGIN:VCARD\nN:‹Belsand;Quorvin;;Mr.;›\nADR;TYPE=HOME:‹;;14 Harbour Rd;Leeds;;LS6 3QT;UK›\nBDAY:‹1980-02-04›\nTITLE:Engineer\nEND:VCARD",
    "contacter le support au ‹06 65 06 93 10›.",
    "cell. ‹349 5087327›, residente a Roma",
    "bereikbaar op ‹06-35720925›, of per mail",
    "Bitte anrufen: ‹030/21635792›",
    "Platform\nM: ‹020 7477 3678›\n",
    "電話 ‹03-5264-1609›",
    "전화 ‹010-3267-8997›",
    "Связь: тел. ‹8 912 345-67-89›",
    "geboren am ‹07.09.1989› in Ulm",
    "driver's license ‹A1787110›",
    "henkilötunnus: ‹131052-308T›",
    "NI no. ‹WG375874B›",
    "the employee with PAN ‹ACUPA7085R›, do not delete",
    "sort code 06-77-53 account ‹49461000›",
    "Condition failed: {\"settings\":{\"fax_number\":\"‹030/5569400›\",\"replicas\":2}}",
    "x={\"a\":\"{\\\"fax_number\\\":\\\"‹030/5569400›\\\"}\"}",
    "id,first_name,region\n",
    "GB00NWBK50876633769762",
    "japan ACUPA7085R",
    "M: 12 items",
];

const STAYS: &[&str] = &[
    "Managed by Terraform",
    "Contact: Platform Team",
    "Owner: Data Engineering",
    "Dear Customer,",
    "Dear Sir or Madam,",
    "Dear Hiring Manager,",
    "Hello World",
    "Hi Team, see the Runbook",
    "Amazon Aurora and Azure Bastion",
    "Google Cloud Storage bucket in San Francisco",
    "Apache Cassandra on Red Hat Enterprise Linux",
    "Microsoft Windows Server 2022 Datacenter",
    "Jenkins Pipeline for Travis Build",
    "US East (N. Virginia) and South America",
    "Morgan Stanley and Johnson Controls",
    "the Grace Period ends in May",
    "Mark Deleted Rows, Will Retry",
    "St. Louis, Costa Rica, Santa Cruz, Las Vegas, Sierra Leone",
    "Name: Elastic Beanstalk",
    "Allow HTTPS from VPC",
    "Role for Lambda Execution",
    "Default Security Group",
    "Central European Standard Time",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0",
    "Bearer Authentication Failed",
    "Julia Language, Ruby Gem, Max Retries",
    "Austin Texas, Paris France, Jordan Amman",
    "MIT License, Apache License Version 2.0",
    "created by: Jenkins",
    "Region: Frankfurt, Zone: A",
    "Dr. Failover drill",
    "the state of Georgia Tech and of Austin Texas",
    "the Head of Data Platform and of Cloud Services",
    "Grace Period and Mark Page",
    "Step 1 Create Bucket, Step 2 Add Policy",
    "12 Factor App, 3 Way Handshake, 5 Minute Drive",
    "listen on 8080 Next Route 53 Zone",
    "Version 12 Main Branch",
    "Address: 10 Gigabit Ethernet",
    "located in Zone 5, Building 12",
    "Engineering 5, Monitoring 12",
    "timeout 30 Seconds, 12345 Items",
    "20 Way Multiplexer",
    "Backup Window Monday 03:00 to 04:00",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "Charles Schwab University and Victor Hugo Street",
];

#[test]
fn people_and_addresses_in_texts_go_and_nothing_else() {
    let rules = rules();
    let mut wrong = Vec::new();
    for marked in NAMES.iter().chain(ADDRESSES).chain(PLACED).chain(STAYS) {
        let mut expected = String::new();
        for (at, part) in marked.split(['‹', '›']).enumerate() {
            expected.push_str(if at % 2 == 1 { "[REDACTED:pii]" } else { part });
        }
        let got = redact(&rules, "description", &marked.replace(['‹', '›'], ""));
        if got != expected {
            wrong.push(format!("is     {got:?}\nshould {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}

proptest! {
    /// What is asked for by the cheap look is all that is found without it.
    #[test]
    fn no_person_and_no_address_is_passed_over(pieces in prop::collection::vec(piece(), 1..9)) {
        let (rules, text) = (rules(), pieces.concat());
        let hits = |mut scratch: Scratch| {
            let mut hits = Vec::new();
            rules.inspect(&text, KeyVerdict::Plain, &mut scratch, &mut hits);
            hits
        };
        prop_assert_eq!(hits(Scratch::default()), hits(Scratch::thorough()), "{}", text);
    }
}

/// What names and addresses are made of, and what may stand between.
fn piece() -> impl Strategy<Value = &'static str> {
    let words = prop::sample::select(vec![
        "Maria",
        "Ángel",
        "Smith",
        "García",
        "O'Brien",
        "D'Angelo",
        "J.",
        "R",
        "van",
        "de la",
        "Mr",
        "Dr.",
        "Frau",
        "Dear",
        "owner",
        "contact",
        "regards",
        "12",
        "12a",
        "Main Street",
        "FIFTH AVENUE",
        "rue de la Paix",
        "Hauptstraße",
        "Springfield",
        "80331",
        "München",
        "NEW YORK",
        "NY 10118",
        "Xqz",
        "a",
        "Jean-Luc",
        "J-Lo",
        "Émile",
    ]);
    let between = prop::sample::select(vec![
        " ", " ", " ", " ", ", ", ",", "\n", ":", ": ", "=", "<", "\"", "'", ".", "(", "-", "/", "\\n", "\t",
        "!", "*", "\u{2019}", "– ", ";",
    ]);
    prop_oneof![words, between]
}
