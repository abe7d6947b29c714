//! Copies of secrets in the spellings of longer texts, mixed at random: the engine against the oracle.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use terrasift_engine::detect::RuleSet;
use terrasift_oracle::compare::{Ways, check};

/// Xorshift: the same texts on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap_or_default() % count
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

const SECRETS: &[&str] = &[
    "p<ss&w\"rd\\1",
    "so ein Wort ß9",
    "u+v/w=x%40yz",
    "hunter2-hunter2",
    "back\\slash7\\",
    "tab\tund\nZeile7",
    "日本語パスワード",
    "a%2Fb+c d\"e",
];

/// What stands between copies, and may be half of an escape.
const BETWEEN: &[&str] = &[
    "\\", "%", "+", "\"", " ", "\n", "%4", "\\u00", "abcd", "=", "/", "x", "ß", "user:", "\\\"", "%C3",
    "AAAA",
];

/// As Go, Python, a browser or a person would write it: some of what must be encoded is, and some that need not.
fn percent(dice: &mut Dice, text: &str) -> String {
    let spell = |b: u8| match (b, dice.below(4)) {
        (b' ', 0) => "+".to_owned(),
        (b, 0) if b.is_ascii_alphanumeric() => format!("%{b:02x}"),
        (b, _) if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => char::from(b).to_string(),
        (b, 1) if b.is_ascii() => char::from(b).to_string(),
        (b, _) => format!("%{b:02X}"),
    };
    text.bytes().map(spell).collect()
}

fn escaped(dice: &mut Dice, text: &str) -> String {
    if dice.below(2) == 0 {
        let all = Value::from(text).to_string();
        return all[1..all.len() - 1].to_owned();
    }
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// gzip, stored: a header, one block without compression, no trailer that anybody reads.
fn zipped(text: &str) -> String {
    let len = u16::try_from(text.len()).unwrap();
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1];
    bytes.extend(len.to_le_bytes());
    bytes.extend((!len).to_le_bytes());
    bytes.extend(text.bytes());
    bytes.extend([0; 8]);
    STANDARD.encode(bytes)
}

fn text(dice: &mut Dice, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..=dice.below(6) {
        let secret = dice.one(SECRETS);
        match dice.below(8) {
            0 => text.push_str(secret),
            1 => text.push_str(&percent(dice, secret)),
            2 => text.push_str(&escaped(dice, secret)),
            3 => text.push_str(STANDARD.encode(secret).trim_end_matches('=')),
            4 if depth > 0 => {
                let inner = self::text(dice, depth - 1);
                text.push_str(&STANDARD.encode(inner));
            }
            4 => text.push_str(&zipped(secret)),
            5 => text.push_str(&secret[..secret.char_indices().nth(6).map_or(0, |(at, _)| at)]),
            _ => text.push_str(dice.one(BETWEEN)),
        }
    }
    text
}

#[test]
fn copies_spelled_in_whatever_way_go_as_the_oracle_says_in_every_cut() {
    let (mut dice, rules) = (Dice(0x5e11ed), RuleSet::builtin());
    let mut redacted = 0;
    for round in 0..1500 {
        let leaves: Vec<Value> = (0..6).map(|_| Value::from(text(&mut dice, 3))).collect();
        let keyed =
            json!({ text(&mut dice, 1): "a", "inner": json!({ "x": text(&mut dice, 1) }).to_string() });
        let state = json!({
            "version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "l", "outputs": {},
            "resources": [{ "mode": "managed", "type": "t", "name": "x", "instances": [
                { "attributes": { "notes": leaves, "tags": keyed, "val": dice.one(SECRETS), "password": dice.one(SECRETS) },
                  "sensitive_attributes": [[{ "type": "get_attr", "value": "val" }]] },
                { "attributes": { "note": text(&mut dice, 2), "size": "12345678" }, "sensitive_attributes": [] },
            ] }],
        });
        let document = serde_json::to_vec(&state).unwrap();
        let judged = check(&rules, &document, &[1 + round % 70, 64, 7], Ways::ALL);
        let judged = judged.unwrap_or_else(|difference| panic!("round {round}: {state}\n{difference}"));
        redacted += judged.unwrap_or_else(|refusal| panic!("{refusal}")).report.detections.len();
    }
    assert!(redacted > 6_000, "{redacted}");
}
