//! How unlike words a token is. Shannon entropy cannot tell `ThisIsAnIdentifier` from a key; character pairs can.
//!
//! Judges one token at a time; must never decide on position or key, those are the caller's.

use super::rarity_table::{CLASSES, PAIRS};
use super::tokens;

/// What a token is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Makeup {
    pub(super) len: usize,
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digits: usize,
    pub(super) symbols: usize,
    /// All letters are hexadecimal and of one case.
    pub(super) hex: bool,
    /// Distinct characters, at most 64 counted.
    pub(super) distinct: u32,
}

/// Counts characters of a token.
pub(super) fn makeup(token: &[u8]) -> Makeup {
    let mut m =
        Makeup { len: token.len(), lower: 0, upper: 0, digits: 0, symbols: 0, hex: true, distinct: 0 };
    let mut seen = 0u128;
    for &b in token {
        seen |= 1u128 << (b & 127);
        match b {
            b'a'..=b'z' => m.lower += 1,
            b'A'..=b'Z' => m.upper += 1,
            b'0'..=b'9' => m.digits += 1,
            _ => m.symbols += 1,
        }
        m.hex &= b.is_ascii_hexdigit();
    }
    m.hex &= m.lower == 0 || m.upper == 0;
    m.distinct = seen.count_ones();
    m
}

fn class(b: u8) -> usize {
    usize::from(match b {
        b'a'..=b'z' => b - b'a',
        b'A'..=b'Z' => 26 + (b - b'A'),
        b'0'..=b'9' => 52,
        b'+' => 53,
        b'/' => 54,
        b'=' => 55,
        _ => 56,
    })
}

/// Mean over the pairs of the token, in hundredths of a bit: text is near +190, random base62 near −260.
pub(crate) fn familiarity(token: &[u8]) -> i32 {
    let mut sum = 0i32;
    let mut pairs = 0i32;
    let mut before = None;
    for &b in token {
        let now = class(b);
        if let Some(before) = before {
            sum += i32::from(PAIRS[before * CLASSES + now]);
            pairs += 1;
        }
        before = Some(now);
    }
    if pairs == 0 { 0 } else { sum * 100 / (8 * pairs) }
}

/// How much a place invites secrets: lowers the bar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Invitation {
    /// Nothing speaks for a secret.
    None,
    /// The key sounds like one.
    Key,
}

/// The token was drawn, not written. `true` means that it is judged a secret.
///
/// Bars measured on the table's own text (1 in 1,000 long tokens below −64) and on drawn tokens (1 in 1,000 of
/// twenty base62 characters above −55).
pub(super) fn drawn(token: &[u8], invited: Invitation) -> bool {
    let m = makeup(token);
    let min = if invited == Invitation::Key { 12 } else { 20 };
    if m.len < min || m.distinct < 8 {
        return false;
    }
    let score = familiarity(token);
    if invited == Invitation::Key {
        // A key that sounds secret: even hex, digits with letters, single case.
        return (m.hex && m.len >= 16 && m.digits > 0)
            || (score < 20 && m.digits + m.symbols > 0)
            || score < -60;
    }
    if m.hex {
        // Digests, ids, revisions: without a telling key nobody can say.
        return false;
    }
    if m.lower > 0 && m.upper > 0 {
        let bar = if m.len >= 30 { -20 } else { -45 };
        return score < bar && (m.digits > 0 || m.len >= 28);
    }
    if m.upper > 0 {
        return m.len >= 26 && m.digits > 0 && score < -50;
    }
    m.len >= 24 && m.digits >= 2 && score < -50
}

/// Nobody writes this word, a machine made it: a UUID, hexadecimal digits, letters and digits or both cases in one another.
/// Weaker than [`drawn`]: for a word that a secret's name announces.
pub(super) fn generated(word: &[u8]) -> bool {
    let changes = |one: fn(&u8) -> bool, other: fn(&u8) -> bool| {
        word.windows(2).filter(|w| one(&w[0]) && other(&w[1]) || other(&w[0]) && one(&w[1])).count()
    };
    let digits = changes(u8::is_ascii_digit, u8::is_ascii_alphabetic);
    let cases = changes(u8::is_ascii_lowercase, u8::is_ascii_uppercase);
    word.len() >= 8
        && (digits >= 2
            || digits == 1 && cases >= 2
            || cases >= 5
            || tokens::uuid(word)
            || word.len() >= 16 && drawn(word, Invitation::Key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_draws_go() {
        for (token, drawn_) in [
            ("ThisIsAnIdentifierOfThirtyChars", false),
            ("terraform-20230101120000000000000001", false),
            ("arn-like-role-name-for-production-2", false),
            ("aGVsbG8gd29ybGQK", false),
            ("kubernetes-engine-node-pool-default", false),
            ("d41d8cd98f00b204e9800998ecf8427e", false),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false),
            ("Zk3qXv9LmT0wRb7YhU2cNd5g", true),
            ("wJq7XUtnFZMIbK7MDvNGbPxRfiCYzX9qKEYQQkpZ", true),
            ("q7w2k9x4m1z8v3t6y0u5r7p2", true),
        ] {
            assert_eq!(drawn(token.as_bytes(), Invitation::None), drawn_, "{token}");
        }
    }
}
