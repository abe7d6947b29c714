//! Owns key material: PEM blocks, service accounts, JSON web tokens. The DER heads are the formats' fixed bytes, the rest is random,
//! so no key here opens anything. It must never hold real key bytes.

use super::super::dice::{BASE62, BASE64, BASE64_URL, DIGITS, Dice, HEX};
use super::Made;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A PEM block: label, the base64 of the fixed head, random characters up to `length`, lines of `width`.
fn pem(dice: &mut Dice, label: &str, head: &str, length: usize, width: usize) -> Made {
    let mut body = head.as_bytes().to_vec();
    dice.fill(&mut body, BASE64, length.saturating_sub(head.len() + 1));
    body.push(b'=');
    let mut text = format!("-----BEGIN {label}-----\n");
    let first_line = (text.len(), text.len() + width.min(body.len()));
    for line in body.chunks(width) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    let whole = (0, text.len() - 1);
    Made { text, spans: vec![whole, first_line] }
}

/// PKCS #1: SEQUENCE, version 0, a 2048-bit modulus.
pub(super) fn rsa(dice: &mut Dice) -> Made {
    pem(dice, "RSA PRIVATE KEY", "MIIEpAIBAAKCAQEA", 1592, 64)
}

/// SEC 1: SEQUENCE, version 1, a 32-byte OCTET STRING.
pub(super) fn ec(dice: &mut Dice) -> Made {
    pem(dice, "EC PRIVATE KEY", "MHcCAQEEI", 164, 64)
}

/// `openssh-key-v1`, no cipher, ed25519.
pub(super) fn openssh(dice: &mut Dice) -> Made {
    const HEAD: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACA";
    let mut made = pem(dice, "OPENSSH PRIVATE KEY", HEAD, 344, 70);
    // The first line is the same in every such key: the second one tells it apart.
    let first = made.spans[1];
    made.spans[1] = (first.1 + 1, first.1 + 71);
    made
}

/// PKCS #8: version 0, rsaEncryption.
pub(super) fn pkcs8(dice: &mut Dice) -> Made {
    pem(dice, "PRIVATE KEY", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", 1624, 64)
}

/// A service account file as the Google Cloud console writes it; the span is the key, escaped as it stands in the file.
pub(super) fn service_account(dice: &mut Dice) -> Made {
    let key = pkcs8(dice);
    let escaped = key.text.replace('\n', "\\n");
    let escaped = escaped.trim_end_matches("\\n");
    let before = format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"prj-{}\",\n  \"private_key_id\": \"{}\",\n  \"private_key\": \"",
        dice.text(DIGITS, 6),
        dice.text(HEX, 40)
    );
    let after = format!(
        "\\n\",\n  \"client_id\": \"{}\",\n  \"token_uri\": \"https://oauth2.googleapis.com/token\"\n}}\n",
        dice.text(DIGITS, 21)
    );
    let mut made = Made::inside(&before, escaped, &after);
    let start = before.len() + "-----BEGIN PRIVATE KEY-----\\n".len();
    made.spans.push((start, start + 64));
    made
}

/// RFC 7519 with HS256; header and payload are real JSON.
pub(super) fn jwt(dice: &mut Dice) -> Made {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = format!(
        r#"{{"sub":"{}","scope":"deploy:{}","iat":17{}}}"#,
        dice.text(DIGITS, 12),
        dice.text(BASE62, 6),
        dice.text(DIGITS, 8)
    );
    let signature = dice.text(BASE64_URL, 42);
    Made::whole(format!("{header}.{}.{signature}A", URL_SAFE_NO_PAD.encode(claims)))
}
