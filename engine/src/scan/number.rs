//! The grammar of JSON numbers (RFC 8259, section 6).
//!
//! Must never convert: a number beyond f64 stays as it is written.

/// Whether the bytes are one JSON number.
pub(crate) fn is_number(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent =
            exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_grammar() {
        for good in [
            "0",
            "-0",
            "1",
            "10.5",
            "1e5",
            "1E+5",
            "-1.25e-300",
            "1e999999",
            "123456789012345678901234567890",
        ] {
            assert!(is_number(good.as_bytes()), "{good}");
        }
        for bad in
            ["", "-", "01", "+1", ".5", "1.", "1e", "1e+", "0x1", "1 ", "NaN", "Infinity", "1_000", "--1"]
        {
            assert!(!is_number(bad.as_bytes()), "{bad}");
        }
    }
}
