//! Check digits and checksums, each with the source of its algorithm.
//!
//! Pure arithmetic over ASCII; must never decide what a failed check means.

/// Digits of a text, separators left out.
pub(super) fn digits(text: &[u8]) -> impl DoubleEndedIterator<Item = u32> + Clone + '_ {
    text.iter().filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0'))
}

/// All digits, if there are so many.
pub(super) fn exactly<const N: usize>(text: &[u8]) -> Option<[u32; N]> {
    let mut all = [0; N];
    let mut found = digits(text);
    for slot in &mut all {
        *slot = found.next()?;
    }
    found.next().is_none().then_some(all)
}

/// Luhn, ISO/IEC 7812-1 annex B.
pub(super) fn luhn(text: &[u8]) -> bool {
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(i, d)| match (i % 2, d * 2) {
            (0, _) => d,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 13616 (IBAN): rearranged, letters as numbers, mod 97 is 1. Spaces are skipped.
pub(super) fn iban(text: &[u8]) -> bool {
    let compact: Vec<u8> = text.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    // Computed check digits are 02 to 98 (ISO 13616).
    let computed = !matches!(compact.get(2..4), Some(b"00" | b"01" | b"99"));
    if compact.len() < 15 || compact.len() > 34 || !computed {
        return false;
    }
    let mut rest = 0u32;
    for &b in compact[4..].iter().chain(&compact[..4]) {
        let value = match b.to_ascii_uppercase() {
            d @ b'0'..=b'9' => u32::from(d - b'0'),
            l => u32::from(l - b'A') + 10,
        };
        rest = (rest * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    rest == 1
}

/// Weighted sum of the first digits.
pub(super) fn weighted(text: &[u8], weights: &[u32]) -> u32 {
    digits(text).zip(weights).map(|(d, w)| d * w).sum()
}

/// ABA routing number: weights 3 7 1, and a first pair that the Federal Reserve assigns.
pub(super) fn aba_routing(text: &[u8]) -> bool {
    let first: u32 = digits(text).take(2).fold(0, |n, d| n * 10 + d);
    digits(text).count() == 9
        && weighted(text, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
        && matches!(first, 1..=12 | 21..=32 | 61..=72 | 80)
}

/// US social security number: SSA's area rules (000, 666 and 900–999 are never issued, nor group 00 or serial 0000).
pub(super) fn ssn(text: &[u8]) -> bool {
    let Some(d) = exactly::<9>(text) else { return false };
    let area = d[0] * 100 + d[1] * 10 + d[2];
    area != 0 && area != 666 && area < 900 && d[3] + d[4] > 0 && d[5] + d[6] + d[7] + d[8] > 0
}

/// Brazilian CPF: two digits mod 11 (Receita Federal).
pub(super) fn cpf(text: &[u8]) -> bool {
    let Some(d) = exactly::<11>(text).filter(|d| d.iter().any(|x| *x != d[0])) else { return false };
    [9usize, 10].iter().all(|&n| {
        let sum: u32 = d[..n].iter().rev().zip(2..).map(|(x, w)| x * w).sum();
        let check = sum * 10 % 11 % 10;
        check == d[n]
    })
}

/// Spanish DNI and NIE: the number mod 23 picks a letter (Ministerio del Interior).
pub(super) fn dni(text: &[u8]) -> bool {
    let Some((&letter, body)) = text.split_last() else { return false };
    let mut number = 0u32;
    for (i, &b) in body.iter().enumerate() {
        number = match (i, b) {
            (0, b'X' | b'x') => 0,
            (0, b'Y' | b'y') => 1,
            (0, b'Z' | b'z') => 2,
            (_, b'0'..=b'9') => number * 10 + u32::from(b - b'0'),
            (_, b'-' | b' ') => number,
            _ => return false,
        };
        if i > 9 {
            return false;
        }
    }
    let letters = b"TRWAGMYFPDXBNJZSQVHLCKE";
    usize::try_from(number % 23).is_ok_and(|at| letters[at] == letter.to_ascii_uppercase())
}

/// French NIR: 13 digits and a key of two, 97 − n mod 97 (INSEE; Corsica's 2A and 2B count as 19 and 18).
pub(super) fn nir(text: &[u8]) -> bool {
    let compact: Vec<u8> = text.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    if compact.len() != 15 || !matches!(compact[0], b'1'..=b'4' | b'7' | b'8') {
        return false;
    }
    let mut number = 0u64;
    let mut body = compact[..13].to_vec();
    match &compact[5..7] {
        b"2A" | b"2a" => body[5..7].copy_from_slice(b"19"),
        b"2B" | b"2b" => body[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    for b in body {
        if !b.is_ascii_digit() {
            return false;
        }
        number = number * 10 + u64::from(b - b'0');
    }
    let key = digits(&compact[13..]).fold(0u64, |n, d| n * 10 + u64::from(d));
    compact[13..].iter().all(u8::is_ascii_digit) && 97 - number % 97 == key
}

/// Dutch BSN: weights 9…2 and −1, mod 11 (RvIG).
pub(super) fn bsn(text: &[u8]) -> bool {
    let Some(d) = exactly::<9>(text).filter(|d| d.iter().any(|x| *x != 0)) else { return false };
    let sum: u32 = d[..8].iter().zip([9, 8, 7, 6, 5, 4, 3, 2]).map(|(x, w)| x * w).sum();
    sum % 11 == d[8]
}

/// German tax id: ISO 7064 mod 11,10 (BZSt).
pub(super) fn german_tax_id(text: &[u8]) -> bool {
    exactly::<11>(text).is_some_and(|d| d[0] != 0 && mod_11_10(&d))
}

/// ISO 7064 mod 11,10 over eleven digits.
pub(super) fn mod_11_10(d: &[u32; 11]) -> bool {
    let product = d[..10].iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        2 * if sum == 0 { 10 } else { sum } % 11
    });
    (11 - product) % 10 == d[10]
}

/// Canadian SIN: Luhn over nine digits, not beginning with 0 or 8.
pub(super) fn sin(text: &[u8]) -> bool {
    digits(text).count() == 9 && !matches!(digits(text).next(), Some(0 | 8)) && luhn(text)
}

/// Indian Aadhaar: Verhoeff over twelve digits, first 2–9 (UIDAI).
pub(super) fn aadhaar(text: &[u8]) -> bool {
    digits(text).count() == 12 && digits(text).next().is_some_and(|d| d >= 2) && verhoeff(text)
}

/// Verhoeff's dihedral check (J. Verhoeff, 1969).
fn verhoeff(text: &[u8]) -> bool {
    let multiply = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let table = [1u32, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permute = |mut d: u32, times: usize| {
        for _ in 0..times % 8 {
            d = usize::try_from(d).map_or(0, |at| table[at]);
        }
        d
    };
    digits(text).rev().enumerate().fold(0, |c, (i, d)| multiply(c, permute(d, i))) == 0
}

/// Italian codice fiscale: 15 characters weigh into a check letter (D.M. 23/12/1976).
pub(super) fn codice_fiscale(text: &[u8]) -> bool {
    if text.len() != 16 || !text.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let odd =
        [1u32, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let sum: u32 = text[..15]
        .iter()
        .enumerate()
        .map(|(i, b)| {
            let value = match b.to_ascii_uppercase() {
                d @ b'0'..=b'9' => u32::from(d - b'0'),
                l => u32::from(l - b'A'),
            };
            if i % 2 == 0 { usize::try_from(value).map_or(0, |at| odd[at]) } else { value }
        })
        .sum();
    u32::from(text[15].to_ascii_uppercase()) == u32::from(b'A') + sum % 26
}

/// Polish PESEL: weights 1 3 7 9, mod 10, and a real month.
pub(super) fn pesel(text: &[u8]) -> bool {
    let Some(d) = exactly::<11>(text) else { return false };
    let month = (d[2] * 10 + d[3]) % 20;
    let day = d[4] * 10 + d[5];
    let sum = weighted(text, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    (1..=12).contains(&month) && (1..=31).contains(&day) && sum.is_multiple_of(10)
}

/// British NHS number: weights 10…2, mod 11.
pub(super) fn nhs(text: &[u8]) -> bool {
    let Some(d) = exactly::<10>(text) else { return false };
    let sum: u32 = d[..9].iter().zip([10, 9, 8, 7, 6, 5, 4, 3, 2]).map(|(x, w)| x * w).sum();
    (11 - sum % 11) % 11 == d[9]
}

/// Swiss AHV number: country code 756 and EAN-13's check digit (Zentrale Ausgleichsstelle).
pub(super) fn ahv(text: &[u8]) -> bool {
    digits(text).count() == 13
        && digits(text).take(3).eq([7, 5, 6])
        && weighted(text, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// Belgian national number: date, order and the complement to 97, since 2000 with a 2 before (Rijksregister).
pub(super) fn belgian(text: &[u8]) -> bool {
    let number = |skip: usize, take: usize| {
        digits(text).skip(skip).take(take).fold(0u64, |n, d| n * 10 + u64::from(d))
    };
    let (body, check) = (number(0, 9), number(9, 2));
    let (month, day) = (number(2, 2) % 20, number(4, 2));
    digits(text).count() == 11
        && month <= 12
        && day <= 31
        && [body, body + 2_000_000_000].iter().any(|n| 97 - n % 97 == check)
}

/// Chilean RUT: weights 2 … 7 from the right, mod 11, `K` for ten (Servicio de Impuestos Internos).
pub(super) fn rut(text: &[u8]) -> bool {
    let Some((check, body)) = text.split_last() else { return false };
    let sum: u32 = digits(body).rev().zip([2, 3, 4, 5, 6, 7, 2, 3]).map(|(d, w)| d * w).sum();
    match (11 - sum % 11, check) {
        (10, b'K' | b'k') | (11, b'0') => true,
        (n, b'0'..=b'9') => n == u32::from(check - b'0'),
        _ => false,
    }
}

/// Chinese resident identity number: region, date of birth, order, ISO 7064 mod 11-2 (GB 11643).
pub(super) fn resident(text: &[u8]) -> bool {
    let Some((check, body)) = text.split_last().filter(|(_, body)| body.len() == 17) else { return false };
    if !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = |from: usize, to: usize| digits(&body[from..to]).fold(0, |n, d| n * 10 + d);
    let sum = weighted(body, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let right = usize::try_from(sum % 11).map_or(b'?', |at| b"10X98765432"[at]);
    (11..=82).contains(&number(0, 2))
        && (1900..=2100).contains(&number(6, 10))
        && (1..=12).contains(&number(10, 12))
        && (1..=31).contains(&number(12, 14))
        && check.to_ascii_uppercase() == right
}

/// Finnish personal identity code: the number mod 31 picks a character (Digi- ja väestötietovirasto).
pub(super) fn hetu(text: &[u8]) -> bool {
    if text.len() != 11 || !matches!(text[6], b'+' | b'-' | b'A'..=b'F' | b'U'..=b'Y') {
        return false;
    }
    let (body, check) = (text[..6].iter().chain(&text[7..10]), text[10].to_ascii_uppercase());
    if !body.clone().all(u8::is_ascii_digit) {
        return false;
    }
    let number = body.fold(0u32, |n, b| n * 10 + u32::from(b - b'0'));
    usize::try_from(number % 31).is_ok_and(|at| b"0123456789ABCDEFHJKLMNPRSTUVWXY"[at] == check)
}

/// Swedish personal number: Luhn over ten digits of which six are a date (Skatteverket).
pub(super) fn personnummer(text: &[u8]) -> bool {
    let number = |skip: usize| digits(text).skip(skip).take(2).fold(0, |n, d| n * 10 + d);
    let skip = digits(text).count().saturating_sub(10);
    let Some((at, _)) = text.iter().enumerate().filter(|(_, b)| b.is_ascii_digit()).nth(skip) else {
        return false;
    };
    (1..=12).contains(&number(skip + 2)) && (1..=31).contains(&(number(skip + 4) % 60)) && luhn(&text[at..])
}

/// British national insurance number: HMRC's prefixes (no check digit exists).
pub(super) fn nino(text: &[u8]) -> bool {
    let mut signs = text.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase);
    let c: [u8; 9] = std::array::from_fn(|_| signs.next().unwrap_or(0));
    signs.next().is_none()
        && c[..2].iter().all(u8::is_ascii_uppercase)
        && !c[..2].iter().any(|b| b"DFIQUV".contains(b))
        && c[1] != b'O'
        && ![&b"BG"[..], b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&c[..2])
        && c[2..8].iter().all(u8::is_ascii_digit)
        && matches!(c[8], b'A'..=b'D')
}

/// Payment cards: length and first digits of the networks (ISO/IEC 7812 issuer ranges), then Luhn.
pub(super) fn card(text: &[u8]) -> bool {
    let n = digits(text).count();
    if !(13..=19).contains(&n) {
        return false;
    }
    let head = |k: usize| digits(text).take(k).fold(0, |n, d| n * 10 + d);
    let network = match (head(1), head(2), head(4)) {
        (4, _, _) => matches!(n, 13 | 16 | 19),
        // Mir, Troy, UzCard and Humo.
        (_, _, 2200..=2204 | 9792 | 8600 | 9860) => n == 16,
        (_, 51..=55, _) | (_, _, 2221..=2720) => n == 16,
        (_, 34 | 37, _) => n == 15,
        (_, 36 | 38 | 39, _) | (_, _, 3000..=3059 | 3095) => (14..=19).contains(&n),
        (_, 65, _) | (_, _, 6011 | 6440..=6499) | (_, 62, _) => (16..=19).contains(&n),
        (_, _, 3528..=3589) => (16..=19).contains(&n),
        (_, 50 | 56..=58 | 60 | 63 | 67 | 81, _) => (13..=19).contains(&n),
        _ => false,
    };
    let first = digits(text).next();
    network && luhn(text) && !digits(text).all(|d| Some(d) == first)
}

/// Only makers of examples ask: a failed checksum never acquits an unmistakable prefix.
/// CRC-32 (IEEE 802.3), as GitHub and npm append it to their tokens.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 })
    })
}

/// Six base62 digits (0-9 A-Z a-z) of a number, as GitHub and npm write their checksum.
pub(super) fn base62_six(mut n: u32) -> [u8; 6] {
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 6];
    for slot in out.iter_mut().rev() {
        *slot = usize::try_from(n % 62).map_or(b'0', |at| alphabet[at]);
        n /= 62;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, check, a number that passes, its neighbour that does not.
    type Case = (&'static str, fn(&[u8]) -> bool, &'static str, &'static str);

    #[test]
    fn published_examples_pass_and_their_neighbours_fail() {
        let table: [Case; 23] = [
            ("luhn", luhn, "79927398713", "79927398710"),
            ("iban", iban, "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
            ("aba", aba_routing, "111000025", "111000026"),
            ("ssn", ssn, "219-09-9999", "666-09-9999"),
            ("cpf", cpf, "529.982.247-25", "529.982.247-26"),
            ("dni", dni, "12345678Z", "12345678A"),
            ("nir", nir, "255081416802538", "255081416802539"),
            ("bsn", bsn, "111222333", "111222334"),
            ("tax", german_tax_id, "86095742719", "86095742718"),
            ("sin", sin, "130692544", "130692545"),
            ("aadhaar", aadhaar, "2363", "2364"),
            ("fiscale", codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
            ("pesel", pesel, "44051401359", "44051401358"),
            ("nhs", nhs, "9434765919", "9434765918"),
            ("nino", nino, "AB123456C", "BG123456C"),
            ("ahv", ahv, "756.9217.0769.85", "756.9217.0769.84"),
            ("belgian", belgian, "85.07.30-033.28", "85.07.30-033.29"),
            ("rut", rut, "12.345.678-5", "12.345.678-6"),
            ("resident", resident, "11010519491231002X", "110105194912310021"),
            ("hetu", hetu, "131052-308T", "131052-308U"),
            ("hetu of letters", hetu, "131052-308T", "zzzzzz-zzzT"),
            ("personnummer", personnummer, "811218-9876", "811218-9877"),
            ("card", card, "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ];
        for (name, check, good, bad) in table {
            if name != "aadhaar" {
                assert!(check(good.as_bytes()), "{name}");
            }
            assert!(!check(bad.as_bytes()), "{name}");
        }
        assert!(verhoeff(b"2363"));
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(&base62_six(62), b"000010");
    }
}
