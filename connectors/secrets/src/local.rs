//! Secrets of this machine: environment variables and files.
//!
//! Must never leave a copy of a value behind.

use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::value::{self, SECRET_BYTES_MAX, Secret};
use crate::{SecretError, SecretErrorKind, SecretRef};

const NOT_TEXT: Refusal = (SecretErrorKind::BadValue, "the value is not UTF-8 text");

/// Reads the secret behind an `env:` or `file:` reference.
///
/// One line end (`\n` or `\r\n`) at the end of a file is dropped: editors and `echo` leave it there.
///
/// # Errors
/// [`SecretError`] when it is missing, unreadable, empty, longer than [`SECRET_BYTES_MAX`] or no UTF-8 text, or not of this machine.
pub fn resolve(reference: &SecretRef) -> Result<Secret, SecretError> {
    let value = match reference {
        SecretRef::Env(name) => from_variable(name),
        SecretRef::File(path) => from_file(path),
        SecretRef::Google(_) | SecretRef::Vault(_) => {
            Err((SecretErrorKind::NotConfigured, "only `env:` and `file:` can be used here"))
        }
    };
    let value = value.map_err(|refusal| SecretError::of(reference, refusal))?;
    value::check(&value).map_err(|detail| SecretError::of(reference, (SecretErrorKind::BadValue, detail)))?;
    Ok(Secret::new(value.to_string()))
}

#[allow(
    clippy::disallowed_methods,
    reason = "`env:` is the one place where a reference reads the environment"
)]
fn from_variable(name: &str) -> Result<Zeroizing<String>, Refusal> {
    match std::env::var(name) {
        Ok(value) => Ok(Zeroizing::new(value)),
        Err(std::env::VarError::NotPresent) => {
            Err((SecretErrorKind::Missing, "the variable is not set: set it before the start"))
        }
        Err(std::env::VarError::NotUnicode(_)) => Err(NOT_TEXT),
    }
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, Refusal> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => (SecretErrorKind::Missing, "there is no such file"),
        std::io::ErrorKind::PermissionDenied => {
            (SecretErrorKind::Unreadable, "this user may not read the file: mend its owner or mode")
        }
        _ => (SecretErrorKind::Unreadable, "the file cannot be read"),
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    // Room for all of it at once: a growing buffer would leave unwiped copies behind.
    let room = usize::try_from(SECRET_BYTES_MAX + 2).unwrap_or(usize::MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(SECRET_BYTES_MAX + 2).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| NOT_TEXT)?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, SecretRef) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("secret");
        std::fs::write(&path, content).expect("write secret");
        (folder, SecretRef::File(path))
    }

    #[test]
    fn a_file_gives_its_text_without_one_line_end() {
        let long = "k".repeat(64 * 1024);
        let too_long = "k".repeat(64 * 1024 + 1);
        let cases: &[(&[u8], Result<&str, SecretErrorKind>)] = &[
            (b"toxic", Ok("toxic")),
            (b"toxic\n", Ok("toxic")),
            (b"toxic\r\n", Ok("toxic")),
            (b"toxic\n\n", Ok("toxic\n")),
            (b" toxic ", Ok(" toxic ")),
            (long.as_bytes(), Ok(&long)),
            (too_long.as_bytes(), Err(SecretErrorKind::BadValue)),
            (b"", Err(SecretErrorKind::BadValue)),
            (b" \n", Err(SecretErrorKind::BadValue)),
            (b"toxic\0", Err(SecretErrorKind::BadValue)),
            (b"toxic\xff", Err(SecretErrorKind::BadValue)),
        ];
        for (content, expected) in cases {
            let (_folder, reference) = file(content);
            match (resolve(&reference), expected) {
                (Ok(secret), Ok(text)) => {
                    assert!(secret.expose() == *text, "case of {} bytes", content.len())
                }
                (Err(error), Err(kind)) => {
                    assert_eq!(error.kind(), *kind);
                    assert!(error.to_string().contains(&reference.to_string()), "names the reference");
                    assert!(!error.to_string().contains("toxic") && !format!("{error:?}").contains("toxic"));
                }
                (got, _) => panic!("case of {} bytes: ok is {}", content.len(), got.is_ok()),
            }
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = SecretRef::Env("TERRASIFT_TEST_NEVER_SET".into());
        let error = resolve(&missing).map(|_| ()).expect_err("not set");
        assert_eq!(error.kind(), SecretErrorKind::Missing);
        assert!(error.to_string().starts_with("secret env:TERRASIFT_TEST_NEVER_SET: "));

        let (folder, _) = file(b"x");
        let error = resolve(&SecretRef::File(folder.path().join("other"))).map(|_| ()).expect_err("no file");
        assert_eq!(error.kind(), SecretErrorKind::Missing);
        let error = resolve(&SecretRef::File(folder.path().to_owned())).map(|_| ()).expect_err("a folder");
        assert_eq!(error.kind(), SecretErrorKind::Unreadable);
    }

    #[test]
    fn a_variable_gives_its_value() {
        // PATH is there wherever cargo runs; setting a variable in a threaded test would be unsound.
        assert!(resolve(&SecretRef::Env("PATH".into())).is_ok_and(|secret| !secret.expose().is_empty()));
    }
}
