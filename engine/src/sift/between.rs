//! What stands between two leaves: the grammar of JSON without its strings, numbers and words.
//!
//! Must never let pass what the walk would refuse.

use super::pointer::escape_into;
use crate::scan::closing_quote;

/// Longer texts between two leaves are left to the walk.
const BYTES_MAX: usize = 1 << 10;

/// What the grammar finds between two leaves.
pub(super) enum Found {
    /// `{` or `[`.
    Open { object: bool },
    /// Their ends.
    Close,
    /// A key, between its quotes.
    Key(usize, usize),
}

/// The innermost container.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Top {
    None,
    Object,
    Array,
}

/// Reads the grammar between two leaves and tells what it finds; `top` is the container that is open, and each answer the one
/// that then is. Returns where a leaf begins, or where the outermost container has ended.
pub(super) fn structure(
    bytes: &[u8],
    mut top: Top,
    mut tell: impl FnMut(Found) -> Option<Top>,
) -> Option<usize> {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Want {
        FirstKey,
        Key,
        FirstValue,
        Value,
        CommaOrEnd,
    }
    let mut want = if top == Top::None { Want::Value } else { Want::CommaOrEnd };
    let mut at = 0;
    while at < BYTES_MAX {
        let byte = *bytes.get(at)?;
        at += 1;
        want = match (want, byte) {
            (_, b' ' | b'\n' | b'\t' | b'\r') => continue,
            (Want::CommaOrEnd, b',') if top == Top::Object => Want::Key,
            (Want::CommaOrEnd, b',') => Want::Value,
            (Want::CommaOrEnd | Want::FirstKey, b'}') if top == Top::Object => {
                top = tell(Found::Close)?;
                Want::CommaOrEnd
            }
            (Want::CommaOrEnd | Want::FirstValue, b']') if top == Top::Array => {
                top = tell(Found::Close)?;
                Want::CommaOrEnd
            }
            (Want::FirstKey | Want::Key, b'"') => {
                let key = closing_quote(bytes, at)?;
                if key.escaped || key.wide {
                    return None;
                }
                top = tell(Found::Key(at, key.end))?;
                let colon = bytes[key.end + 1..].iter().position(|b| !b" \n\t\r".contains(b))?;
                at = key.end + 1 + colon + 1;
                if bytes[at - 1] != b':' {
                    return None;
                }
                Want::Value
            }
            (Want::Value | Want::FirstValue, b'{') => {
                top = tell(Found::Open { object: true })?;
                Want::FirstKey
            }
            (Want::Value | Want::FirstValue, b'[') => {
                top = tell(Found::Open { object: false })?;
                if top == Top::None {
                    return Some(at);
                }
                Want::FirstValue
            }
            (Want::Value | Want::FirstValue, _) => return Some(at - 1),
            _ => return None,
        };
        if want == Want::CommaOrEnd && top == Top::None {
            return Some(at);
        }
    }
    None
}

/// A container on the way to a leaf.
enum Level {
    /// The key at hand, between its quotes.
    Object(usize, usize),
    /// Its elements so far.
    Array(u64),
}

/// Writes the path (RFC 6901) from the instance with which the bytes begin to the leaf that a place stands in. The instance
/// was followed to its end.
pub(super) fn write_path(bytes: &[u8], place: usize, out: &mut String) {
    let mut levels: Vec<Level> = Vec::new();
    let top = |levels: &[Level]| match levels.last() {
        None => Top::None,
        Some(Level::Object(..)) => Top::Object,
        Some(Level::Array(_)) => Top::Array,
    };
    let value = |levels: &mut [Level]| {
        if let Some(Level::Array(elements)) = levels.last_mut() {
            *elements += 1;
        }
    };
    let mut at = 0;
    loop {
        let begun = at;
        let glue = structure(&bytes[begun..], top(&levels), |found| {
            match found {
                Found::Open { object } => {
                    value(&mut levels);
                    levels.push(if object { Level::Object(0, 0) } else { Level::Array(0) });
                }
                Found::Close => drop(levels.pop()),
                Found::Key(from, to) => {
                    levels.pop();
                    levels.push(Level::Object(begun + from, begun + to));
                }
            }
            Some(top(&levels))
        });
        let Some(glue) = glue else { return };
        value(&mut levels);
        at += glue;
        let end = match bytes.get(at) {
            Some(b'"') => closing_quote(bytes, at + 1).map(|closed| closed.end + 1),
            _ => bytes[at..].iter().position(|b| b" \t\n\r,}]".contains(b)).map(|len| at + len),
        };
        let Some(end) = end.filter(|_| !levels.is_empty()) else { return };
        if place < end {
            break;
        }
        at = end;
    }
    for level in &levels {
        out.push('/');
        match level {
            Level::Object(from, to) => {
                escape_into(std::str::from_utf8(&bytes[*from..*to]).unwrap_or_default(), out);
            }
            Level::Array(elements) => out.push_str(&(elements - 1).to_string()),
        }
    }
}
