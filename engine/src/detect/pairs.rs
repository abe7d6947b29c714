//! Names that are themselves values: `- name: DB_PASSWORD` with `value: x` behind it, `<add key="x" value="y"/>`,
//! `<key>x</key><string>y</string>`, `ParameterKey=x,ParameterValue=y`.
//!
//! Finds the value that belongs to such a name in running text; JSON is `json.rs`'s.

use super::json::{self, PairPart};
use super::value_span::{self, Value, name_byte};

/// What may stand between both halves, bytes.
const BETWEEN_MAX: usize = 256;

fn filler(b: u8) -> bool {
    b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'\\' | b',' | b';' | b'-')
}

/// The value that belongs to the name in `from..to`, when that is the value of a member that holds names.
pub(super) fn value(bytes: &[u8], from: usize, to: usize) -> Option<Value> {
    if bytes[..from].ends_with(b"variable \"") {
        return variable(bytes, to);
    }
    let (tag, element) = naming(bytes, from)?;
    if let Some(value) = before(bytes, from).filter(|_| !element) {
        return Some(value);
    }
    let quote = bytes[to..].iter().take(4).take_while(|b| matches!(b, b'"' | b'\'' | b'\\')).count();
    let behind = to + quote;
    if element {
        return sibling(bytes, behind);
    }
    if tag && bytes.get(behind) == Some(&b'>') {
        let own = value_span::element(bytes, behind)?;
        return if bytes[own.start..own.end].trim_ascii().is_empty() {
            sibling(bytes, behind + 1)
        } else {
            Some(own)
        };
    }
    let mut at = behind;
    let limit = bytes.len().min(behind + BETWEEN_MAX);
    while at < limit {
        let skip = bytes[at..limit].iter().take_while(|b| filler(**b)).count();
        at += skip;
        let len = bytes[at..limit].iter().take_while(|b| name_byte(**b)).count();
        if len == 0 || skip == 0 {
            return None;
        }
        if part(&bytes[at..at + len]) == Some(PairPart::Value) {
            return value_span::value(bytes, at, at + len, true);
        }
        // Other attributes of the same tag may stand between.
        let rest = bytes[at + len..limit].strip_prefix(b"=\"").filter(|_| tag)?;
        at += len + 2 + memchr::memchr(b'"', rest)? + 1;
    }
    None
}

/// `- value: x` and below it `name: DB_PASSWORD`, `{value: x, name: DB_PASSWORD}`: the value stands before its name, with nothing
/// but separators between them; a dash begins another item.
fn before(bytes: &[u8], from: usize) -> Option<Value> {
    let near = from.saturating_sub(BETWEEN_MAX);
    let sign = bytes[near..from].iter().rposition(|b| matches!(b, b':' | b'='))? + near;
    let quotes =
        bytes[near..sign].iter().rev().take_while(|b| matches!(b, b'"' | b'\'' | b'\\' | b' ')).count();
    let key = sign - quotes - bytes[near..sign - quotes].iter().rev().take_while(|b| name_byte(**b)).count();
    let begins = |pair: &[u8]| pair == b"- " || matches!(pair[0], b'{' | b'<');
    let begin = bytes[near..key].windows(2).rposition(begins).map_or(near, |at| near + at + 1);
    let mut at = begin;
    while at < key {
        let len = bytes[at..key].iter().take_while(|b| name_byte(**b)).count();
        if len > 0 && part(&bytes[at..at + len]) == Some(PairPart::Value) {
            // Nothing behind the name is its value, so nothing is read there.
            let value = value_span::value(&bytes[..key], at, at + len, true)?;
            let between = bytes.get(value.end..key)?;
            let apart = between.iter().all(|b| filler(*b) && *b != b'-') && !between.is_empty();
            return apart.then_some(value);
        }
        at += len.max(1);
    }
    None
}

/// `variable "db_password" { default = "x" }` of Terraform's own language.
fn variable(bytes: &[u8], to: usize) -> Option<Value> {
    const DEFAULT: &[u8] = b"default";
    let block = bytes[to..].strip_prefix(b"\" {")?;
    let from = bytes.len() - block.len();
    let block = &block[..memchr::memchr(b'}', block)?.min(BETWEEN_MAX * 2)];
    let at = from + memchr::memmem::find(block, DEFAULT)?;
    let value = value_span::value(bytes, at, at + DEFAULT.len(), true)?;
    bytes[at - 1].is_ascii_whitespace().then_some(value)
}

fn part(name: &[u8]) -> Option<PairPart> {
    json::pair_part(std::str::from_utf8(name).ok()?)
}

/// The member before the name holds names: whether it stands in a tag, and whether it is an element.
fn naming(bytes: &[u8], from: usize) -> Option<(bool, bool)> {
    let near = &bytes[from.saturating_sub(64)..from];
    let end = near.iter().rposition(|b| !matches!(b, b'"' | b'\'' | b'\\' | b' '))?;
    let sign = near[end];
    if !matches!(sign, b'=' | b':' | b'>') {
        return None;
    }
    let stop = near[..end].iter().rposition(|b| !matches!(b, b'"' | b'\'' | b'\\' | b' '))? + 1;
    let start = near[..stop].iter().rposition(|b| !name_byte(*b)).map_or(0, |n| n + 1);
    let name = near[start..stop].strip_prefix(b"-").unwrap_or(&near[start..stop]);
    let element = sign == b'>' && start > 0 && near[start - 1] == b'<';
    if sign == b'>' && !element {
        return None;
    }
    let holds = part(name) == Some(PairPart::Name);
    holds.then(|| (sign == b'=' && memchr::memrchr(b'<', near).is_some(), element))
}

/// The text of the next element that holds any, behind closing tags.
fn sibling(bytes: &[u8], from: usize) -> Option<Value> {
    let mut at = from;
    for _ in 0..3 {
        let near = &bytes[at..bytes.len().min(at + BETWEEN_MAX)];
        let open = memchr::memchr(b'<', near)?;
        if !near[..open].trim_ascii().is_empty() {
            return None;
        }
        let value = value_span::element(bytes, at + open + 1)?;
        if near.get(open + 1) != Some(&b'/') && !bytes[value.start..value.end].trim_ascii().is_empty() {
            return Some(value);
        }
        at = value.start;
    }
    None
}
