//! Private network addresses: RFC 1918, RFC 6598 and RFC 4193, alone, with a port, or with a prefix length.

use std::net::Ipv6Addr;

use super::inspect::Search;
use super::key_cache::KeyCache;
use super::{Hint, structural as rule, tokens};

/// Windows of the gate, with the distance from the address' first byte.
pub(super) const WINDOWS: &[[u8; 3]] = &[*b"10.", *b"72.", *b"92.", *b"00."];

/// A cheap look: whether [`at`] may find an address near the window.
pub(super) fn may_begin(text: &[u8], at: usize) -> bool {
    let open =
        |at: usize| at == 0 || !(text[at - 1].is_ascii_alphanumeric() || matches!(text[at - 1], b'.' | b'_'));
    match text[at] {
        b'1' => open(at) && text.get(at + 3).is_some_and(u8::is_ascii_digit),
        b'7' | b'9' | b'0' => {
            at > 0 && text[at - 1] == b'1' && open(at - 1) && text.get(at + 3).is_some_and(u8::is_ascii_digit)
        }
        _ => text[at..].iter().take(5).any(|b| *b == b':'),
    }
}

/// An address near the window at `at`. Returns where reading ended.
pub(super) fn at(search: &mut Search<'_>, text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    match &bytes[at..at + 3] {
        b"10." => v4(search, bytes, at),
        b"72." | b"92." | b"00." if at > 0 && bytes[at - 1] == b'1' => v4(search, bytes, at - 1),
        [b'f' | b'F', ..] => v6(search, text, at),
        _ => at,
    }
}

fn v4(search: &mut Search<'_>, bytes: &[u8], start: usize) -> usize {
    if start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || matches!(bytes[start - 1], b'.' | b'_')) {
        return start;
    }
    let mut octets = [0u16; 4];
    let mut at = start;
    for (i, octet) in octets.iter_mut().enumerate() {
        if i > 0 {
            if bytes.get(at) != Some(&b'.') {
                return at;
            }
            at += 1;
        }
        let digits = bytes[at..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 3 || digits > 1 && bytes[at] == b'0' {
            return at;
        }
        *octet = bytes[at..at + digits].iter().fold(0, |n, b| n * 10 + u16::from(b - b'0'));
        at += digits;
    }
    let private = match octets {
        _ if octets.iter().any(|o| *o > 255) => false,
        [10, ..] | [192, 168, ..] => true,
        [172, second, ..] => (16..32).contains(&second),
        [100, second, ..] => (64..128).contains(&second),
        _ => false,
    };
    let open = match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'.'), Some(next)) => next.is_ascii_digit(),
        (Some(b), _) => b.is_ascii_alphanumeric() || *b == b'_',
        _ => false,
    };
    if private && !open && !version(&mut search.scratch.names, bytes, start) {
        let end = at + prefix(&bytes[at..], 2);
        search.push(start, end, rule::PRIVATE_IP);
        return end;
    }
    at
}

/// `PLATFORM_VERSION=10.1.2.3`.
fn version(names: &mut KeyCache, bytes: &[u8], start: usize) -> bool {
    matches!(tokens::name_before(names, bytes, start), Some(Hint::Version))
}

/// `/24`, so many digits at most.
fn prefix(rest: &[u8], digits_max: usize) -> usize {
    let digits = rest.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
    if rest.first() == Some(&b'/') && (1..=digits_max).contains(&digits) { digits + 1 } else { 0 }
}

fn v6(search: &mut Search<'_>, text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    if start > 0
        && (bytes[start - 1].is_ascii_alphanumeric() || matches!(bytes[start - 1], b':' | b'.' | b'_' | b'-'))
    {
        return start;
    }
    let len = bytes[start..]
        .iter()
        .take(46)
        .take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
        .count();
    let mut end = start + len;
    while end > start && matches!(bytes[end - 1], b'.') {
        end -= 1;
    }
    // `fd00::1:` at the end of a phrase.
    if text[start..end].ends_with(':') && !text[start..end].ends_with("::") {
        end -= 1;
    }
    if bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) || bytes.get(start + 4) != Some(&b':') {
        return start;
    }
    if text[start..end].parse::<Ipv6Addr>().is_ok() {
        let end = end + prefix(&bytes[end..], 3);
        search.push(start, end, rule::PRIVATE_IP);
        return end;
    }
    start
}
