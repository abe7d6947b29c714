//! Groups of digits and long runs in a block: whether a value may hold a number of a person or account, or a drawn token.
//!
//! Reads masks first and bytes only where these hesitate. Must never decide: what is noticed here is judged elsewhere.

use super::gate::index;
use super::glance::Masks;
use super::people::{GROUP_BYTES_MAX, before_bracket, glue};
use super::{announced, parted, tokens};

/// Digits that a number of a person or account has at least: a telephone number behind a word that says so.
const DIGITS_MIN: usize = 6;

/// Whether a group of digits may be a number of a person or an account: what `people::numbers` would look at. The block begins
/// at `block` of the text.
#[inline(always)]
pub(super) fn number(all: &[u8], block: usize, masks: &Masks) -> bool {
    let text = &all[block..];
    let (digit, upper, alnum) = (masks.digit, masks.upper, masks.alnum());
    if heads(upper, digit, alnum) != 0 {
        return true;
    }
    if index(digit.count_ones()) < DIGITS_MIN {
        return false;
    }
    let mut starts = digit & !(alnum << 1);
    while starts != 0 {
        let at = starts.trailing_zeros();
        starts &= starts - 1;
        let from = index(at);
        let before = from.checked_sub(1).map(|n| text[n]);
        if matches!(before, Some(b'_' | b'/' | b'@'))
            || matches!(before, Some(b'-' | b'.')) && beginnings(text, from).next() == Some(from)
        {
            continue;
        }
        // Most groups end with their first run of digits.
        let run = index((digit >> at).trailing_ones());
        let (mut digits, mut end, mut to) = (run, from + run, from + run);
        let mut slashed = false;
        while let Some(byte) = text.get(to) {
            match byte {
                b'0'..=b'9' => {
                    digits += 1;
                    end = to + 1;
                }
                b' ' | b'-' | b'.' | b'(' | b')' if to - end < 2 && !slashed => {}
                // `tel. 030/1234567`: an area code as Germany writes it.
                b'/' if to == end && !slashed => {
                    slashed = beginnings(text, from).any(|at| announced::telephone(all, block + at));
                    if !slashed {
                        break;
                    }
                    end = to + 1;
                }
                _ => break,
            }
            to += 1;
        }
        if to - from >= GROUP_BYTES_MAX - BEFORE_MAX {
            return true;
        }
        if block == 0 && from == 0 && end == all.len() {
            return alone(all, digits, masks);
        }
        // The twelve digits of an account in an ARN are the commonest number of a state.
        let account = digits == 12
            && end - from == 12
            && before == Some(b':')
            && matches!(text.get(end), Some(b':') | None);
        // What goes on is an identifier or a time. A check digit may be a letter, also behind a dash.
        let checks = |byte: Option<&u8>| matches!(byte, Some(b'K' | b'k' | b'X' | b'x'));
        let next = text.get(end + 1);
        let open = match text.get(end) {
            Some(b'-' | b'.') => glue(next) && !checks(next),
            byte => glue(byte) && !checks(byte),
        };
        let bracketed = || before_bracket(&text[from..end]).is_some();
        if digits >= DIGITS_MIN && !account && (!open || bracketed()) {
            return true;
        }
    }
    false
}

/// Where an IBAN, a codice fiscale or a CURP may begin.
#[inline(always)]
fn heads(upper: u64, digit: u64, alnum: u64) -> u64 {
    let iban = digit >> 2 & digit >> 3;
    let codice = upper >> 2 & upper >> 3 & upper >> 4 & upper >> 5 & digit >> 6 & digit >> 7;
    let curp = upper >> 2 & upper >> 3 & digit >> 4 & digit >> 5 & digit >> 6 & digit >> 7;
    upper & upper >> 1 & !(alnum << 1) & (iban | codice | curp)
}

/// Whether a text that is one group of digits may be such a number: nothing announces it, so it has a form of its own.
fn alone(text: &[u8], digits: usize, masks: &Masks) -> bool {
    let plain = digits == text.len();
    // Addresses: the only number that is parted by dots alone is an AHV number (`people::number`).
    let dotted = index(masks.digit.count_ones() + masks.rare.count_ones()) == text.len();
    match (plain, dotted) {
        // Cards, and Chinese resident numbers.
        (true, _) => matches!(digits, 14..=16 | 18),
        (false, true) => digits == 13,
        _ => digits >= DIGITS_MIN,
    }
}

/// Bytes that a number may have before its first digit.
const BEFORE_MAX: usize = 3;

/// Where the number whose first digit this is may begin: with a sign, behind which two separators may stand.
fn beginnings(text: &[u8], digit: usize) -> impl Iterator<Item = usize> {
    (digit.saturating_sub(BEFORE_MAX)..digit).filter(|at| matches!(text[*at], b'(' | b'+')).chain([digit])
}

/// Characters of a UUID (RFC 9562), and which of them are hexadecimal digits; the others are dashes.
const UUID_BYTES: usize = 36;
const UUID_HEX: u64 = 0xf_ffff_ffff & !(1 << 8 | 1 << 13 | 1 << 18 | 1 << 23);

/// Whether a text of one block holds a run of at least twenty token characters that is worth a judgement: digests,
/// revisions and UUIDs are not.
#[inline(always)]
pub(super) fn run(text: &[u8], masks: &Masks, public: bool) -> bool {
    let token = masks.token();
    let mut long = twenty(token);
    if long == 0 {
        return false;
    }
    // A document inside of the text has keys of its own.
    let public = public && memchr::memchr(b'{', text).is_none();
    while long != 0 {
        // A place of `long` has nineteen more token characters behind it.
        let at = long.trailing_zeros();
        let count = (token >> at).trailing_ones();
        let bits = (u64::MAX >> (64 - count)) << at;
        long &= !bits;
        let (start, end) = (index(at), index(at + count));
        if parted::begin(text, start, end).is_some() {
            return !tokens::addressed(text);
        }
        if bits & !masks.hex == 0 {
            if start > 0 && text[start - 1] == b'*' {
                return !tokens::addressed(text);
            }
            continue;
        }
        if end - start == UUID_BYTES && masks.hex >> at & !(u64::MAX << UUID_BYTES) == UUID_HEX {
            let dash = |place: usize| text[start + place] == b'-';
            if dash(8) && dash(13) && dash(18) && dash(23) {
                continue;
            }
        }
        let mixed = bits & masks.upper != 0 && bits & masks.lower != 0;
        let part = twenty(bits & !masks.joint) != 0;
        if tokens::open_to_judgement(text, start, end, !public && (mixed || part)) {
            return !tokens::addressed(text);
        }
    }
    false
}

/// Places with nineteen more set bits behind them.
#[inline(always)]
pub(super) fn twenty(bits: u64) -> u64 {
    let mut long = bits & bits >> 1;
    long &= long >> 2;
    long &= long >> 4;
    long &= long >> 8;
    long & long >> 4
}
