//! Owns the writing of the document: punctuation, escapes, and the ordinal of each token. It must never choose content.

use super::leaf::{Leaf, Spot};
use std::collections::BTreeMap;

/// How a string is escaped; all of them decode to the same text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// As Go's encoder does it: `<`, `>` and `&` as `\u00xx`.
    Go,
    /// `\/` for each slash.
    Slashes,
    /// Every character as `\uXXXX`, surrogate pairs included.
    All,
    /// Every third character.
    Some,
}

/// A value of the document.
#[derive(Clone)]
pub(super) enum Node {
    Text(Leaf, Escapes),
    Number(Leaf),
    Literal(&'static str),
    List(Vec<Node>),
    Map(Vec<(Leaf, Node)>),
}

impl Node {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Leaf::plain(text), Escapes::Go)
    }
}

/// The document while it grows.
pub(super) struct Page {
    pub(super) out: Vec<u8>,
    pub(super) spots: BTreeMap<usize, Vec<Spot>>,
    ordinal: usize,
    level: usize,
    pretty: bool,
    empty: bool,
}

impl Page {
    pub(super) fn new(pretty: bool) -> Self {
        Self { out: Vec::new(), spots: BTreeMap::new(), ordinal: 0, level: 0, pretty, empty: true }
    }

    pub(super) fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.level += 1;
        self.empty = true;
    }

    pub(super) fn close(&mut self, bracket: u8) {
        self.level -= 1;
        if !self.empty {
            self.line();
        }
        self.out.push(bracket);
        self.empty = false;
    }

    fn line(&mut self) {
        if self.pretty {
            self.out.push(b'\n');
            self.out.extend(std::iter::repeat_n(b' ', self.level * 2));
        }
    }

    pub(super) fn item(&mut self) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.line();
    }

    pub(super) fn key(&mut self, key: &Leaf) {
        self.item();
        self.string(key, Escapes::Go);
        self.out.extend_from_slice(if self.pretty { b": " } else { b":" });
    }

    pub(super) fn member(&mut self, key: &str, value: &Node) {
        self.key(&Leaf::plain(key));
        self.node(value);
    }

    pub(super) fn node(&mut self, node: &Node) {
        match node {
            Node::Text(leaf, escapes) => self.string(leaf, *escapes),
            Node::Number(leaf) => {
                self.note(&leaf.spots);
                self.out.extend_from_slice(leaf.text.as_bytes());
            }
            Node::Literal(text) => {
                self.note(&[]);
                self.out.extend_from_slice(text.as_bytes());
            }
            Node::List(items) => {
                self.open(b'[');
                for item in items {
                    self.item();
                    self.node(item);
                }
                self.close(b']');
            }
            Node::Map(members) => {
                self.open(b'{');
                for (key, value) in members {
                    self.key(key);
                    self.node(value);
                }
                self.close(b'}');
            }
        }
    }

    fn note(&mut self, spots: &[Spot]) {
        if !spots.is_empty() {
            self.spots.insert(self.ordinal, spots.to_vec());
        }
        self.ordinal += 1;
    }

    fn string(&mut self, leaf: &Leaf, escapes: Escapes) {
        self.note(&leaf.spots);
        self.out.push(b'"');
        for (at, c) in leaf.text.chars().enumerate() {
            let unicode = match escapes {
                Escapes::All => true,
                Escapes::Some => at % 3 == 1,
                Escapes::Go => matches!(c, '<' | '>' | '&'),
                Escapes::Slashes => false,
            };
            if unicode || (c < ' ' && !matches!(c, '\n' | '\r' | '\t')) {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    self.out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
                continue;
            }
            match c {
                '"' | '\\' => self.out.extend_from_slice(format!("\\{c}").as_bytes()),
                '\n' => self.out.extend_from_slice(b"\\n"),
                '\r' => self.out.extend_from_slice(b"\\r"),
                '\t' => self.out.extend_from_slice(b"\\t"),
                '/' if escapes == Escapes::Slashes => self.out.extend_from_slice(b"\\/"),
                _ => {
                    let mut buffer = [0; 4];
                    self.out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                }
            }
        }
        self.out.push(b'"');
    }
}
