//! Owns the template language: JSON (or plain text) with slots in angle brackets, compiled once to literals and slots.
//! It must never build a JSON tree: rendering is copying and filling.
//!
//! Slots: `<hex:8> <dig:8> <b62:8> <b64:8> <up:8> <low:8>` random characters; `<uuid> <word> <ts> <ver> <pub> <num>` random values;
//! `<name> <key> <id> <uid>` of the instance, `<acct> <region> <project>` of the state. Planted secrets: `<!family@place>`, `<!any@place>`
//! (a format that needs no key), `<!shared@place>` (the state's marked password), `<ip@place>` and `<ip6@place>` (private addresses),
//! `<~text@place>` (a text of `texts.rs`). An encoding follows a bar: `|j2` inside a nested JSON document, `|u` as `\u00xx`, `|b64`.

use super::scene::Scene;
use super::secrets::{FAMILIES, is_any};
use super::text::Encoding;
use super::texts::TEXTS;

/// Every place a canary can be in; see [`super::Canary::place`].
pub(crate) const PLACES: &[&str] = &[
    "telling-key",
    "neutral-key",
    "inside-text",
    "output",
    "output-copy",
    "json-in-string",
    "heredoc",
    "base64",
    "url",
    "map-key",
    "index-key",
    "private",
    "check-message",
    "unicode-escape",
    "marked",
    "deposed",
    "identity",
    "data-source",
    "attribute",
    "list",
    "wrapped-dynamic",
];

/// A place in a template that is filled for each instance.
#[derive(Clone, Copy)]
pub(crate) enum Slot {
    Random(&'static [u8], usize),
    Uuid,
    Word,
    Timestamp,
    Version,
    PublicIp,
    /// A digit other than 0: the head of a number.
    Nonzero,
    Name,
    Key,
    Id,
    Uid,
    Account,
    Region,
    Project,
    PrivateIp {
        place: &'static str,
        v6: bool,
    },
    Secret {
        family: usize,
        place: &'static str,
        encoding: Encoding,
    },
    Any {
        place: &'static str,
        encoding: Encoding,
    },
    Shared {
        place: &'static str,
        encoding: Encoding,
    },
    Text {
        text: usize,
        place: &'static str,
        encoding: Encoding,
        base64: bool,
    },
}

enum Segment {
    Literal(Box<[u8]>),
    Slot(Slot),
}

/// A compiled template.
pub(crate) struct Template {
    segments: Vec<Segment>,
}

impl Template {
    /// Compiles; an error names the slot that is not understood.
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut literal = Vec::new();
        let mut rest = source;
        while let Some(at) = rest.find('<') {
            let after = &rest[at + 1..];
            let opens = after.starts_with(|c: char| c.is_ascii_lowercase() || c == '!' || c == '~');
            let Some(end) = after.find('>').filter(|_| opens) else {
                literal.extend_from_slice(&rest.as_bytes()[..=at]);
                rest = after;
                continue;
            };
            literal.extend_from_slice(&rest.as_bytes()[..at]);
            let slot =
                parse_slot(&after[..end]).ok_or_else(|| format!("unknown slot <{}>", &after[..end]))?;
            if !literal.is_empty() {
                segments.push(Segment::Literal(std::mem::take(&mut literal).into_boxed_slice()));
            }
            segments.push(Segment::Slot(slot));
            rest = &after[end + 1..];
        }
        literal.extend_from_slice(rest.as_bytes());
        if !literal.is_empty() {
            segments.push(Segment::Literal(literal.into_boxed_slice()));
        }
        Ok(Self { segments })
    }

    /// Appends one rendering.
    pub(crate) fn render(&self, out: &mut Vec<u8>, scene: &mut Scene<'_>) {
        for segment in &self.segments {
            match segment {
                Segment::Literal(bytes) => out.extend_from_slice(bytes),
                Segment::Slot(slot) => scene.fill(out, *slot),
            }
        }
    }
}

fn parse_slot(text: &str) -> Option<Slot> {
    use super::dice;
    let (text, encoding, base64) = match text.split_once('|') {
        Some((head, "j2")) => (head, Encoding::Nested, false),
        Some((head, "u")) => (head, Encoding::Unicode, false),
        Some((head, "raw")) => (head, Encoding::Raw, false),
        Some((head, "b64")) => (head, Encoding::Raw, true),
        Some(_) => return None,
        None => (text, Encoding::Json, false),
    };
    let (head, place) = match text.split_once('@') {
        Some((head, place)) => (head, *PLACES.iter().find(|known| **known == place)?),
        None => (text, "attribute"),
    };
    if let Some(name) = head.strip_prefix('!') {
        return match name {
            "any" => Some(Slot::Any { place, encoding }),
            "shared" => Some(Slot::Shared { place, encoding }),
            _ => {
                let family = FAMILIES.iter().position(|family| family.name == name)?;
                Some(Slot::Secret { family, place, encoding })
            }
        };
    }
    if let Some(name) = head.strip_prefix('~') {
        let text = TEXTS.iter().position(|(known, _)| *known == name)?;
        return Some(Slot::Text { text, place, encoding, base64 });
    }
    if let Some((kind, count)) = head.split_once(':') {
        let alphabet = match kind {
            "hex" => dice::HEX,
            "dig" => dice::DIGITS,
            "b62" => dice::BASE62,
            "b64" => dice::BASE64,
            "up" => dice::UPPER_DIGITS,
            "low" => dice::LOWER_DIGITS,
            _ => return None,
        };
        return Some(Slot::Random(alphabet, count.parse().ok()?));
    }
    Some(match head {
        "uuid" => Slot::Uuid,
        "word" => Slot::Word,
        "ts" => Slot::Timestamp,
        "ver" => Slot::Version,
        "pub" => Slot::PublicIp,
        "num" => Slot::Nonzero,
        "name" => Slot::Name,
        "key" => Slot::Key,
        "id" => Slot::Id,
        "uid" => Slot::Uid,
        "acct" => Slot::Account,
        "region" => Slot::Region,
        "project" => Slot::Project,
        "ip" => Slot::PrivateIp { place, v6: false },
        "ip6" => Slot::PrivateIp { place, v6: true },
        _ => return None,
    })
}

/// Indexes of the families that `<!any>` draws from.
pub(crate) fn any_families() -> Vec<usize> {
    (0..FAMILIES.len()).filter(|at| is_any(&FAMILIES[*at])).collect()
}
