//! Reads the project's own source, so that tests can hold it to the house rules.
//!
//! Owns the walk over the checkout and the separation of code, comments and tests. Must never link another crate of the
//! workspace: these tests must build in seconds, also when the others do not compile.

mod document;
mod functions;
mod rust;

pub use document::{looks_like_a_test, mentions};
pub use functions::{Function, functions};
pub use rust::RustFile;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the checkout.
pub struct SourceFile {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Whole text.
    pub text: String,
}

/// The root of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All text files whose name ends as one of `endings` (`.rs`, or a whole name), sorted by path. What is hidden, built or
/// installed is left out.
///
/// # Errors
/// A folder or file that cannot be read.
pub fn files(endings: &[&str]) -> std::io::Result<Vec<SourceFile>> {
    let root = root();
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                let ours = !name.starts_with("target")
                    && !["node_modules", "dist", "dist-types"].contains(&name.as_str());
                if ours && (!name.starts_with('.') || name == ".ci") {
                    folders.push(entry.path());
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let path = entry.path();
                let relative = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
                found.push(SourceFile { path: relative, text: fs::read_to_string(path)? });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// All Rust files, taken apart.
///
/// # Errors
/// As [`files`].
pub fn rust_files() -> std::io::Result<Vec<RustFile>> {
    Ok(files(&[".rs"])?.into_iter().map(RustFile::new).collect())
}
