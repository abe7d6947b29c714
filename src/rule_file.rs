//! Reads a YAML rule file and compiles it.
//!
//! Must never repeat a pattern or a value of the file in an error: rule ids and places only.

use std::path::Path;

use terrasift_engine::detect::RuleSet;
use terrasift_schemas::rules::RuleFile;

/// Largest rule file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why rules are refused.
#[derive(Debug, thiserror::Error)]
pub enum RuleFileError {
    /// Not readable.
    #[error("cannot read the rule file {0}")]
    Unreadable(String),
    /// Too large.
    #[error("the rule file {0} is larger than 1 MiB: split it, or write fewer, broader rules")]
    TooLarge(String),
    /// Not YAML, or an unknown key.
    #[error(
        "the rule file {file} does not fit its schema at line {line}: compare with `schemas/generated/rules.schema.json`"
    )]
    Shape {
        /// File.
        file: String,
        /// Line, from 1; 0 when the parser does not tell.
        line: usize,
    },
    /// A rule is refused.
    #[error("the rule file {file}: {error}")]
    Rule {
        /// File.
        file: String,
        /// Rule id and reason.
        error: String,
    },
}

/// Reads and compiles rules; without a file, the built-in ones.
///
/// # Errors
/// [`RuleFileError`]; nothing of the file is used then.
pub fn compile(path: Option<&Path>) -> Result<RuleSet, RuleFileError> {
    let Some(path) = path else {
        let built_in = RuleSet::compile(&RuleFile { version: 1, ..RuleFile::default() });
        return built_in
            .map_err(|error| RuleFileError::Rule { file: "built in".to_owned(), error: error.to_string() });
    };
    let file = path.display().to_string();
    let metadata = std::fs::metadata(path).map_err(|_| RuleFileError::Unreadable(file.clone()))?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(RuleFileError::TooLarge(file));
    }
    let text = std::fs::read_to_string(path).map_err(|_| RuleFileError::Unreadable(file.clone()))?;
    let rules: RuleFile = serde_norway::from_str(&text).map_err(|error| RuleFileError::Shape {
        file: file.clone(),
        line: error.location().map_or(0, |at| at.line()),
    })?;
    RuleSet::compile(&rules).map_err(|error| RuleFileError::Rule { file, error: error.to_string() })
}
