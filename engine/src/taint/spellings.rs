//! How Terraform's own functions write a secret into a longer text: `jsonencode`, `urlencode` and `base64encode`.
//!
//! Knows notations only. What it makes is wiped when it is dropped.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// Longer texts are no passwords; those that are keys and documents are told by themselves, however they are spelled.
const SPELLED_MAX: usize = 256;

/// What is longer is drawn, and so is its encoding.
const ENCODED_MAX: usize = 32;

/// The other spellings of a secret, where they differ from it.
#[must_use]
pub fn spellings(secret: &str) -> [Option<Zeroizing<String>>; 3] {
    if secret.len() > SPELLED_MAX {
        return [None, None, None];
    }
    let base64 = (secret.len() <= ENCODED_MAX).then(|| Zeroizing::new(STANDARD_NO_PAD.encode(secret)));
    [json(secret), url(secret), base64]
}

/// `jsonencode`: Go's encoding/json, which also escapes what HTML could misread.
fn json(secret: &str) -> Option<Zeroizing<String>> {
    let plain =
        |c: char| !matches!(c, '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f');
    if secret.chars().all(plain) {
        return None;
    }
    let mut out = Zeroizing::new(String::with_capacity(secret.len() * 2));
    for c in secret.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if plain(c) => out.push(c),
            c => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
        }
    }
    Some(out)
}

/// `urlencode`: Go's net/url, `QueryEscape`.
fn url(secret: &str) -> Option<Zeroizing<String>> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    if secret.bytes().all(plain) {
        return None;
    }
    let mut out = Zeroizing::new(String::with_capacity(secret.len() * 3));
    for b in secret.bytes() {
        match b {
            b' ' => out.push('+'),
            b if plain(b) => out.push(char::from(b)),
            b => {
                let _ = write!(out, "%{b:02X}");
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_spelled_as_terraform_does() {
        for (secret, json, url) in [
            ("plain-secret_1.~", None, None),
            ("a<b>&c", Some("a\\u003cb\\u003e\\u0026c"), Some("a%3Cb%3E%26c")),
            ("say \"x\"\n", Some("say \\\"x\\\"\\n"), Some("say+%22x%22%0A")),
            ("geheim-ß!", None, Some("geheim-%C3%9F%21")),
        ] {
            let told = spellings(secret);
            let base64 = STANDARD_NO_PAD.encode(secret);
            let spelled = told.each_ref().map(|s| s.as_ref().map(|s| s.as_str()));
            assert_eq!(spelled, [json, url, Some(base64.as_str())], "{secret}");
        }
    }
}
