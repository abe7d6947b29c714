//! Numbers of persons by country, behind the word that announces them: examples that python-stdnum documents, or the issuers.

use super::{redact, rules};

/// What announces the number, the number, and whether a check digit tells it from its neighbour.
#[rustfmt::skip]
const NUMBERS: &[(&str, &str, bool)] = &[
    ("fodselsnummer", "151086 95088", true), ("CPR", "211062-5629", false), ("registre national", "85 07 30 033 28", true),
    ("SVNR", "1237 010180", true), ("EGN", "8032056031", true), ("AHV", "756.9217.0769.85", true), ("RUT", "76086428-5", true),
    ("cedula", "00113918205", false), ("rodne cislo", "991231123", false), ("isikukood", "36805280109", true),
    ("asmens kodas", "33309240064", true), ("UTR", "1955839661", true), ("AMKA", "01013099997", true), ("OIB", "33392005961", true),
    ("TAJ", "111111110", true), ("NIK", "3171011708450001", false), ("PPS", "6433435F", true), ("PPS", "6433435FT", true),
    ("Teudat Zehut", "3933742-3", true), ("PAN", "ACUPA7085R", false), ("voter id", "WKH1186253", false),
    ("kennitala", "450401-3150", false), ("My Number", "6214 9832 0257", true), ("RRN", "971013-9019902", true),
    ("NRIC", "770305-02-1234", false), ("NRIC", "S1234567D", true), ("IRD", "49-098-576", true), ("DNI", "20.123.456", false),
    ("DNI", "54362315-K", true), ("NIE", "X-2482300W", true), ("CUIT", "20-05536168-2", true), ("CNIC", "34201-0891231-8", false),
    ("NIF", "501964843", true), ("CNP", "1630615123457", true), ("JMBG", "0101006500006", true), ("thai id", "1-2345-45678-78-1", true),
    ("TC kimlik no", "17291716060", true), ("taiwan id", "A123456789", true), ("RNOKPP", "1759013776", true),
    ("INN", "500100732259", true), ("SNILS", "112-233-445 95", true), ("ITIN", "912-90-3456", false), ("TFN", "123 456 782", true),
    ("medicare", "2123 45670 1", false), ("identity number", "7503305044089", true), ("RFC", "VACE-460910-SX6", false),
    ("CURP", "BOXW310820HNERXN09", true), ("emirates id", "784-1979-1234567-1", true), ("hetu", "131052-308T", true),
];

#[test]
fn a_number_that_a_word_announces_goes_and_its_neighbour_stays() {
    let rules = rules();
    let mut wrong = Vec::new();
    for (word, number, checked) in NUMBERS {
        let text = format!("{word}: {number}\n");
        if redact(&rules, "notes", &text) != format!("{word}: [REDACTED:pii]\n") {
            wrong.push(format!("{text:?} stays, or more than it goes: {}", redact(&rules, "notes", &text)));
        }
        let (body, last) = number.split_at(number.len() - 1);
        let next = match last.as_bytes()[0] {
            b'9' => '0',
            b'Z' => 'A',
            byte => char::from(byte + 1),
        };
        let neighbour = format!("{word}: {body}{next}\n");
        if *checked && redact(&rules, "notes", &neighbour) != neighbour {
            wrong.push(format!("{neighbour:?} goes: {}", redact(&rules, "notes", &neighbour)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same digits without the word, or beside another one.
#[test]
fn what_nobody_announces_stays() {
    let rules = rules();
    for text in [
        "account 00113918205 of region 1",
        "offset 8032056031",
        "RFC 7231 and RFC 9110",
        "the panel: ACUPA7085R",
        "company: ACUPA7085R",
        "final: S1234567D",
        "run 76086428-5",
        "pipeline 17291716060 of 2024",
        "ABCD241399HZZZZZ01",
        "eipalloc-0c8ae545a8fc9cccd PROJECT_NUMBER=875788170810",
    ] {
        assert_eq!(redact(&rules, "notes", text), text);
    }
}
