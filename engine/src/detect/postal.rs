//! Postal addresses in running text: a street with a house number, and the place behind it.
//!
//! Begins at numbers, since every address has one. A street and a postcode are enough; a street alone needs a word before it that
//! says somebody lives or receives there, or a form that nothing else has. Must never take a name of a place alone.

use std::ops::ControlFlow;

use super::postcode;

/// Words for a street that stand behind its name, in English: nothing else is written so behind a number.
#[rustfmt::skip]
const BEHIND_SURE: &[&str] = &["street", "avenue", "boulevard", "lane", "road", "blvd", "ave"];
/// The same, when a place follows.
#[rustfmt::skip]
const BEHIND: &[&str] = &[
    "st", "rd", "ln", "dr", "drive", "court", "ct", "place", "pl", "square", "sq", "terrace", "ter", "way", "parkway", "pkwy", "highway",
    "hwy", "circle", "cir", "trail", "trl", "close", "crescent", "cres", "gardens", "grove", "mews", "row", "walk", "hill", "rise", "view", "green",
    "alley", "plaza", "broadway", "esplanade", "parade", "quay", "wharf", "turnpike", "pike", "loop", "crossing", "path", "run", "mall",
    "bend", "cove", "creek", "ridge", "point", "pointe", "pass", "landing", "manor", "meadow", "meadows", "heights", "harbor", "glen", "estates", "freeway",
    "causeway", "canyon", "knoll", "knolls", "spur", "trace", "valley", "vista", "springs", "shores", "orchard", "overpass", "underpass", "trafficway",
    "throughway", "skyway", "motorway", "utca", "út", "útja", "tér", "körút", "köz", "sokak", "sokağı", "caddesi", "cadde", "bulvarı", "mahallesi", "ulica", "cesta", "trg",
];
/// Words for a street that stand before its name.
#[rustfmt::skip]
const BEFORE: &[&str] = &[
    "rue", "avenue", "av", "boulevard", "bd", "place", "chemin", "impasse", "allée", "allee", "quai", "cours", "route", "square", "passage", "sentier",
    "via", "viale", "piazza", "corso", "largo", "vicolo", "piazzale", "calle", "c/", "avenida", "avda", "plaza", "paseo", "camino",
    "carrer", "ronda", "travesía", "rua", "travessa", "praça", "alameda", "estrada", "rodovia", "ul", "ulica", "aleja", "plac",
    "ulice", "náměstí", "strada", "bulevardul", "calea", "straat", "soseaua", "șoseaua", "aleea", "intrarea", "drumul", "splaiul", "jalan", "jl", "gang",
    "callejón", "calzada", "cerrada", "privada", "circuito", "prolongación", "diagonal", "pasaje", "rambla", "cuesta", "glorieta", "contrada", "borgo", "lungomare",
    "salita", "traversa", "vico", "stretto", "praceta", "beco", "ladeira", "al", "pl", "os", "osiedle",
];
/// Small words that names of streets begin with: believed with a postcode only.
const SITES: &[&str] =
    &["Am", "An", "Im", "In", "Zum", "Zur", "Unter", "Auf", "Al", "Os", "Hinter", "Vor", "Beim"];
/// Ends of one word that is a street, sure ones first.
#[rustfmt::skip]
const ENDS_SURE: &[&str] = &["straße", "strasse", "straat", "gatan", "vägen", "strass", "gracht"];
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "str", "weg", "platz", "allee", "gasse", "ring", "damm", "ufer", "steig", "chaussee", "markt", "graben", "laan", "plein", "kade", "dijk", "singel",
    "steeg", "hof", "dreef", "plantsoen", "baan", "lei", "gata", "veien", "vei", "gade", "vej", "allé", "plads", "katu", "tie", "kuja", "torget", "backen",
    "gränd", "stigen", "utca", "út", "tér", "landstraße", "promenade", "stieg", "berg", "kai", "linden",
];
/// Words before an address that say what it is.
#[rustfmt::skip]
const ANNOUNCERS: &[&str] = &[
    "address", "addresses", "lives", "live", "living", "ship", "shipped", "deliver", "delivered", "delivery", "mail", "mailed", "send", "sent", "resides", "residing",
    "residence", "resident", "located", "home", "visit", "billing", "post", "postal", "headquarters", "adresse", "anschrift", "wohnt", "wohnhaft", "wohnort",
    "lieferung", "lieferadresse", "rechnungsadresse", "dirección", "direccion", "domicilio", "indirizzo", "residente", "adres", "woont", "wonende", "habite", "domicile",
    "domicilié", "morada", "endereço", "adress", "osoite", "zamieszkały", "bydliště", "return", "invoice", "sitz",
];
/// Parts of an address between its street and its place.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "apt", "apartment", "suite", "ste", "unit", "floor", "fl", "flat", "room", "rm", "building", "bldg", "bis", "ter", "quater", "whg", "etage", "og", "eg", "app",
    "piso", "puerta", "planta", "esc", "int", "interno", "scala", "bus", "bte", "boîte", "lok", "m", "byt", "n", "nº", "no", "núm", "st", "tv", "th", "tr", "dept", "bairro", "cedex",
];
/// Small words inside of names of streets and places.
#[rustfmt::skip]
const SMALL: &[&str] = &[
    "de", "del", "della", "delle", "dei", "degli", "di", "da", "do", "dos", "das", "du", "des", "la", "le", "les", "los", "las", "el", "l", "d", "van", "von", "vom", "den",
    "der", "dem", "am", "an", "im", "in", "of", "the", "upon", "on", "sur", "sous", "en", "aan", "op", "bei", "ob", "unter", "et", "y", "i", "e", "saint", "sainte",
];
/// Countries that an address ends with.
#[rustfmt::skip]
const COUNTRIES: &[&str] = &[
    "USA", "U.S.A.", "US", "United States of America", "United States", "UK", "United Kingdom", "England", "Scotland", "Wales", "Ireland", "Germany", "Deutschland", "France",
    "Spain", "España", "Italy", "Italia", "Netherlands", "The Netherlands", "Nederland", "Belgium", "Belgique", "België", "Austria", "Österreich", "Switzerland",
    "Schweiz", "Suisse", "Sweden", "Sverige", "Norway", "Norge", "Denmark", "Danmark", "Finland", "Suomi", "Poland", "Polska", "Portugal", "Brasil", "Brazil", "Canada", "Australia",
    "Czech Republic", "India", "Mexico", "México",
];

/// Bytes behind a street in which its place begins, at most.
const REACH: usize = 72;
/// Words of a street's name, at most.
const STREET_WORDS: usize = 5;

/// A street that was read, and how sure it is.
struct Street {
    start: usize,
    end: usize,
    sure: bool,
    /// Only a postcode makes it one.
    weak: bool,
}

/// Calls back for the addresses in a text, in order, until told to stop.
pub(super) fn each(text: &str, mut found: impl FnMut(usize, usize) -> ControlFlow<()>) {
    let bytes = text.as_bytes();
    let (mut at, mut done) = (0, 0);
    while at < bytes.len() {
        let begins = bytes[at].is_ascii_digit() && (at == 0 || opens(bytes[at - 1]));
        if !begins {
            at += 1;
            continue;
        }
        let number = house_number(bytes, at);
        if let Some(end) = number
            && let Some(street) = street(text, at, end).filter(|street| street.start >= done)
            && let Some(to) = address(text, &street)
        {
            if found(street.start, to).is_break() {
                return;
            }
            at = to;
            done = to;
            continue;
        }
        at += bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    }
}

/// What may stand before a house number.
fn opens(b: u8) -> bool {
    b.is_ascii_whitespace() || b"\"'(,:=>#[".contains(&b)
}

/// `12`, `221B`, `12-14`, `12/3`: where it ends.
fn house_number(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let first = digits(at);
    let mut end = at + first;
    if first > 5 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'-' | b'/')) && (1..=4).contains(&digits(end + 1)) {
        end += 1 + digits(end + 1);
    }
    end += usize::from(bytes.get(end).is_some_and(u8::is_ascii_alphabetic));
    // `2nd`, `10.1`, `5:30`, `3rd`: no house has it.
    let next = bytes.get(end);
    let ends = next.is_none_or(|b| b.is_ascii_whitespace() || b",;.\"')<".contains(b));
    let decimal = next == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    (ends && !decimal).then_some(end)
}

/// A word without its full stop, from `at`: letters, apostrophes, hyphens.
fn word(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    let len = rest
        .find(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '\u{2019}' | '-')))
        .unwrap_or(rest.len());
    &rest[..len]
}

/// The word that ends at `to`.
fn word_before(text: &str, to: usize) -> &str {
    let head = text.get(..to).unwrap_or("");
    let letters = head
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphabetic() || matches!(c, '\'' | '\u{2019}' | '-'));
    letters.last().map_or("", |(at, _)| &head[at..])
}

fn among(list: &[&str], word: &str) -> bool {
    list.iter().any(|w| w.eq_ignore_ascii_case(word))
        || !word.is_ascii() && list.contains(&word.to_lowercase().as_str())
}

fn capital(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

/// The street that a house number belongs to: before or behind it.
fn street(text: &str, start: usize, end: usize) -> Option<Street> {
    street_before(text, start, end).or_else(|| street_behind(text, start, end))
}

/// `12 Main Street`, `12 rue de la Paix`, `12, rue X`.
fn street_behind(text: &str, start: usize, end: usize) -> Option<Street> {
    let bytes = text.as_bytes();
    let comma = usize::from(bytes.get(end) == Some(&b','));
    if bytes.get(end + comma) != Some(&b' ') {
        return None;
    }
    let mut at = end + comma + 1;
    let bis = word(text, at);
    if matches!(bis, "bis" | "ter" | "quater") && bytes.get(at + bis.len()) == Some(&b' ') {
        at += bis.len() + 1;
    }
    let first = word(text, at);
    let french = among(BEFORE, first) && first.len() > 1;
    if french && bytes.get(at + first.len()).is_some_and(|b| matches!(b, b' ' | b'.')) {
        let name = name_words(text, at + first.len());
        if name > at + first.len() {
            return Some(Street { start, end: name, sure: false, weak: false });
        }
    }
    if comma > 0 {
        return None;
    }
    for _ in 0..STREET_WORDS {
        // `West 42nd Street`
        let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
        let this = word(text, at + digits);
        let to = at + digits + this.len();
        let ordinal = digits > 0 && matches!(this, "st" | "nd" | "rd" | "th");
        if this.is_empty() || !(capital(this) || ordinal || among(SMALL, this)) {
            return None;
        }
        let dot = usize::from(bytes.get(to) == Some(&b'.'));
        let named = at > end + 1 && !ordinal;
        let sure = among(BEHIND_SURE, this);
        // Saint X Street, and `St. John's Road`: a word for a street that goes on is part of the name.
        let more = bytes.get(to + dot) == Some(&b' ')
            && capital(word(text, to + dot + 1))
            && among(BEHIND, word(text, to + dot + 1));
        if named && (sure || among(BEHIND, this)) && !more {
            let end = heading(text, to + dot).unwrap_or(
                to + if bytes.get(to + dot).is_some_and(|b| *b == b',' || *b == b' ') { dot } else { 0 },
            );
            return Some(Street { start, end, sure, weak: false });
        }
        at = to + dot;
        if bytes.get(at) != Some(&b' ') {
            return None;
        }
        at += 1;
    }
    None
}

/// ` NW`, ` South` behind a street.
fn heading(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(' ')?;
    let this = word(rest, 0);
    let headings = ["N", "S", "E", "W", "NE", "NW", "SE", "SW", "North", "South", "East", "West"];
    headings.contains(&this).then_some(at + 1 + this.len())
}

/// The words of a street's name behind its kind: ends before a comma, a digit or a plain word.
fn name_words(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = from;
    let mut at = from + usize::from(bytes.get(from) == Some(&b'.'));
    for _ in 0..STREET_WORDS + 2 {
        if bytes.get(at) != Some(&b' ') {
            break;
        }
        let this = word(text, at + 1);
        let elided = this.contains(['\'', '\u{2019}']);
        if this.is_empty() || !(capital(this) || among(SMALL, this) || elided) {
            break;
        }
        at += 1 + this.len();
        if capital(this) || elided {
            end = at;
        }
        at += usize::from(bytes.get(at) == Some(&b'.'));
    }
    end
}

/// `Hauptstraße 12`, `Am Markt 5`, `Via Roma, 3`, `Calle Mayor nº 5`, `ul. Długa 7`, `Postfach 12 34`.
fn street_before(text: &str, start: usize, end: usize) -> Option<Street> {
    let head = text.get(..start)?;
    let mut to = head.trim_end_matches([' ', ',', '.', 'º', '°']).len();
    for sign in ["nº", "n", "no", "núm", "nr", "numero", "número", "č", "#"] {
        if let Some(cut) = head[..to].strip_suffix(sign).filter(|cut| cut.ends_with([' ', ','])) {
            to = cut.trim_end_matches([' ', ',', '.']).len();
        }
    }
    if to == start || start - to > 12 || head[to..].contains(['\n', '\t']) {
        return None;
    }
    let last = word_before(text, to);
    if last.is_empty() {
        return None;
    }
    let lower = last.to_lowercase();
    let tail =
        |ends: &[&str]| ends.iter().any(|e| lower.ends_with(e) && (lower.len() > e.len() || e.len() > 3));
    let comma = head[to..].contains(',');
    let (sure, some) = (tail(ENDS_SURE), tail(ENDS));
    if (sure || some) && !comma && (capital(last) || sure) {
        let alone = lower.len() <= 8 && (among(ENDS_SURE, &lower) || among(ENDS, &lower));
        let begin = if alone { beginning(text, to - last.len()) } else { Some(to - last.len()) };
        if let Some(start) = begin {
            return Some(Street { start, end, sure, weak: false });
        }
    }
    if let Some(start) = box_before(text, to - last.len(), last) {
        return Some(Street { start, end, sure: false, weak: true });
    }
    // A word for a street, and its name up to the number.
    let mut begin = to - last.len();
    for _ in 0..STREET_WORDS {
        let this = word(text, begin);
        let named = begin < to - last.len();
        let calle = this == "C" && text[begin..].starts_with("C/");
        if named && (among(BEFORE, this) || calle) {
            return Some(Street { start: begin, end, sure: false, weak: false });
        }
        if named && SITES.contains(&this) {
            return Some(Street { start: begin, end, sure: false, weak: true });
        }
        if !(capital(this) || among(SMALL, this)) {
            return None;
        }
        let gap = text[..begin].trim_end_matches([' ', '.', '/']).len();
        if gap == begin {
            return None;
        }
        begin = gap - word_before(text, gap).len();
        if begin == gap {
            return None;
        }
    }
    None
}

/// `P.O. Box`, `Postfach`, `Boîte postale`: where it begins.
fn box_before(text: &str, at: usize, last: &str) -> Option<usize> {
    const ALONE: &[&str] = &["postfach", "postbus", "postboks", "postilokero", "bp", "apdo", "apartado"];
    const HEADS: &[(&str, &[&str])] = &[
        ("Box", &["P.O. ", "PO ", "P. O. ", "Post Office ", "P.O.", "Po ", ""]),
        ("Correos", &["Apartado de "]),
        ("postale", &["Boîte ", "Casella ", "Boite "]),
        ("Postale", &["Boîte ", "Casella ", "Boite "]),
        ("Postal", &["Caixa ", "Casilla ", "Apartado "]),
    ];
    if among(ALONE, last) {
        return Some(at);
    }
    let (_, heads) = HEADS.iter().find(|(word, _)| *word == last)?;
    heads.iter().find(|head| text[..at].ends_with(**head)).map(|head| at - head.len())
}

/// The beginning of a street's name of several words (`Berliner Straße`, `Alte Allee`), given where its last word begins.
fn beginning(text: &str, last: usize) -> Option<usize> {
    let mut begin = last;
    for _ in 0..3 {
        let gap = text[..begin].strip_suffix(' ').or_else(|| text[..begin].strip_suffix('-'))?.len();
        let this = word_before(text, gap);
        if this.is_empty() || !capital(this) {
            break;
        }
        begin = gap - this.len();
        if !text[..begin].ends_with(' ') {
            break;
        }
    }
    (begin < last).then_some(begin)
}

/// Where the address ends whose street was read. `None`: it is none.
fn address(text: &str, street: &Street) -> Option<usize> {
    if let Some(end) = locality(text, street.end) {
        return Some(country(text, end));
    }
    if street.weak || !street.sure && !announced(text, street.start) {
        return None;
    }
    Some(country(text, town(text, street.end)))
}

/// `, Springfield` behind a street without a postcode, and `, IL` behind that.
fn town(text: &str, from: usize) -> usize {
    if !text[from..].starts_with(", ") {
        return from;
    }
    let mut at = from + 2;
    let mut end = from;
    for _ in 0..3 {
        let this = word(text, at);
        if !capital(this) {
            break;
        }
        end = at + this.len();
        if !text[end..].starts_with(' ') {
            break;
        }
        at = end + 1;
    }
    let state = text.get(end..).and_then(|rest| rest.strip_prefix(", ")).map(|rest| word(rest, 0));
    if end > from && state.is_some_and(|s| s.len() == 2 && s.bytes().all(|b| b.is_ascii_uppercase())) {
        end += 4;
    }
    end
}

/// The postcode and the town behind a street: where they end.
fn locality(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut towns = 0;
    let mut lines = 0;
    let mut unit = false;
    while at < bytes.len() && at < from + REACH {
        match bytes[at] {
            b' ' | b',' | b';' | b'.' | b'(' | b')' | b'#' | b'-' | b'/' => at += 1,
            b'\n' | b'\r' if lines < 4 => {
                lines += 1;
                at += 1;
            }
            b'\\' if matches!(bytes.get(at + 1), Some(b'n' | b'r')) => at += 2,
            _ => {
                // `Suite 3300`: no code.
                let numbered = std::mem::replace(&mut unit, false) && bytes[at].is_ascii_digit();
                if let Some(code) = postcode::at(text, at, towns > 0).filter(|_| !numbered) {
                    return Some(if towns > 0 && !code.leads {
                        code.end
                    } else {
                        behind_code(text, code.end, towns > 0)
                    });
                }
                if bytes[at].is_ascii_digit() {
                    let len = bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
                    if len > 4 {
                        return None;
                    }
                    at += len;
                    continue;
                }
                let this = word(text, at);
                let ordinal = text[at..].starts_with(['º', 'ª', '°']);
                if this.is_empty() && !ordinal
                    || !(ordinal || capital(this) || among(SMALL, this) || among(UNITS, this))
                {
                    return None;
                }
                unit = among(UNITS, this);
                towns += usize::from(capital(this) && !unit);
                at += this.len().max(if ordinal { 2 } else { 1 });
            }
        }
    }
    None
}

/// The town behind a postcode: words with a capital. A town that stood before needs none.
fn behind_code(text: &str, from: usize, had: bool) -> usize {
    if had {
        return from;
    }
    let mut end = from;
    let mut at = from;
    for _ in 0..5 {
        let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix(' ')) else { break };
        let this = word(rest, 0);
        if this.is_empty() || !(capital(this) || end > from && among(SMALL, this)) {
            break;
        }
        at += 1 + this.len();
        if capital(this) {
            end = at;
        }
    }
    // The province of an Italian town.
    let tail = text.get(end..).unwrap_or("").as_bytes();
    if let [b' ', b'(', a, b, b')', ..] = tail
        && a.is_ascii_uppercase()
        && b.is_ascii_uppercase()
    {
        end += 5;
    }
    end
}

/// `, Germany` behind an address.
fn country(text: &str, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or("");
    let gap = rest.len() - rest.trim_start_matches([',', ' ', '\n']).len();
    let named = COUNTRIES.iter().filter(|name| rest[gap..].starts_with(**name)).map(|name| name.len()).max();
    match named {
        Some(len) if gap > 0 && !rest[gap + len..].starts_with(char::is_alphanumeric) => end + gap + len,
        _ => end,
    }
}

/// A word shortly before says that an address follows.
fn announced(text: &str, start: usize) -> bool {
    let near = (start.saturating_sub(40)..=start).find(|at| text.is_char_boundary(*at)).unwrap_or(start);
    text[near..start].split(|c: char| !c.is_alphabetic()).any(|word| among(ANNOUNCERS, word))
}
