//! Reads a YAML rule file and compiles it.
//!
//! A refusal names file, line and reason. Must never repeat a pattern or a value of the file: rule ids and places only.

pub mod book;
mod layers;
mod walk;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use terrasift_engine::detect::{RuleError, RuleSet};
use terrasift_schemas::rules::RuleFile;

use walk::Problem;

/// Largest rule file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

const NOT_YAML: &str = "not valid YAML";
const TOO_DEEP: &str = "more than 100 open brackets: close them, or write lists line by line";

/// Why rules are refused.
#[derive(Debug, thiserror::Error)]
pub enum RuleFileError {
    /// Not readable.
    #[error("cannot read the rule file {0}: check the path and its permissions")]
    Unreadable(String),
    /// Too large.
    #[error("the rule file {0} is larger than 1 MiB: split it, or write fewer, broader rules")]
    TooLarge(String),
    /// Small, and large once its aliases are written out.
    #[error("the rule file {0} becomes larger than 4 MiB with its aliases written out: write fewer entries")]
    Aliases(String),
    /// Not YAML, or not of the shape.
    #[error("the rule file {file}, line {line}: {what}")]
    Shape {
        /// File.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Constant text.
        what: &'static str,
    },
    /// A rule is refused.
    #[error("the rule file {file}, line {line}: {error}")]
    Rule {
        /// File.
        file: String,
        /// Line, from 1; 1 where the whole file is meant.
        line: usize,
        /// Rule, place and reason.
        error: Box<RuleError>,
    },
}

/// A rule file as it was read. No Debug: it holds patterns.
pub struct Source {
    name: String,
    text: String,
    file: RuleFile,
}

/// Reads and compiles rules; without a file, the built-in ones.
///
/// # Errors
/// [`RuleFileError`]; nothing of the file is used then.
pub fn compile(path: Option<&Path>) -> Result<RuleSet, RuleFileError> {
    load(path).map(|(_, rules)| rules)
}

/// As [`compile`], with the file as it was read.
///
/// # Errors
/// As [`compile`].
pub fn load(path: Option<&Path>) -> Result<(RuleFile, RuleSet), RuleFileError> {
    let source = match path {
        Some(path) => self::source(path)?,
        None => built_in()?,
    };
    let rules = layers::compile(&RuleSet::builtin(), &[&source])?;
    Ok((source.file, rules))
}

/// Reads a rule file; what its rules are worth shows when they are compiled.
///
/// # Errors
/// Unreadable, too large, or not of the shape.
pub fn source(path: &Path) -> Result<Source, RuleFileError> {
    let (name, text) = (path.display().to_string(), read(path)?);
    let file = parse(&name, &text)?;
    Ok(Source { name, text, file })
}

/// The file that changes nothing.
fn built_in() -> Result<Source, RuleFileError> {
    let (name, text) = ("built in".to_owned(), "version: 1".to_owned());
    let file = parse(&name, &text)?;
    Ok(Source { name, text, file })
}

/// Never reads more than the limit, whatever the path is.
fn read(path: &Path) -> Result<String, RuleFileError> {
    let name = || path.display().to_string();
    let file = File::open(path).map_err(|_| RuleFileError::Unreadable(name()))?;
    let mut text = Vec::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text);
    let read = read.map_err(|_| RuleFileError::Unreadable(name()))?;
    if u64::try_from(read).is_ok_and(|read| read > FILE_BYTES_MAX) {
        return Err(RuleFileError::TooLarge(name()));
    }
    String::from_utf8(text).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        RuleFileError::Shape { file: name(), line, what: "not UTF-8" }
    })
}

fn parse(file: &str, text: &str) -> Result<RuleFile, RuleFileError> {
    walk::weigh(text).map_err(|problem| match problem {
        Problem::Aliases => RuleFileError::Aliases(file.to_owned()),
        Problem::Deep(line) => RuleFileError::Shape { file: file.to_owned(), line, what: TOO_DEEP },
        Problem::NotYaml(line) => RuleFileError::Shape { file: file.to_owned(), line, what: NOT_YAML },
    })?;
    serde_norway::from_str(text).map_err(|error| RuleFileError::Shape {
        file: file.to_owned(),
        line: error.location().map_or(1, |at| at.line()),
        what: what(&error.to_string()),
    })
}

/// The parser's own message can quote the file: it only chooses among constant texts.
fn what(message: &str) -> &'static str {
    [
        ("unknown field", "a key that rule files do not have: see docs/rules.md"),
        ("missing field", "a required key is missing: see docs/rules.md"),
        ("duplicate", "a key stands twice"),
        ("unknown variant", "not one of the words that are allowed here: see docs/rules.md"),
        ("invalid type", "a value of the wrong type: compare with `schemas/generated/rules.schema.json`"),
        ("invalid value", "a value out of range: compare with `schemas/generated/rules.schema.json`"),
    ]
    .into_iter()
    .find(|(sign, _)| message.contains(sign))
    .map_or(NOT_YAML, |(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], says: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rules.yaml");
        std::fs::write(&path, text).expect("a file");
        let message = compile(Some(&path)).map(drop).map_err(|error| error.to_string());
        let name = path.display().to_string();
        match message {
            Ok(()) => assert_eq!(says, ""),
            Err(message) => {
                assert!(message.contains(says) && message.contains(&name), "{says}: {message}");
                assert!(!message.contains("hunter2"), "a text of the file was repeated: {message}");
            }
        }
    }

    #[test]
    fn a_refusal_names_file_line_and_reason_and_nothing_of_the_file() {
        let rule = |more: &str| format!("version: 1\n# why\nrules:\n- id: a\n  category: pii\n  {more}\n");
        let deep = format!("rules: {}", "[".repeat(100_000));
        let large = format!("# {}\nversion: 1\n", "x".repeat(10_000_000));
        for (text, says) in [
            (rule("pattern: hunter2"), ""),
            (rule("pattern: hunter2*|"), "line 6: rule a: rules[0].pattern: matches_empty"),
            (rule("pattern: '(hunter2'"), "line 6: rule a: rules[0].pattern: bad_pattern"),
            (rule("pattern: '(?:hunter2){9999}'"), "line 6: rule a: rules[0].pattern: too_large"),
            (rule("reason: hunter2"), "line 4: rule a: rules[0]: no_pattern"),
            (rule("hunter2: x"), "line 6: a key that rule files do not have"),
            (rule("priority: hunter2"), "line 6: a value of the wrong type"),
            (rule("action: hunter2"), "line 6: not one of the words"),
            (rule("pattern: x\n  pattern: hunter2"), "a key stands twice"),
            ("version: 1\n\ndisable: [phone,\n  hunter2]".to_owned(), "line 4: disable[1]: unknown_rule"),
            (
                "version: 1\nallowlist:\n- pattern: hunter2\n  reason: ' '".to_owned(),
                "line 4: allowlist[0].reason: no_reason",
            ),
            ("version: 0".to_owned(), "line 1: version: out_of_range"),
            ("version: 1\nrules: hunter2".to_owned(), "line 2: a value of the wrong type"),
            ("rules: [hunter2".to_owned(), "not valid YAML"),
            (deep, "line 1: more than 100 open brackets"),
            (large, "larger than 1 MiB"),
            (format!("disable: [&a {}, {}]", "x".repeat(99_999), ["*a"; 99].join(",")), "with its aliases"),
        ] {
            check(text.as_bytes(), says);
        }
        check(b"version: 1\nrules: \xff\xfe", "line 2: not UTF-8");
    }
}
