//! Keys and hashes in parts that would each be taken for a digest.
//!
//! Knows exact formats only.

use super::rarity;

/// Keys that are hexadecimal digits in parts, and no digests: where the one in this run begins. MySQL's native password hash (an asterisk
/// and 40 digits), Mailgun's (32, 8 and 8 digits),
/// an Admin API key of Ghost (24 digits of an id, a colon and 64), Gcore's (an id, a dollar sign and more digits than any digest has).
pub(super) fn begin(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    const MAILGUN: usize = 32 + 1 + 8 + 1 + 8;
    const GHOST_ID: usize = 24;
    let hex = |part: &[u8]| part.iter().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    let begins = |at: usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    let run = &bytes[start..end];
    if run.len() >= MAILGUN && run[run.len() - 9] == b'-' {
        let from = end - MAILGUN;
        let parts = [&bytes[from..from + 32], &bytes[from + 33..from + 41], &bytes[from + 42..end]];
        return (bytes[from + 32] == b'-' && begins(from) && parts.into_iter().all(hex)).then_some(from);
    }
    let before = bytes.get(start.wrapping_sub(1));
    if run.len() == 40 && before == Some(&b'*') && rarity::makeup(run).hex {
        return Some(start - 1);
    }
    if !matches!(run.len(), 64 | 129..) || !hex(run) {
        return None;
    }
    match (run.len(), before) {
        (64, Some(b':')) => {
            let from = start.checked_sub(GHOST_ID + 1)?;
            (begins(from) && hex(&bytes[from..start - 1])).then_some(from)
        }
        (129.., Some(b'$')) => {
            let digits = bytes[..start - 1].iter().rev().take(12).take_while(|b| b.is_ascii_digit()).count();
            (digits > 0).then_some(start)
        }
        _ => None,
    }
}
