//! API keys: `tsk_` + 32 random base62 characters + 6 base62 characters of CRC32.
//!
//! The checksum lets secret scanners and this door tell a typo without asking the database. Keys are looked up by
//! an HMAC-SHA-256 under a pepper, not by bcrypt: the key itself has 190 random bits, and bcrypt at 59–229 ms a request
//! would break the latency goal. Must never keep a key's text.

use rand::TryRng as _;
use rand::rngs::SysRng;
use terrasift_secrets::Secret;

use crate::mac::hmac_sha256;

const PREFIX: &str = "tsk_";
const RANDOM_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes a key of 24 bytes from the operating system's generator. Show it once, store [`api_key_digest`] of it.
#[must_use]
pub fn mint_api_key(random: [u8; 24]) -> Secret {
    let body = base62::<RANDOM_CHARS>(&random);
    let checksum = base62::<CHECKSUM_CHARS>(&crc32(body.as_bytes()).to_be_bytes());
    Secret::new(format!("{PREFIX}{body}{checksum}"))
}

/// Makes a key of the operating system's randomness, with what the store knows it by. `None` when there is none to be had.
#[must_use]
pub fn fresh_api_key(pepper: &[u8; 32]) -> Option<(Secret, [u8; 32])> {
    let mut random = [0; 24];
    SysRng.try_fill_bytes(&mut random).ok()?;
    let key = mint_api_key(random);
    let digest = api_key_digest(pepper, key.expose())?;
    Some((key, digest))
}

/// What the store knows a key by. `None` when the text is no key: wrong shape or checksum.
#[must_use]
pub fn api_key_digest(pepper: &[u8; 32], text: &str) -> Option<[u8; 32]> {
    let rest = text.strip_prefix(PREFIX)?;
    if rest.len() != RANDOM_CHARS + CHECKSUM_CHARS || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (body, checksum) = rest.split_at_checked(RANDOM_CHARS)?;
    let expected = base62::<CHECKSUM_CHARS>(&crc32(body.as_bytes()).to_be_bytes());
    (expected == checksum).then(|| hmac_sha256(pepper, b"api-key", text.as_bytes()))
}

/// The low `CHARS` base62 digits of a big-endian number.
fn base62<const CHARS: usize>(number: &[u8]) -> String {
    let mut number = number.to_vec();
    let mut digits = [0; CHARS];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = remainder << 8 | u32::from(*byte);
            // INVARIANT: remainder < 62, so value / 62 < 256.
            *byte = u8::try_from(value / 62).expect("a quotient below 256");
            remainder = value % 62;
        }
        *digit = ALPHABET.get(usize::try_from(remainder).unwrap_or(0)).copied().unwrap_or(b'0');
    }
    digits.iter().map(|b| char::from(*b)).collect()
}

/// CRC-32 as in zlib and Ethernet (reflected polynomial 0xEDB88320), bit by bit: 32 bytes at a time need no table.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEPPER: [u8; 32] = [9; 32];

    #[test]
    fn crc32_has_the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn base62_writes_known_numbers() {
        let cases: [(&[u8], &str); 4] =
            [(&[0], "0000"), (&[61], "000z"), (&[62], "0010"), (&[0xff, 0xff, 0xff], "z8Dx")];
        for (number, text) in cases {
            let slow = number.iter().fold(0_u64, |n, b| n * 256 + u64::from(*b)) % 62_u64.pow(4);
            let digits: Vec<_> =
                base62::<4>(number).bytes().map(|b| ALPHABET.iter().position(|a| *a == b).unwrap()).collect();
            assert_eq!(digits.iter().fold(0, |n, d| n * 62 + u64::try_from(*d).unwrap()), slow, "{number:?}");
            if number.len() == 1 {
                assert_eq!(base62::<4>(number), text);
            }
        }
    }

    #[test]
    fn a_minted_key_has_its_shape_and_digests() {
        for byte in [0, 1, 0x7f, 0xff] {
            let key = mint_api_key([byte; 24]);
            assert_eq!(key.expose().len(), PREFIX.len() + RANDOM_CHARS + CHECKSUM_CHARS);
            assert!(api_key_digest(&PEPPER, key.expose()).is_some());
        }
        let (a, b) = (mint_api_key([1; 24]), mint_api_key([2; 24]));
        assert_ne!(api_key_digest(&PEPPER, a.expose()), api_key_digest(&PEPPER, b.expose()));
        assert_ne!(api_key_digest(&PEPPER, a.expose()), api_key_digest(&[8; 32], a.expose()));
    }

    #[test]
    fn what_is_no_key_has_no_digest() {
        let good = mint_api_key([5; 24]).expose().to_owned();
        let mut swapped = good.clone().into_bytes();
        swapped.swap(5, 20);
        let mut checksum = good.clone();
        let last = if checksum.pop() == Some('0') { '1' } else { '0' };
        checksum.push(last);
        let cases = [
            ("empty", String::new()),
            ("prefix alone", "tsk_".into()),
            ("no prefix", good[4..].into()),
            ("other prefix", good.replace("tsk_", "tsx_")),
            ("upper prefix", good.replace("tsk_", "TSK_")),
            ("one short", good[..good.len() - 1].into()),
            ("one long", format!("{good}0")),
            ("leading space", format!(" {good}")),
            ("wrong checksum", checksum),
            ("not ascii", format!("tsk_{}", "ü".repeat(19))),
            ("nul", format!("tsk_{}", "\0".repeat(38))),
        ];
        for (name, text) in cases {
            assert!(api_key_digest(&PEPPER, &text).is_none(), "{name}");
        }
        if swapped != good.as_bytes() {
            assert!(api_key_digest(&PEPPER, std::str::from_utf8(&swapped).unwrap()).is_none(), "swapped");
        }
    }
}
