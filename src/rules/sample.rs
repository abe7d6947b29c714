//! A JSON text as a flat list of its leaves and keys, each with its place in the text.
//!
//! Keeps what a tree loses: order, offsets, twice the same key. Must only be given text that is JSON.

use std::ops::Range;

use serde::de::IgnoredAny;

/// What stands there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// The key of a member.
    Key,
}

/// A leaf or a key.
#[derive(Debug)]
pub struct Leaf {
    /// RFC 6901; a key has its member's.
    pub pointer: String,
    /// The keys above it, outermost first; a key's own name is not among them.
    pub keys: Vec<String>,
    /// What it is.
    pub kind: Kind,
    /// Where its content stands in the text, without quotes.
    pub raw: Range<usize>,
    /// The content, decoded.
    pub text: String,
}

/// Open brackets of the text.
enum Open {
    Array(usize),
    /// With the key of the member that is being read.
    Object(Option<String>),
}

/// The leaves of a JSON text; `None`: it is none.
pub fn leaves(text: &str) -> Option<Vec<Leaf>> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let bytes = text.as_bytes();
    let mut leaves = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' => open.push(Open::Object(None)),
            b'[' => open.push(Open::Array(0)),
            b'}' | b']' => drop(open.pop()),
            b',' => match open.last_mut() {
                Some(Open::Array(index)) => *index += 1,
                Some(Open::Object(key)) => *key = None,
                None => {}
            },
            b'"' => {
                let end = string_end(bytes, at)?;
                let content: String = serde_json::from_str(text.get(at..=end)?).ok()?;
                let raw = at + 1..end;
                at = end;
                match open.last_mut() {
                    Some(Open::Object(key @ None)) => {
                        *key = Some(content.clone());
                        let mut leaf = leaf(&open, Kind::Key, raw, content);
                        leaf.keys.pop();
                        leaves.push(leaf);
                    }
                    _ => leaves.push(leaf(&open, Kind::Text, raw, content)),
                }
            }
            b'-' | b'0'..=b'9' => {
                let rest = bytes.get(at..)?;
                let length =
                    rest.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
                let raw = at..at + length;
                leaves.push(leaf(&open, Kind::Number, raw.clone(), text.get(raw)?.to_owned()));
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    Some(leaves)
}

/// The closing quote of the string that opens at `open`.
fn string_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn leaf(open: &[Open], kind: Kind, raw: Range<usize>, text: String) -> Leaf {
    let mut pointer = String::new();
    let mut keys = Vec::new();
    for step in open {
        pointer.push('/');
        match step {
            Open::Array(index) => pointer.push_str(&index.to_string()),
            Open::Object(key) => {
                let key = key.clone().unwrap_or_default();
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                keys.push(key);
            }
        }
    }
    Leaf { pointer, keys, kind, raw, text }
}
