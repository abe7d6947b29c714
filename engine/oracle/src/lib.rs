//! A slow, obvious twin of the sanitizer, and what compares both. For tests and fuzzing only.
//!
//! Reads a whole document into a tree, walks it recursively, searches every known secret with `str::find`, and cuts the
//! spans out at the end. Shares the rules (`RuleSet`) with the engine, and nothing of its splitter, walk or
//! fingerprints. Must never be linked into what is shipped, and never copy a shortcut of what it judges.

mod around;
mod asked;
pub mod case;
pub mod compare;
pub mod count;
mod json;
mod known;
mod marks;
pub mod plain;
mod sanitize;
mod shape;
mod snippets;
mod spans;
mod taken;
pub mod tape;
pub mod values;
pub mod weave;

pub use sanitize::{HASH_KEY, Judged, Sanitized, forward, two_pass};
