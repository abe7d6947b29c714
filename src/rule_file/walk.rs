//! Walks a YAML text without building it: weighs what it would become, and finds the line of one place.
//!
//! The parser tells a line only with an error, so the walk fails on purpose where the line is wanted. Must never put
//! a text of the file into an error.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use terrasift_engine::detect::RulePlace;

/// Brackets that may be open at once, those in patterns counted, escaped ones not. The parser's time for a token grows
/// with them.
const OPEN_MAX: usize = 100;
/// Bytes of text that a file may become once its aliases are written out.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// What a list, a map or an empty text weighs.
const NODE_BYTES: usize = 16;

/// What is wrong with a text before it is read as rules.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// A few lines can become gigabytes when their aliases are written out.
    Aliases,
    /// Brackets in brackets without end; the line, from 1.
    Deep(usize),
    /// Not YAML; the line, from 1.
    NotYaml(usize),
}

/// Weighs the file.
///
/// # Errors
/// It is not YAML, or becomes too large by its aliases, or costs too much to parse.
pub fn weigh(text: &str) -> Result<(), Problem> {
    let (mut open, mut line, mut escaped) = (0usize, 1, false);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' if !escaped => open += 1,
            b']' | b'}' if !escaped => open = open.saturating_sub(1),
            b'\n' => line += 1,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
        if open > OPEN_MAX {
            return Err(Problem::Deep(line));
        }
    }
    let left = Cell::new(BYTES_MAX);
    walk(text, &[], &left).map_err(|error| match left.get() {
        0 => Problem::Aliases,
        _ => Problem::NotYaml(error.location().map_or(1, |at| at.line())),
    })
}

/// The line of a place, from 1. What is missing there is told by what holds it.
pub fn line(text: &str, place: RulePlace) -> Option<usize> {
    let key = Some(place.key).filter(|key| !key.is_empty()).map(Step::Key);
    let steps: Vec<Step> =
        [key, place.index.map(Step::Index), place.field.map(Step::Key)].into_iter().flatten().collect();
    (1..=steps.len()).rev().find_map(|depth| {
        let left = Cell::new(BYTES_MAX);
        let error = walk(text, steps.get(..depth)?, &left).err().filter(|_| left.get() > 0)?;
        error.location().map(|at| at.line())
    })
}

#[derive(Clone, Copy)]
enum Step {
    Key(&'static str),
    Index(usize),
}

fn walk(text: &str, steps: &[Step], left: &Cell<usize>) -> Result<(), serde_norway::Error> {
    let target = if steps.is_empty() { None } else { Some(steps) };
    Walk { target, left }.deserialize(serde_norway::Deserializer::from_str(text))
}

/// `target`: where to fail, from here; `None`: nowhere below.
#[derive(Clone, Copy)]
struct Walk<'w> {
    target: Option<&'w [Step]>,
    left: &'w Cell<usize>,
}

impl Walk<'_> {
    fn weigh<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let left = self.left.get().saturating_sub(bytes + NODE_BYTES);
        self.left.set(left);
        if left == 0 { Err(E::custom("too large")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rule file")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.weigh(text.len())?;
        self.arrived()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.small()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.small()
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<(), E> {
        self.small()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.small()
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        self.small()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.small()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.small()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.small()?;
        let mut index = 0;
        while list
            .next_element_seed(self.below(|step| matches!(step, Step::Index(at) if at == index)))?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.small()?;
        while let Some(key) = map.next_key_seed(Key(self))? {
            map.next_value_seed(
                self.below(|step| matches!(step, Step::Key(wanted) if key.as_deref() == Some(wanted))),
            )?;
        }
        Ok(())
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        // `!tag value`: no part of a rule file. The shape's check says so.
        let (_, variant) = tagged.variant::<IgnoredAny>()?;
        serde::de::VariantAccess::newtype_variant_seed(variant, Walk { target: None, ..self })
    }
}

impl<'w> Walk<'w> {
    /// Fails where the target is reached.
    fn arrived<E: Error>(&self) -> Result<(), E> {
        match self.target {
            Some([]) => Err(E::custom("here")),
            _ => Ok(()),
        }
    }

    fn small<E: Error>(&self) -> Result<(), E> {
        self.weigh(0)?;
        self.arrived()
    }

    fn below(&self, leads: impl Fn(Step) -> bool) -> Walk<'w> {
        let target = match self.target {
            Some([step, rest @ ..]) if leads(*step) => Some(rest),
            _ => None,
        };
        Walk { target, left: self.left }
    }
}

/// A key's text, where it has one that a step can name.
struct Key<'w>(Walk<'w>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<String>, E> {
        self.0.weigh(text.len())?;
        Ok((text.len() <= 32).then(|| text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# a comment
version: 3
disable:
  - phone

  - email   # two
shapes: &shape
  category: pii
rules:
- id: a
  category: pii
  # another comment
  pattern: >-
    ab
    cd
- {id: b, category: pii, pattern: x}
- &third
  id: c
  category: pii
- *third
allowlist: [ {pattern: x, reason: y},
  {pattern: z, reason: w} ]
";

    #[test]
    fn each_place_has_its_line() {
        let entry = RulePlace::entry;
        let top = |key| RulePlace { key, ..RulePlace::default() };
        for (place, expected) in [
            (top("version"), Some(2)),
            (entry("disable", 0), Some(4)),
            (entry("disable", 1), Some(6)),
            (entry("rules", 0), Some(10)),
            (entry("rules", 0).field("id"), Some(10)),
            (entry("rules", 0).field("pattern"), Some(13)),
            (entry("rules", 0).field("min_entropy"), Some(10)),
            (entry("rules", 1), Some(16)),
            (entry("rules", 2).field("category"), Some(19)),
            // An alias: where its text stands, there it is mended.
            (entry("rules", 3), Some(17)),
            (entry("allowlist", 0), Some(21)),
            (entry("allowlist", 1).field("reason"), Some(22)),
            (entry("allowlist", 9), Some(21)),
            (top("nothing"), None),
            (RulePlace::default(), None),
        ] {
            assert_eq!(line(FILE, place), expected, "{place}");
        }
    }

    #[test]
    fn a_file_that_grows_by_aliases_does_not_fit() {
        let long = "x".repeat(100_000);
        let many = ["*a"; 1_000].join(", ");
        for (text, expected) in [
            (FILE.to_owned(), Ok(())),
            (format!("disable: [&a {long}]"), Ok(())),
            (format!("disable: [&a {long}, {many}]"), Err(Problem::Aliases)),
            (
                format!("rules: &a [{long}]\nallowlist: [*a, {}]", ["*a"; 60].join(", ")),
                Err(Problem::Aliases),
            ),
            (format!("a: {}", r"'\[\{' ".repeat(1_000).trim()).replace("' '", ""), Ok(())),
            (format!("a:\n {}", "[".repeat(1_000_000)), Err(Problem::Deep(2))),
            ("a: 1\nnot: [closed".to_owned(), Err(Problem::NotYaml(3))),
        ] {
            assert_eq!(weigh(&text), expected, "{}", text.get(..20).unwrap_or_default());
        }
    }
}
