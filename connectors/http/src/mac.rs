//! The keyed hashes of the doors: cursor tags, API key digests, webhook signatures.
//!
//! Must never compare in a time that depends on the bytes, and never keep a key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

/// HMAC-SHA-256 over `purpose`, a zero byte and `bytes`: one key, several uses that cannot be mixed up.
pub(crate) fn hmac_sha256(key: &[u8; 32], purpose: &[u8], bytes: &[u8]) -> [u8; 32] {
    // INVARIANT: HMAC takes keys of every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("hmac takes keys of every length");
    mac.update(purpose);
    mac.update(&[0]);
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// Whether `signature` is the lower-case hex HMAC-SHA-512 of `body` (Terraform Cloud's notifications). The HMAC is
/// computed for a malformed signature too, so that its time tells nothing.
pub(crate) fn terraform_cloud_signature_matches(secret: &[u8], body: &[u8], signature: &[u8]) -> bool {
    // INVARIANT: HMAC takes keys of every length.
    let mut mac = Hmac::<Sha512>::new_from_slice(secret).expect("hmac takes keys of every length");
    mac.update(body);
    let mut claimed = [0; 64];
    let lower = !signature.iter().any(u8::is_ascii_uppercase);
    let decoded = hex::decode_to_slice(signature, &mut claimed).is_ok();
    mac.verify_slice(&claimed).is_ok() & lower & decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf hello | openssl dgst -sha512 -hmac key`
    const OF_HELLO: &str = "ff06ab36757777815c008d32c8e14a705b4e7bf310351a06a23b612dc4c7433e\
        7757d20525a5593b71020ea2ee162d2311b247e9855862b270122419652c0c92";

    fn check(name: &str, secret: &str, body: &str, signature: &str, expected: bool) {
        let got = terraform_cloud_signature_matches(secret.as_bytes(), body.as_bytes(), signature.as_bytes());
        assert_eq!(got, expected, "{name}");
    }

    #[test]
    fn only_the_lower_case_hex_hmac_sha512_of_the_body_matches() {
        check("right", "key", "hello", OF_HELLO, true);
        check("other secret", "kez", "hello", OF_HELLO, false);
        check("other body", "key", "hello ", OF_HELLO, false);
        check("empty", "key", "hello", "", false);
        check("upper case", "key", "hello", &OF_HELLO.to_uppercase(), false);
        check("cut", "key", "hello", &OF_HELLO[..126], false);
        check("odd", "key", "hello", &OF_HELLO[..127], false);
        check("longer", "key", "hello", &format!("{OF_HELLO}00"), false);
        check("zeros", "key", "hello", &"0".repeat(128), false);
        check("not hex", "key", "hello", &"g".repeat(128), false);
        check("prefixed", "key", "hello", &format!("sha512={OF_HELLO}"), false);
        check("spaced", "key", "hello", &format!(" {OF_HELLO}"), false);
    }

    #[test]
    fn purposes_do_not_mix() {
        assert_ne!(hmac_sha256(&[1; 32], b"a", b"b"), hmac_sha256(&[1; 32], b"ab", b""));
        assert_ne!(hmac_sha256(&[1; 32], b"a", b"b"), hmac_sha256(&[2; 32], b"a", b"b"));
    }
}
