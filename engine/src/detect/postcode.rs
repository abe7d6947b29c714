//! Postal codes as countries write them.
//!
//! Knows forms only: five digits are no code by themselves, so that whoever asks must have read a street before.

/// A code that was read.
pub(super) struct Code {
    pub(super) end: usize,
    /// Its town stands behind it.
    pub(super) leads: bool,
}

/// The code that begins at `at`. `named`: words of a place stand before it already.
pub(super) fn at(text: &str, at: usize, named: bool) -> Option<Code> {
    let bytes = text.as_bytes().get(at..)?;
    // `D-10115`, `CH-8001`, `L-1234`: the country before the code.
    let letters = bytes.iter().take(3).take_while(|b| b.is_ascii_uppercase()).count();
    if (1..=2).contains(&letters)
        && bytes.get(letters) == Some(&b'-')
        && bytes.get(letters + 1).is_some_and(u8::is_ascii_digit)
    {
        let skip = at + letters + 1;
        return digits(text, skip, false).map(|end| Code { end, leads: true });
    }
    if letters > 0 {
        return lettered(bytes, named).map(|len| Code { end: at + len, leads: false });
    }
    digits(text, at, named).map(|end| Code { end, leads: !named })
}

const AMERICAN_STATES: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK \
                               OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR GU VI AS MP AA AE AP";
const AUSTRALIAN_STATES: &str = "NSW VIC QLD TAS ACT SA WA NT";

fn shape(bytes: &[u8], form: &[u8]) -> bool {
    bytes.len() >= form.len()
        && bytes.iter().zip(form).all(|(b, f)| match f {
            b'9' => b.is_ascii_digit(),
            b'A' => b.is_ascii_uppercase(),
            other => b == other,
        })
        && !bytes.get(form.len()).is_some_and(u8::is_ascii_alphanumeric)
}

/// The United Kingdom's and Canada's codes, and those behind a state: `NY 10001`, `NSW 2000`.
fn lettered(bytes: &[u8], named: bool) -> Option<usize> {
    const BRITISH: &[&[u8]] = &[
        b"A9 9AA",
        b"A99 9AA",
        b"AA9 9AA",
        b"AA99 9AA",
        b"A9A 9AA",
        b"AA9A 9AA",
        b"AA99AA",
        b"AA999AA",
        b"A99AA",
        b"AA9A9AA",
    ];
    const OTHERS: &[&[u8]] = &[b"A9A 9A9", b"A9A9A9", b"A9A-9A9"];
    const IRISH: &[&[u8]] = &[b"A99 AA99", b"A99 A9A9", b"A99 AAA9"];
    const AMERICAN: &[&[u8]] = &[b"AA 99999-9999", b"AA 99999", b"AA  99999", b"AA, 99999"];
    const AUSTRALIAN: &[&[u8]] = &[b"AAA 9999", b"AA 9999"];
    let state = |form: &[u8], states: &str| {
        let len = form.iter().take_while(|f| **f == b'A').count();
        let code = bytes.get(..len).unwrap_or_default();
        states.as_bytes().split(|b| *b == b' ').any(|state| state == code)
    };
    let plain = BRITISH.iter().chain(OTHERS).chain(IRISH).find(|form| shape(bytes, form));
    let american =
        || AMERICAN.iter().find(|form| named && shape(bytes, form) && state(form, AMERICAN_STATES));
    let australian =
        || AUSTRALIAN.iter().find(|form| named && shape(bytes, form) && state(form, AUSTRALIAN_STATES));
    let form = plain.or_else(american).or_else(australian)?;
    Some(form.len())
}

/// Codes of digits. Where no place stands before, its name must follow.
fn digits(text: &str, at: usize, named: bool) -> Option<usize> {
    const FORMS: &[&[u8]] = &[
        b"99999-9999",
        b"99999-999",
        b"9999-999",
        b"99-999",
        b"999 99",
        b"99999",
        b"999999",
        b"999 999",
        b"9999 AA",
        b"9999AA",
        b"9999",
    ];
    let bytes = text.as_bytes().get(at..)?;
    let town = |len: usize| {
        let rest = text.get(at + len..).unwrap_or("");
        let rest = rest.strip_prefix(' ').unwrap_or("");
        rest.starts_with(char::is_uppercase) || rest.starts_with("'s-") || rest.starts_with("'s ")
    };
    let form = FORMS.iter().find(|form| {
        let whole = form.len() > 6 || form.contains(&b'A');
        shape(bytes, form) && (whole || town(form.len()) || named && (5..=7).contains(&form.len()))
    })?;
    Some(at + form.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_the_forms_of_their_countries() {
        for (text, named, len) in [
            ("10115 Berlin", false, Some(5)),
            ("D-10115 Berlin", false, Some(7)),
            ("SW1A 1AA", true, Some(8)),
            ("NY 10001-1234", true, Some(13)),
            ("1012 AB Amsterdam", false, Some(7)),
            ("00-950 Warszawa", false, Some(6)),
            ("1250-142 Lisboa", false, Some(8)),
            ("114 55 Stockholm", false, Some(6)),
            ("K1A 0B1", true, Some(7)),
            ("8001 Zürich", false, Some(4)),
            ("10115", false, None),
            ("10115 items", false, None),
            ("8080", true, None),
            ("AB 1", true, None),
        ] {
            assert_eq!(at(text, 0, named).map(|code| code.end), len, "{text}");
        }
    }
}
