//! Owns the check digits of secret formats. It must never be used to judge real data: it makes test data.

use super::super::dice::BASE62;

/// CRC-32 (IEEE 802.3, reflected), bit by bit.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// The number in base 62 (digits, upper, lower), padded with `0` to six characters: the tail of GitHub's and npm's tokens
/// (github.blog, "Behind GitHub's new authentication token formats", 2021).
#[must_use]
pub fn base62_six(number: u32) -> String {
    let mut rest = number;
    let mut out = [b'0'; 6];
    for slot in out.iter_mut().rev() {
        *slot = BASE62[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The Luhn check digit (ISO/IEC 7812-1) that completes `digits`.
#[must_use]
pub fn luhn_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 if digit > 4 => digit * 2 - 9,
            0 => digit * 2,
            _ => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

/// The remainder of an IBAN (ISO 13616) modulo 97; 1 when valid. `country` and `check` are moved behind `account`.
#[must_use]
pub fn iban_remainder(country: &str, check: u32, account: &str) -> u32 {
    let rearranged = format!("{account}{country}{check:02}");
    rearranged.chars().fold(0, |rest, c| match c.to_digit(36) {
        Some(value) if value > 9 => (rest * 100 + value) % 97,
        Some(value) => (rest * 10 + value) % 97,
        None => rest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of the CRC catalogue");
        assert_eq!(luhn_digit("7992739871"), 3, "the example of ISO/IEC 7812");
        assert_eq!(iban_remainder("GB", 82, "WEST12345698765432"), 1, "the example of ISO 13616");
        assert_eq!(base62_six(61), "00000z");
        assert_eq!(base62_six(62), "000010");
    }
}
