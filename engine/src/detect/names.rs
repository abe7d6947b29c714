//! Names of people in running text, by a gazetteer and by what announces them.
//!
//! Weighs three things: what stands before (a title, a word that announces a person), the first word, the last one. Looks only
//! at words with a capital. Must never take a name of a thing: a plain word in it vetoes.

use std::ops::ControlFlow;

use super::gazetteer::{Gazetteer, Known};

/// What a name must weigh.
const ENOUGH: u8 = 6;
/// What a name of one word must weigh: only behind a title or a word that announces people.
const ENOUGH_ALONE: u8 = 8;
/// Words of a name, at most.
const PARTS_MAX: usize = 6;

const TITLE: u8 = 6;
const ANNOUNCED: u8 = 4;
const HINTED: u8 = 2;
const SUGGESTED: u8 = 1;

/// Titles, as they are written before names.
#[rustfmt::skip]
const TITLES: &[&str] = &[
    "Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Prof", "Professor", "Herr", "Herrn", "Frau", "Hr", "Mme", "Mlle", "Monsieur",
    "Madame", "Mademoiselle", "Sr", "Sra", "Srta", "Señor", "Señora", "Señorita", "Senhor", "Senhora", "Dona", "Sig", "Signor",
    "Signora", "Signorina", "Dott", "Dhr", "Mevr", "Mevrouw", "Meneer", "Ing", "Pani", "Lady", "Doctor", "Doktor", "Docteur",
];

/// Words that announce a person when a colon or its like stands behind them.
#[rustfmt::skip]
const ANNOUNCERS: &[&str] = &[
    "contact", "contacts", "owner", "owners", "author", "authors", "maintainer", "maintainers", "maintained", "manager", "assignee",
    "approver", "approved", "reviewer", "reviewed", "requester", "requestor", "requested", "reporter",
    "reported", "signed", "prepared", "written", "customer", "patient", "employee",
    "recipient", "responsible", "poc", "sponsor", "attn", "attention", "sender", "holder",
    "person", "guest", "coordinator", "director", "engineer", "consultant", "supervisor", "by", "beneficiary", "cardholder",
    "passenger", "applicant", "landlord", "ceo", "cto", "cfo", "ciso", "dpo", "kontakt", "ansprechpartner", "ansprechpartnerin",
    "verantwortlich", "inhaber", "besitzer", "responsable", "responsabile", "contacto",
    "contatto", "contato", "referente", "beheerder", "eigenaar", "titulaire", "titular", "contactpersoon", "autor", "auteur", "autore", "escalation",
];

/// Words behind which a colon may be followed by a person, and by much else.
#[rustfmt::skip]
const MAYBE: &[&str] = &[
    "name", "names", "created", "modified", "updated", "from", "to", "cc", "tenant", "lead", "managed", "assigned", "nombre", "nom",
    "nome", "naam", "navn", "namn",
];

/// Words that announce one by themselves.
#[rustfmt::skip]
const GREETINGS: &[&str] = &[
    "dear", "hello", "hi", "hallo", "liebe", "lieber", "geehrte", "geehrter", "cher", "chère", "chere", "bonjour", "estimado", "estimada",
    "querido", "querida", "hola", "caro", "cara", "gentile", "egregio", "beste", "geachte", "regards", "sincerely", "cheers", "attn",
    "cordialement", "saludos", "saluti", "grüße", "grüßen", "grüsse", "gruß", "groet", "groeten", "truly", "kære", "hej", "ciao", "olá", "prezado", "prezada",
];

/// Words before which a person often stands.
#[rustfmt::skip]
const SUGGESTERS: &[&str] = &[
    "by", "from", "to", "with", "via", "ask", "call", "email", "mail", "ping", "notify", "tell", "see", "meet", "for", "contact", "cc",
    "and", "or", "is", "of", "von", "bei", "durch", "par", "por", "da", "di", "door", "av", "und", "et", "y", "e", "van",
];

/// Words inside of a name.
#[rustfmt::skip]
const PARTICLES: &[&str] = &[
    "de", "del", "della", "dei", "di", "da", "do", "dos", "das", "du", "des", "la", "le", "van", "von", "vom", "zu", "zum", "zur", "der", "den", "ter", "ten",
    "af", "av", "bin", "ibn", "al", "el", "y", "e", "op", "'t", "dal",
];

/// Words behind which the two before were no person but what was named after one.
#[rustfmt::skip]
const NAMESAKES: &[&str] = &[
    "university", "institute", "airport", "street", "avenue", "road", "park", "hospital", "school", "college", "foundation", "inc", "ltd",
    "llc", "gmbh", "corp", "company", "group", "prize", "award", "theorem", "bridge", "stadium", "center", "centre", "library",
    "museum", "hotel", "bank", "boulevard", "drive", "lane", "square", "house", "plc", "technologies", "systems", "partners",
];

/// One word of a text that may be a name's.
#[derive(Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// With a capital; what is known of it.
    Word(Known, Rest),
    /// `J.`
    Initial,
    /// `van`, `de la`.
    Particle,
}

/// What the lists do not say of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Could be anybody's name.
    Name,
    /// Is a plain word, or has no form of a name.
    Plain,
}

/// Calls back for the names of people in a text, in order, until told to stop.
pub(super) fn each(
    gazetteer: &Gazetteer,
    text: &str,
    mut found: impl FnMut(usize, usize) -> ControlFlow<()>,
) {
    let mut at = 0;
    let mut parts = [Part { start: 0, end: 0, kind: Kind::Particle }; PARTS_MAX];
    while let Some(start) = next_word(text.as_bytes(), at) {
        let Some(first) = part(text, start, gazetteer).filter(|part| part.kind != Kind::Particle) else {
            at = start + 1;
            continue;
        };
        parts[0] = first;
        at = first.end;
        // Most words with a capital are plain: nobody looks behind them.
        if first_weight(first).is_none() {
            continue;
        }
        let count = gather(text, &mut parts, gazetteer);
        if let Some(end) = name(text, &parts[..count], gazetteer) {
            if found(start, end).is_break() {
                return;
            }
            at = end;
        }
    }
}

/// Legal forms of companies, which are written like names.
#[rustfmt::skip]
const COMPANIES: &[&str] = &["Inc", "Ltd", "Corp", "Gmbh", "Plc", "Llc", "Co", "Group", "Labs", "Holding", "Holdings", "Sarl", "Pty", "Team"];

/// Whether a whole text is written as the name of a person: two words or more with a capital, or all in capitals, none of which
/// is known as a plain word and as no name. For values whose key says that a person may stand there.
pub(super) fn whole(gazetteer: &Gazetteer, text: &str) -> bool {
    let (mut names, mut initials) = (0, 0);
    for (n, word) in text.split(' ').enumerate() {
        let word = word.strip_suffix(',').filter(|_| n < 2).unwrap_or(word);
        let initial =
            word.chars().count() <= 2 && word.ends_with('.') && word.starts_with(|c: char| c.is_uppercase());
        if initial || PARTICLES.contains(&word.to_lowercase().as_str()) {
            initials += usize::from(initial);
            continue;
        }
        let letters = |c: char| c.is_alphabetic() || matches!(c, '-' | '\'' | '\u{2019}');
        let capitals = word.chars().filter(|c| c.is_alphabetic()).count() >= 3
            && word.chars().all(|c| letters(c) && !c.is_lowercase());
        let known = gazetteer.known(word);
        let named = known.is(Known::GIVEN) || known.is(Known::FAMILY);
        let thing = !named && word.split('-').any(|piece| gazetteer.plain(piece))
            || COMPANIES.iter().any(|form| form.eq_ignore_ascii_case(word.trim_end_matches('.')));
        if n > 4
            || thing
            || word.len() < 2
            || !word.chars().all(letters)
            || !(capitals || word.contains(char::is_uppercase) && written_as_name(word))
        {
            return false;
        }
        names += 1;
    }
    names >= 2 || names == 1 && initials > 0
}

/// The next place where a word with a capital begins.
fn next_word(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        let capital = bytes[at].is_ascii_uppercase() || matches!(bytes[at], 0xC3..=0xC5);
        let glued = at > 0
            && (bytes[at - 1].is_ascii_alphanumeric()
                || bytes[at - 1] >= 0x80
                || b"_-/.@#$&+\\{".contains(&bytes[at - 1]));
        // Behind an escape that nobody took away (`\nDear`) a word begins all the same.
        let escape = at > 1 && bytes[at - 2] == b'\\' && matches!(bytes[at - 1], b'n' | b't' | b'r');
        if capital && (!glued || escape) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The word that begins at `start`: a capital and small letters, an initial, or a particle.
fn part(text: &str, start: usize, gazetteer: &Gazetteer) -> Option<Part> {
    let rest = text.get(start..)?;
    let len = rest
        .char_indices()
        .find(|(_, c)| !(c.is_alphabetic() || matches!(c, '\'' | '\u{2019}' | '-')))
        .map_or(rest.len(), |(at, _)| at);
    let word = rest[..len].trim_end_matches(['\'', '\u{2019}', '-']);
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("\u{2019}s")).unwrap_or(word);
    let behind = rest.as_bytes().get(word.len()).copied();
    if word.is_empty()
        || matches!(behind, Some(b'_' | b'0'..=b'9' | b'/' | b'=' | b'(' | b'[' | b'{' | b'@' | b'\\'))
    {
        return None;
    }
    let end = start + word.len();
    let second = rest.as_bytes().get(word.len() + 1);
    if behind == Some(b'.')
        && second.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/'))
        && word.len() > 1
    {
        // A file's or a host's name.
        return None;
    }
    let first = word.chars().next()?;
    if !first.is_uppercase() {
        return PARTICLES.contains(&word).then_some(Part { start, end, kind: Kind::Particle });
    }
    if word.chars().count() == 1 {
        let end = end + usize::from(behind == Some(b'.'));
        return Some(Part { start, end, kind: Kind::Initial });
    }
    written_as_name(word).then(|| {
        let known = word.split('-').fold(Known::default(), |known, piece| {
            if known == Known::default() { gazetteer.known(piece) } else { known }
        });
        let voiced =
            word.chars().any(|c| !c.is_ascii() || b"aeiouyAEIOUY".contains(&u8::try_from(c).unwrap_or(0)));
        let plain = known.is(Known::PLAIN)
            || !named(known)
                && (!voiced || word.len() < 3 || word.split('-').any(|piece| gazetteer.plain(piece)));
        let rest = if plain { Rest::Plain } else { Rest::Name };
        Part { start, end, kind: Kind::Word(known, rest) }
    })
}

/// One capital, then small letters; again behind a hyphen or an apostrophe, and behind `Mc`, `Mac` and their like.
fn written_as_name(word: &str) -> bool {
    let heads = ["Mc", "Mac", "De", "Di", "La", "Le", "Van", "Fitz", "Du", "Del", "Lo"];
    let mut begins = true;
    let mut small = false;
    for (at, c) in word.char_indices() {
        if c.is_uppercase() {
            // `Bianchi-MacGregor` has two.
            let part = word[..at].rsplit(['-', '\'']).next().unwrap_or("");
            if !begins && !heads.contains(&part) {
                return false;
            }
        } else if c.is_lowercase() {
            small = true;
        }
        begins = !c.is_alphabetic();
    }
    small
}

/// Gathers the words behind the first one that may belong to the same name. Returns how many there are.
fn gather(text: &str, parts: &mut [Part; PARTS_MAX], gazetteer: &Gazetteer) -> usize {
    let bytes = text.as_bytes();
    let mut count = 1;
    while count < PARTS_MAX {
        let last = parts[count - 1].end;
        let initial = parts[count - 1].kind == Kind::Initial;
        let gap = match bytes.get(last..) {
            Some([b' ', ..]) => 1,
            // `J.R.R. Tolkien`
            Some(_) if initial && bytes[last - 1] == b'.' => 0,
            _ => break,
        };
        match part(text, last + gap, gazetteer) {
            Some(part) => parts[count] = part,
            None => break,
        }
        count += 1;
    }
    count
}

/// The end of the name that begins with the first part: the longest that weighs enough.
fn name(text: &str, parts: &[Part], gazetteer: &Gazetteer) -> Option<usize> {
    let (first, alone) = first_weight(parts[0])?;
    let before = announced(text, parts[0].start);
    if is_title(text, parts[0]) {
        return None;
    }
    for count in (2..=parts.len()).rev() {
        let last = parts[count - 1];
        let inside = parts[1..count - 1].iter().all(|part| fits_inside(text, part));
        let Some(weight) = last_weight(last).filter(|_| inside) else { continue };
        // Words that are names and things alike: together they are a name where somebody is spoken of.
        let both = among_lists(parts[0], Known::GIVEN) && among_lists(last, Known::FAMILY);
        let weight = weight + u8::from(both && before == SUGGESTED && !joined(text, parts[0].start));
        let longer = parts.get(count).map_or("", |next| &text[next.start..next.end]);
        if first + weight + before >= ENOUGH && !named_after(longer) {
            return Some(last.end);
        }
    }
    let comma = reversed(text, parts, gazetteer);
    if comma.is_some() {
        return comma;
    }
    let single = alone + before >= ENOUGH_ALONE;
    let goes_on = matches!(parts.get(1).map(|part| part.kind), Some(Kind::Word(..)));
    (single && (!goes_on || before >= TITLE)).then_some(parts[0].end)
}

/// A word inside of a name: no plain one. `Al` and `De` may have a capital.
fn fits_inside(text: &str, part: &Part) -> bool {
    let Kind::Word(known, Rest::Plain) = part.kind else { return true };
    let particle = |p: &&str| p.eq_ignore_ascii_case(&text[part.start..part.end]);
    named(known) || PARTICLES.iter().any(particle)
}

fn among_lists(part: Part, list: Known) -> bool {
    matches!(part.kind, Kind::Word(known, _) if known.is(list))
}

fn named(known: Known) -> bool {
    known.is(Known::GIVEN) || known.is(Known::FAMILY)
}

/// What a word weighs as the first one of several, and alone. `None`: nobody is called so.
fn first_weight(part: Part) -> Option<(u8, u8)> {
    let Kind::Word(known, rest) = part.kind else {
        return (part.kind == Kind::Initial).then_some((2, 0));
    };
    let plain = known.is(Known::PLAIN);
    match (known.is(Known::GIVEN), known.is(Known::FAMILY)) {
        (true, _) if plain => Some((2, 2)),
        (true, _) => Some((4, 4)),
        (false, true) if plain => Some((1, 2)),
        (false, true) => Some((2, 2)),
        (false, false) => (rest == Rest::Name).then_some((1, 2)),
    }
}

/// What a word weighs as the last one.
fn last_weight(part: Part) -> Option<u8> {
    let Kind::Word(known, rest) = part.kind else { return None };
    match (known.is(Known::FAMILY), known.is(Known::GIVEN)) {
        (true, _) if known.is(Known::PLAIN) => Some(2),
        (true, _) => Some(4),
        (false, true) => Some(2),
        (false, false) => (rest == Rest::Name).then_some(2),
    }
}

fn is_title(text: &str, part: Part) -> bool {
    TITLES.contains(&&text[part.start..part.end])
}

fn named_after(word: &str) -> bool {
    NAMESAKES.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// `Rossi, Maria`: both known beyond doubt.
fn reversed(text: &str, parts: &[Part], gazetteer: &Gazetteer) -> Option<usize> {
    let Kind::Word(family, Rest::Name) = parts[0].kind else { return None };
    let bytes = text.as_bytes();
    let from = parts[0].end;
    if !family.is(Known::FAMILY) || !bytes.get(from..).is_some_and(|rest| rest.starts_with(b", ")) {
        return None;
    }
    let given = part(text, from + 2, gazetteer)?;
    let sure = matches!(given.kind, Kind::Word(known, Rest::Name) if known.is(Known::GIVEN));
    sure.then_some(given.end)
}

/// How strongly what stands before says that a person follows.
fn announced(text: &str, start: usize) -> u8 {
    let near = start.saturating_sub(48);
    let near = (near..=start).find(|at| text.is_char_boundary(*at)).unwrap_or(start);
    let head = &text[near..start];
    let spaced = head.trim_end_matches([' ', '\t', '\n', '\r', '"', '\'', '(', '*', '<', '>', '`']);
    let dot = spaced.strip_suffix('.');
    let word = last_word(dot.unwrap_or(spaced));
    if TITLES.contains(&word) {
        return TITLE;
    }
    let stripped = spaced.trim_end_matches([',', ':', '=', '-', '\u{2013}', ' ', '!', '"', '\'']);
    let signed =
        stripped.len() < spaced.len() && spaced[stripped.len()..].contains([':', '=', '-', '\u{2013}']);
    let word = last_word(stripped);
    let among = |list: &[&str]| {
        list.iter().any(|w| w.eq_ignore_ascii_case(word) || !w.is_ascii() && word.to_lowercase() == **w)
    };
    if among(GREETINGS) || signed && among(ANNOUNCERS) {
        ANNOUNCED
    } else if signed && among(MAYBE) {
        HINTED
    } else if stripped.len() == spaced.len() && among(SUGGESTERS) {
        SUGGESTED
    } else {
        0
    }
}

/// Whether the word before only goes on with a list.
fn joined(text: &str, start: usize) -> bool {
    const JOINTS: [&str; 7] = ["and", "or", "is", "und", "et", "y", "e"];
    JOINTS.iter().any(|joint| joint.eq_ignore_ascii_case(last_word(text[..start].trim_end())))
}

fn last_word(text: &str) -> &str {
    let begin = text.char_indices().rev().take_while(|(_, c)| c.is_alphabetic()).last();
    begin.map_or("", |(at, _)| &text[at..])
}
