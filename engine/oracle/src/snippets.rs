//! Texts that rules may find, or must not: what the weaver puts into strings.
//!
//! Must never hold a text that looks like a real secret: those are put together here, from parts and the tape.

use crate::tape::Tape;

/// Numbers as they may stand in a document; the last ones only nearly.
#[rustfmt::skip]
pub const NUMBERS: [&str; 16] = [
    "0", "7", "-0", "1e5", "1E+400", "-1.25e-300", "123456789012345678901234567890", "0.10",
    "4111111111111111", "78051120", "443", "1700000000", "491512345678", "12345678", "01", "1.",
];

#[rustfmt::skip]
const WORDS: [&str; 24] = [
    "blue", "two words", "töp", "\u{1f600}", "q\"uote", "back\\slash", "line\nfeed", "tab\t", "eu-west-1",
    "us-east-1a", "t3.medium", "string", "list", "aws_thing.two", "arn:aws:iam::123456789012:role/a-role",
    "vpc-055a3c982aa9da004", "798d1f5f1b615d11daa486960d86631c7f267850",
    "e79548db-fccf-462c-99b1-0234610efc66", "1.2.3", "2025-01-21T05:41:33Z", "/var/log/app", "0.0.0.0/0",
    "https://example.com/a?b=c", "sha256:",
];

#[rustfmt::skip]
const SHAPED: [&str; 22] = [
    "ann@acme-mail.com", "10.0.3.7", "192.168.0.0/16", "fd00::1", "+49 151 23456789", "078-05-1120",
    "4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32", "PASSWORD=hunter-two-9",
    "password: 'correct-h0rse'", "--password correct-h0rse", "Authorization: Basic YWRtaW46cGFzc3dvcmQ=",
    "postgres://app:s3cr-W0rd@db.internal:5432/app", "https://x.example/?token=abcdef123456",
    "#!/bin/sh\nexport DB_PASSWORD='correct-h0rse'\n", "[REDACTED:pii]", "[REDACTED:credential]#2",
    "[HASHED:pii:0123456789abcdef]", "[REDACTED:", "tel: 030/1234567",
    "Please ask Frau Müller about it", "12 Baker Street, London NW1 6XE",
];

const ALPHABET: &[u8; 64] = b"aB3dE5gH7jK9mNpQrS2tUvW4xYz6AbC8DeFgHiJkLmNoPqRsTuVwXyZ01c-fGh_j";

/// Characters of some alphabet, drawn.
fn drawn(tape: &mut Tape<'_>, count: usize) -> String {
    let salt = usize::from(tape.byte());
    let at = |place: usize| ALPHABET[(salt * 7 + place * (29 + salt % 8) + place * place) % ALPHABET.len()];
    (0..count).map(|place| char::from(at(place))).collect()
}

/// A text that stands in several places.
pub fn secret(tape: &mut Tape<'_>) -> String {
    match tape.below(6) {
        0 => "quiet river stone".to_owned(),
        1 => drawn(tape, 20),
        2 => "geheim-ß-ü-wort".to_owned(),
        3 => "  padded secret\n".to_owned(),
        4 => "abab-abab-abab".to_owned(),
        _ => String::from_utf8_lossy(tape.raw(12)).into_owned(),
    }
}

/// A text; `levels` bounds what stands inside of what.
pub fn text(tape: &mut Tape<'_>, secrets: &[String], levels: usize) -> String {
    let mut text = part(tape, secrets, levels);
    for _ in 0..tape.below(8).saturating_sub(5) {
        let joint = tape.one(&[" ", "", ",", "\n", "=", ":", "/", "-", "\"", "\u{e9}", "@"]);
        text.push_str(joint);
        text.push_str(&part(tape, secrets, levels));
    }
    text
}

fn part(tape: &mut Tape<'_>, secrets: &[String], levels: usize) -> String {
    match tape.below(14) {
        0 | 1 => tape.one(&WORDS).to_owned(),
        2..=4 => tape.one(&SHAPED).to_owned(),
        5 | 6 => token(tape),
        7 if !secrets.is_empty() => {
            let at = tape.below(secrets.len());
            secrets[at].clone()
        }
        8 if !secrets.is_empty() => {
            // A part of one, or one with something around.
            let at = tape.below(secrets.len());
            let shorter: String = secrets[at].chars().skip(tape.below(3)).collect();
            format!("so: {shorter}!")
        }
        9 => {
            let count = tape.below(40);
            String::from_utf8_lossy(tape.raw(count)).into_owned()
        }
        10 => tape.one(&["x", "ab ", "é", "no secret here, "]).repeat(tape.below(80)),
        11 if levels > 0 => {
            let inner = text(tape, secrets, levels - 1);
            base64(inner.as_bytes(), tape.rarely(2))
        }
        12 if levels > 0 => nested(tape, secrets, levels - 1),
        13 if levels > 0 => percent(&text(tape, secrets, levels - 1)),
        _ => drawn(tape, 24),
    }
}

/// Something with the shape of a token of some provider.
fn token(tape: &mut Tape<'_>) -> String {
    let (head, tail, count) = tape.one(&[
        ("gh", "p_", 36),
        ("AK", "IAQ", 16),
        ("xo", "xb-1234567890-", 24),
        ("ey", "JhbGciOiJIUzI1NiJ9.", 40),
        ("sk", "_live_", 24),
        ("gl", "pat-", 20),
        ("-----BE", "GIN PRIVATE KEY-----\n", 64),
        ("hv", "s.", 24),
        ("npm", "_", 36),
        ("AG", "E-SECRET-KEY-1", 58),
    ]);
    let mut text = format!("{head}{tail}{}", drawn(tape, count));
    if head.starts_with('-') {
        text.push_str("\n-----END PRIVATE KEY-----");
    }
    text
}

fn nested(tape: &mut Tape<'_>, secrets: &[String], levels: usize) -> String {
    let value = |text: &str| serde_json::Value::from(text).to_string();
    let key = tape.one(&["password", "name", "a", "Value", "token", "email"]);
    let inner = text(tape, secrets, levels);
    match tape.below(5) {
        0 => format!("{{\"{key}\":{}}}", value(&inner)),
        1 => format!("[{},1,null,{{\"{key}\":[{}]}}]", value(&inner), value("x")),
        2 => format!("{{\"name\":\"DB_PASSWORD\",\"value\":{}}}", value(&inner)),
        3 => format!("{key}: {inner}\nother: 1\n"),
        _ => format!("config = {{\"{key}\": {}, \"b\": {{}}", value(&inner)),
    }
}

fn percent(text: &str) -> String {
    let spell = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(spell).collect()
}

fn base64(bytes: &[u8], padded: bool) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=three.len() {
            let digit = bits >> (18 - 6 * place) & 63;
            out.push(usize::try_from(digit).map_or('=', |digit| char::from(DIGITS[digit])));
        }
        if padded {
            out.push_str(&"=".repeat(3 - three.len()));
        }
    }
    out
}
