//! Owns the check digits of national identity numbers, each from its authority's description.
//! It must never judge real data: it completes numbers that are drawn.

/// Values of the digits.
fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + Clone + '_ {
    text.chars().filter_map(|c| c.to_digit(10))
}

/// Sum of digit times weight.
pub(super) fn weighted(text: &str, weights: &[u32]) -> u32 {
    digits(text).zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// ISO 7064 mod 11,10: the German tax id.
pub(super) fn mod_11_10(text: &str) -> u32 {
    let product = digits(text).fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    match 11 - product {
        10 => 0,
        check => check,
    }
}

/// Verhoeff's dihedral check digit (Aadhaar).
pub(super) fn verhoeff(text: &str) -> u32 {
    // Multiplication in the dihedral group D5: rotations below five, reflections above.
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut check = 0;
    for (at, digit) in digits(text).rev().enumerate() {
        let mut value = digit;
        for _ in 0..(at + 1) % 8 {
            value = PERMUTATION[usize::try_from(value).unwrap_or(0)];
        }
        check = times(check, value);
    }
    // The inverse: reflections are their own.
    if check < 5 { (5 - check) % 5 } else { check }
}

/// Digit and following remainder modulo 97, in two places.
pub(super) fn complement_97(number: u64) -> u64 {
    97 - number % 97
}

/// The letter of a Spanish DNI or NIE number.
pub(super) fn dni_letter(number: u32) -> char {
    let at = usize::try_from(number % 23).unwrap_or(0);
    char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[at])
}

/// The last letter of an Italian codice fiscale: odd places by table, even ones by value.
pub(super) fn fiscal_letter(fifteen: &str) -> char {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let sum: u32 = fifteen
        .chars()
        .enumerate()
        .map(|(at, c)| {
            let value = c.to_digit(10).or_else(|| c.to_digit(36).map(|v| v - 10)).unwrap_or(0);
            if at % 2 == 0 { ODD[usize::try_from(value).unwrap_or(0)] } else { value }
        })
        .sum();
    char::from_u32(u32::from('A') + sum % 26).unwrap_or('A')
}

/// The last character of a Chinese resident identity number (ISO 7064 mod 11-2).
pub(super) fn resident_character(seventeen: &str) -> char {
    let sum = weighted(seventeen, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    char::from(b"10X98765432"[usize::try_from(sum % 11).unwrap_or(0)])
}

/// EAN-13's digit (Swiss AHV number).
pub(super) fn ean(twelve: &str) -> u32 {
    (10 - weighted(twelve, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold() {
        assert_eq!(mod_11_10("8609574271"), 9, "Bundeszentralamt: 86095742719");
        assert_eq!(verhoeff("236"), 3, "Verhoeff 1969");
        assert_eq!(dni_letter(12_345_678), 'Z', "Ministerio del Interior");
        assert_eq!(fiscal_letter("RSSMRA85T10A562"), 'S', "Agenzia delle Entrate");
        assert_eq!(resident_character("11010519491231002"), 'X', "GB 11643-1999");
        assert_eq!(ean("756921707698"), 5, "Zentrale Ausgleichsstelle: 756.9217.0769.85");
        assert_eq!(complement_97(2_550_814_168_025), 38, "service-public: 2 55 08 14 168 025 38");
    }
}
