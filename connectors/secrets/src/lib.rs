//! Secrets by reference: `env:NAME` and `file:/path`, resolved at start into values nobody can print.
//!
//! Owns what a secret reference is and how it is read. Must never print, log, serialise or compare a value, nor
//! repeat a text that is no reference: it may be a secret that somebody pasted.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Most bytes a secret may have: room for an RSA-4096 key with its certificate chain, and no more.
pub const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A secret value: wiped when dropped, without `Debug`, `Display`, `Serialize` or equality.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a value that is a secret from here on.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value, for the one call that needs it. Must not be kept, logged or formatted.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Where a secret stands. May be logged: it holds a name, never a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// An environment variable, `env:NAME`.
    Env(String),
    /// A file with nothing but the secret, `file:/absolute/path`; one line end at its end is not part of it.
    File(PathBuf),
}

impl SecretRef {
    /// Parses `env:NAME` or `file:/absolute/path`.
    ///
    /// # Errors
    /// [`SecretError`] of kind [`SecretErrorKind::BadReference`] or [`SecretErrorKind::UnsupportedScheme`]; it never
    /// repeats the text, which may be a pasted secret.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let bad = |detail| SecretError { kind: SecretErrorKind::BadReference, reference: None, detail };
        match text.split_once(':') {
            Some(("env", name)) if is_variable_name(name) => Ok(Self::Env(name.to_owned())),
            Some(("env", _)) => Err(bad("after `env:` comes the name of a variable: letters, digits and _")),
            Some(("file", path)) if is_clean_path(path) => Ok(Self::File(PathBuf::from(path))),
            Some(("file", _)) => {
                Err(bad("after `file:` comes an absolute path, such as file:/run/secrets/token"))
            }
            Some(("gsm" | "vault", _)) => Err(SecretError {
                kind: SecretErrorKind::UnsupportedScheme,
                reference: None,
                detail: "`gsm:` and `vault:` are not supported yet: use `env:NAME` or `file:/path`",
            }),
            _ => Err(bad("not a secret reference: write `env:NAME` or `file:/path`, never the value itself")),
        }
    }
}

impl std::str::FromStr for SecretRef {
    type Err = SecretError;
    fn from_str(text: &str) -> Result<Self, SecretError> {
        Self::parse(text)
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// What was wrong with a secret or its reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretErrorKind {
    /// The text is no reference.
    BadReference,
    /// A scheme that is planned but not there yet.
    UnsupportedScheme,
    /// The variable is not set, or the file is not there.
    Missing,
    /// The file cannot be read.
    Unreadable,
    /// Empty, too long, not UTF-8, or with a NUL byte inside.
    BadValue,
}

/// Why a secret is not to be had. Names the reference, never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    kind: SecretErrorKind,
    reference: Option<SecretRef>,
    detail: &'static str,
}

impl SecretError {
    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> SecretErrorKind {
        self.kind
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Some(reference) => write!(f, "secret {reference}: {}", self.detail),
            None => f.write_str(self.detail),
        }
    }
}

impl std::error::Error for SecretError {}

/// Reads the secret behind a reference.
///
/// One line end (`\n` or `\r\n`) at the end of a file is dropped: editors and `echo` leave it there.
///
/// # Errors
/// [`SecretError`] when it is missing, unreadable, empty, longer than [`SECRET_BYTES_MAX`] or no UTF-8 text.
pub fn resolve(reference: &SecretRef) -> Result<Secret, SecretError> {
    let refuse = |kind, detail| SecretError { kind, reference: Some(reference.clone()), detail };
    let value = match reference {
        SecretRef::Env(name) => from_variable(name),
        SecretRef::File(path) => from_file(path),
    };
    let value = value.map_err(|(kind, detail)| refuse(kind, detail))?;
    check_value(&value).map_err(|detail| refuse(SecretErrorKind::BadValue, detail))?;
    Ok(Secret(value))
}

type Refused = (SecretErrorKind, &'static str);
const NOT_TEXT: Refused = (SecretErrorKind::BadValue, "the value is not UTF-8 text");

#[allow(
    clippy::disallowed_methods,
    reason = "`env:` is the one place where a reference reads the environment"
)]
fn from_variable(name: &str) -> Result<Zeroizing<String>, Refused> {
    match std::env::var(name) {
        Ok(value) => Ok(Zeroizing::new(value)),
        Err(std::env::VarError::NotPresent) => {
            Err((SecretErrorKind::Missing, "the variable is not set: set it before the start"))
        }
        Err(std::env::VarError::NotUnicode(_)) => Err(NOT_TEXT),
    }
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, Refused> {
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

fn check_value(value: &str) -> Result<(), &'static str> {
    if value.trim().is_empty() {
        return Err("the value is empty");
    }
    if u64::try_from(value.len()).map_or(true, |length| length > SECRET_BYTES_MAX) {
        return Err("the value is longer than 64 KiB");
    }
    if value.contains('\0') {
        return Err("the value contains a NUL byte");
    }
    Ok(())
}

fn is_variable_name(name: &str) -> bool {
    (1..=256).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn is_clean_path(path: &str) -> bool {
    path.len() <= 4096 && path.starts_with('/') && !path.chars().any(char::is_control)
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
    fn references_parse_in_two_schemes_and_errors_never_repeat_the_text() {
        use SecretErrorKind::{BadReference, UnsupportedScheme};
        let cases: &[(&str, Result<SecretRef, SecretErrorKind>)] = &[
            ("env:TFC_TOKEN", Ok(SecretRef::Env("TFC_TOKEN".into()))),
            ("env:_x9", Ok(SecretRef::Env("_x9".into()))),
            ("file:/run/secrets/toxic", Ok(SecretRef::File("/run/secrets/toxic".into()))),
            ("env:", Err(BadReference)),
            ("env:9TOXIC", Err(BadReference)),
            ("env:TOXIC=1", Err(BadReference)),
            ("file:toxic/relative", Err(BadReference)),
            ("file:", Err(BadReference)),
            ("file:/toxic\n", Err(BadReference)),
            ("gsm:projects/toxic", Err(UnsupportedScheme)),
            ("vault:secret/toxic", Err(UnsupportedScheme)),
            ("toxic.atlasv1.abc", Err(BadReference)),
            ("ENV:TOXIC", Err(BadReference)),
            ("", Err(BadReference)),
        ];
        for (text, expected) in cases {
            let parsed = SecretRef::parse(text);
            assert_eq!(
                parsed.as_ref().map_err(SecretError::kind),
                expected.as_ref().map_err(|k| *k),
                "{text:?}"
            );
            match parsed {
                Ok(reference) => assert_eq!(reference.to_string(), *text, "shows itself as written"),
                Err(error) => assert!(!error.to_string().to_lowercase().contains("toxic"), "{text:?}"),
            }
        }
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
