//! Owns the language in which the formats are written down: literals, `{alphabet:count}` and the secret's span in `‹…›`.
//! It must never hold a token: everything in braces is drawn from the dice.
//!
//! `{hex:32}`, `{b62:20-40}`: that many characters. `{uuid}`; `{crc}`: CRC-32 in base 62 of what stands behind the last literal;
//! `{crchex}`: CRC-32 in hexadecimal of all before `_`; `{pw}`: a generated password; `{user}`, `{host}`, `{word}`: harmless.

use super::Sample;
use crate::generator::checksums::{base62_six, crc32};
use crate::generator::dice::{
    BASE32, BASE62, BASE64, BASE64_URL, DIGITS, Dice, HEX, LOWER, LOWER_DIGITS, UPPER, UPPER_DIGITS,
};

const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// BIP 173.
const BECH32_UPPER: &[u8] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
const BECH32_LOWER: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// The ULID specification.
const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What password generators add to letters and digits, without what a shell or a URL would need quoted.
const PASSWORD: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_.+";
/// Azure's client secrets.
const AZURE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

const WORDS: &[&str] = &[
    "orders", "billing", "ledger", "search", "gateway", "reports", "ingest", "worker", "metrics", "archive",
    "events", "pricing", "session", "mailer", "edge", "audit",
];

/// A harmless word.
pub(super) fn word(dice: &mut Dice) -> &'static str {
    dice.pick::<&str>(WORDS)
}

/// A generated password: letters, digits and a few signs; begins and ends with a letter or digit, and holds all three kinds.
pub(super) fn password(dice: &mut Dice) -> String {
    let length = usize::try_from(dice.between(11, 22)).unwrap_or(14);
    format!(
        "{}{}{}{}",
        dice.text(UPPER, 1),
        dice.text(PASSWORD, length),
        dice.text(LOWER, 1),
        dice.text(DIGITS, 1)
    )
}

/// One sample of a pattern.
pub(super) fn sample(dice: &mut Dice, pattern: &str) -> Sample {
    let mut out = Sample::default();
    let mut open = None;
    // Where the run of drawn characters began that `{crc}` covers.
    let mut drawn_from = 0;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        match c {
            '\u{2039}' => open = Some(out.text.len()),
            '\u{203a}' => out.spans.push((open.take().unwrap_or(0), out.text.len())),
            '{' => {
                let end = rest.find('}').unwrap_or(rest.len() - 1);
                atom(dice, &rest[1..end], &mut out.text, drawn_from);
                rest = &rest[end + 1..];
                continue;
            }
            _ => {
                out.text.push(c);
                drawn_from = out.text.len();
            }
        }
        rest = &rest[c.len_utf8()..];
    }
    if out.spans.is_empty() {
        out.spans.push((0, out.text.len()));
    }
    out
}

fn atom(dice: &mut Dice, atom: &str, out: &mut String, drawn_from: usize) {
    match atom {
        "uuid" => out.push_str(&String::from_utf8_lossy(&dice.uuid())),
        "UUID" => out.push_str(&String::from_utf8_lossy(&dice.uuid()).to_uppercase()),
        "crc" => {
            let check = base62_six(crc32(&out.as_bytes()[drawn_from..]));
            out.push_str(&check);
        }
        "crchex" => {
            let check = crc32(out.trim_end_matches('_').as_bytes());
            out.push_str(&format!("{check:08x}"));
        }
        "pw" => out.push_str(&password(dice)),
        "user" => {
            let letters = dice.text(LOWER, 5);
            out.push_str(&format!("svc_{letters}"));
        }
        "host" => {
            let (word, digits) = (word(dice), dice.text(HEX, 5));
            out.push_str(&format!("{word}-{digits}.prod.internal"));
        }
        "word" => out.push_str(word(dice)),
        _ => drawn(dice, atom, out),
    }
}

fn drawn(dice: &mut Dice, atom: &str, out: &mut String) {
    let (name, count) = atom.split_once(':').unwrap_or((atom, ""));
    let alphabet = match name {
        "hex" => HEX,
        "HEX" => HEX_UPPER,
        "dig" => DIGITS,
        "d1" => &DIGITS[1..],
        "b62" => BASE62,
        "b64" => BASE64,
        "b64u" => BASE64_URL,
        "b32" => BASE32,
        "b58" => BASE58,
        "bech" => BECH32_UPPER,
        "bechlow" => BECH32_LOWER,
        "crock" => CROCKFORD,
        "up" => UPPER_DIGITS,
        "low" => LOWER_DIGITS,
        "AZ" => UPPER,
        "az" => LOWER,
        "let" => LETTERS,
        "azure" => AZURE,
        // A test goes through every pattern there is.
        _ => unreachable!("unknown alphabet {name}"),
    };
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let count = match count.split_once('-') {
        Some((low, high)) => dice.between(number(low), number(high)),
        None => number(count),
    };
    out.push_str(&dice.text(alphabet, usize::try_from(count).unwrap_or(0)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_draw_what_they_say() {
        let mut dice = Dice::new(1, 2, 3, 4);
        let made = sample(&mut dice, "ab_{hex:4}-\u{2039}{dig:3}\u{203a}.z");
        assert!(made.text.starts_with("ab_") && made.text.ends_with(".z"));
        assert_eq!(made.spans, [(8, 11)]);
        assert!(made.text[8..11].bytes().all(|b| b.is_ascii_digit()));
        let checked = sample(&mut dice, "p_{b62:30}{crc}").text;
        assert_eq!(base62_six(crc32(&checked.as_bytes()[2..32])), checked[32..]);
    }
}
