//! An example for each rule, made from its format: deterministic, seeded by the rule's id, with the format's check digits.
//!
//! Made when somebody asks; no example stands in the source, where it would look like a leak. Must never be a credential
//! of anybody: everything drawn comes from the seed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::shape::{Part, Shape};
use super::{RuleIx, RuleSet, checksum, families, structural};

/// A text that the rule decides about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The key that it must stand under.
    pub key: Option<&'static str>,
    /// The text.
    pub text: String,
}

/// A small generator (xorshift): what it draws must look drawn, no more.
pub(super) struct Draw(pub(super) u64);

impl Draw {
    /// Its seed is the rule's id, so that a new rule changes no other example.
    fn of(id: &str) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        Self(digest.iter().take(8).fold(1, |seed, b| seed << 8 | u64::from(*b)) | 1)
    }

    pub(super) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % below
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.next(alphabet.len())])).collect()
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.fill_with(|| u8::try_from(self.next(256)).unwrap_or_default());
        bytes
    }
}

const ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";

/// An example of a shape: whole text, and where its secret stands.
pub(super) fn of_shape(shape: &Shape, draw: &mut Draw) -> (String, usize, usize) {
    let mut out = String::new();
    let mut inner = (0, 0);
    for part in &shape.parts {
        match part {
            Part::Text(text) => out.push_str(&String::from_utf8_lossy(text)),
            Part::Run { class, min, max } => {
                let members: Vec<u8> = class.members().filter(|b| *b != b'=' && *b != b'%').collect();
                let length = min + draw.next((max - min).min(8) + 1);
                out.push_str(&draw.text(&members, length));
            }
            Part::Open => inner.0 = out.len(),
            Part::Close => inner.1 = out.len(),
        }
    }
    if inner.1 == 0 {
        inner.1 = out.len();
    }
    (out, inner.0, inner.1)
}

impl RuleSet {
    /// The formats of a built-in family, in the notation of `engine/src/detect/shape.rs`; none for other rules.
    #[must_use]
    pub fn formats(&self, ix: RuleIx) -> &'static [&'static str] {
        let family = usize::from(ix.0).checked_sub(structural::ROWS.len());
        family.and_then(|at| families::all().nth(at)).map_or(&[], |family| family.shapes)
    }

    /// An example for a built-in rule; `None` for rules that look at no text of their own.
    #[must_use]
    pub fn example(&self, ix: RuleIx) -> Option<Example> {
        let family = usize::from(ix.0).checked_sub(structural::ROWS.len());
        let mut draw = Draw::of(&self.rule(ix).id);
        match family {
            None => of_code(ix, &mut draw),
            Some(at) => families::all().nth(at).and_then(|family| {
                let shape = Shape::parse(family.shapes.first()?);
                let text = checked(family.id, &mut draw).unwrap_or_else(|| of_shape(&shape, &mut draw).0);
                Some(Example { key: None, text })
            }),
        }
    }
}

/// Families whose documented format has a checksum.
fn checked(id: &str, draw: &mut Draw) -> Option<String> {
    let crc62 = |prefix: &str, draw: &mut Draw| {
        let body = draw.text(ALNUM, 30);
        let sum = checksum::base62_six(checksum::crc32(body.as_bytes()));
        format!("{prefix}{body}{}", String::from_utf8_lossy(&sum))
    };
    Some(match id {
        // 30 characters and their CRC32 in base62: github.blog/engineering/platform-security, "Behind GitHub's new token formats".
        "github-pat" => crc62("ghp_", draw),
        "github-oauth" => crc62("gho_", draw),
        "github-user-to-server" => crc62("ghu_", draw),
        "github-server-to-server" => crc62("ghs_", draw),
        "github-refresh" => crc62("ghr_", draw),
        // The same scheme: github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format.
        "npm-token" => crc62("npm_", draw),
        // CRC32 of all before it, little-endian in hex: grafana's pkg/components/satokengen.
        "grafana-service-token" => {
            let key = format!("glsa_{}", draw.text(ALNUM, 32));
            let sum = hex::encode(checksum::crc32(key.as_bytes()).to_le_bytes());
            format!("{key}_{sum}")
        }
        "age-secret-key" => bech32("age-secret-key-", &draw.bytes::<32>()).to_ascii_uppercase(),
        "nostr-secret-key" => bech32("nsec", &draw.bytes::<32>()),
        "bitcoin-extended-key" => extended_key(draw),
        _ => return None,
    })
}

/// Bech32 (BIP 173): five bits a character, a BCH code over prefix and data behind it.
fn bech32(prefix: &str, data: &[u8]) -> String {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let mut values = Vec::new();
    let (mut held, mut bits) = (0u32, 0u32);
    for byte in data {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            values.push(held >> bits & 31);
        }
        held &= 31;
    }
    if bits > 0 {
        values.push(held << (5 - bits) & 31);
    }
    let high = prefix.bytes().map(|b| u32::from(b) >> 5);
    let low = prefix.bytes().map(|b| u32::from(b) & 31);
    let fed = high.chain([0]).chain(low).chain(values.iter().copied()).chain([0; 6]);
    let sum = fed.fold(1u32, |sum, value| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ value;
        let taps = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        taps.fold(next, |next, (_, tap)| next ^ tap)
    }) ^ 1;
    values.extend((0..6).map(|at| sum >> (5 * (5 - at)) & 31));
    let mut out = format!("{prefix}1");
    out.extend(values.iter().filter_map(|v| usize::try_from(*v).ok()).map(|v| char::from(ALPHABET[v])));
    out
}

/// BIP 32: 78 bytes with the version of a private key, in Base58Check.
fn extended_key(draw: &mut Draw) -> String {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = vec![0x04, 0x88, 0xad, 0xe4, 0];
    bytes.extend(draw.bytes::<40>());
    bytes.push(0);
    bytes.extend(draw.bytes::<32>());
    let check = Sha256::digest(Sha256::digest(&bytes));
    bytes.extend(check.iter().take(4));
    let mut text = Vec::new();
    while bytes.iter().any(|b| *b > 0) {
        let mut rest = 0u32;
        for byte in &mut bytes {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 58).unwrap_or_default();
            rest = value % 58;
        }
        text.push(usize::try_from(rest).map_or(b'1', |at| ALPHABET[at]));
    }
    text.iter().rev().map(|b| char::from(*b)).collect()
}

/// Rules that are code.
fn of_code(ix: RuleIx, draw: &mut Draw) -> Option<Example> {
    use structural as rule;
    let under = |key, text: String| Some(Example { key: Some(key), text });
    let alone = |text: String| Some(Example { key: None, text });
    let drawn = draw.text(ALNUM, 24);
    match ix {
        rule::PRIVATE_KEY => {
            let body = STANDARD.encode(draw.bytes::<48>());
            alone(format!("-----{0} PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----", "BEGIN"))
        }
        rule::SENSITIVE_KEY => under("db_password", drawn),
        rule::SUGGESTIVE_KEY => under("token", drawn),
        rule::URL_PASSWORD => alone(format!("https://app:{drawn}@db.example.org/orders")),
        rule::URL_PARAMETER => alone(format!("https://example.org/orders?api_key={drawn}")),
        rule::CONNECTION => under("connection_string", drawn),
        rule::ASSIGNMENT => alone(format!("export DB_PASSWORD={drawn}")),
        rule::AUTH_HEADER => alone(format!("Authorization: Bearer {drawn}")),
        rule::JWT => {
            let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
            let (head, body) = (part(r#"{"alg":"HS256","typ":"JWT"}"#), part(r#"{"sub":"example"}"#));
            alone(format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(draw.bytes::<32>())))
        }
        rule::ENTROPY => alone(draw.text(ALNUM, 40)),
        rule::EMAIL => alone("mail ann.lee@example.org".to_owned()),
        rule::PHONE => under("phone_number", "+1 202-555-0143".to_owned()),
        rule::NATIONAL_ID => under("ssn", "219-09-9999".to_owned()),
        rule::IBAN => alone(iban(&draw.text(DIGITS, 14))),
        rule::CARD => {
            let body = format!("411111{}", draw.text(DIGITS, 9));
            let check = (0..10).map(|n| format!("{body}{n}")).find(|n| checksum::luhn(n.as_bytes()))?;
            under("card_number", check)
        }
        rule::BANK => under("routing_number", "111000025".to_owned()),
        rule::PERSON => under("contact_name", "Ann Lee".to_owned()),
        rule::POSTAL => under("street_address", "12 Main Street".to_owned()),
        rule::BIRTH => under("birth_date", "1980-02-29".to_owned()),
        rule::PRIVATE_IP => alone("10.20.30.40".to_owned()),
        _ => None,
    }
}

/// A British account number with its check digits (ISO 13616).
fn iban(account: &str) -> String {
    let with = |check: u32| format!("GB{check:02}WEST{account}");
    (2..99).map(with).find(|text| checksum::iban(text.as_bytes())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{KeyVerdict, Scratch};

    #[test]
    fn each_rule_decides_about_its_own_example() {
        let rules = RuleSet::builtin();
        let mut wrong = Vec::new();
        let mut made = 0;
        for (ix, info) in rules.rules() {
            let Some(Example { key, text }) = rules.example(ix) else { continue };
            let mut hits = Vec::new();
            let verdict = key.map_or(KeyVerdict::Plain, |key| rules.classify_key(key));
            rules.inspect(&text, verdict, &mut Scratch::default(), &mut hits);
            made += 1;
            if !hits.iter().any(|hit| hit.rule == ix) {
                let said: Vec<_> = hits.iter().map(|hit| &rules.rule(hit.rule).id).collect();
                wrong.push(format!("{}: {text}: {said:?}", info.id));
            }
            assert_eq!(rules.example(ix).map(|again| again.text), Some(text), "examples do not change");
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        let silent = ["terraform-sensitive", "tainted", "oversize", "provider-private", "undecidable"];
        assert_eq!(made + silent.len(), rules.rules().count());
    }

    #[test]
    fn checksums_are_those_of_the_published_examples() {
        // BIP 173's valid strings: the empty data part, and all values.
        assert_eq!(bech32("a", &[]), "a12uel5l");
        let all: Vec<u8> = hex::decode("00443214c74254b635cf84653a56d7c675be77df").unwrap();
        assert_eq!(bech32("abcdef", &all), "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw");
        let key = extended_key(&mut Draw(7));
        assert!(key.starts_with("xprv") && key.len() == 111, "{}", key.len());
        assert!(checksum::iban(iban("12345698765432").as_bytes()));
    }
}
