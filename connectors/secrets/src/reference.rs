//! References: texts that say where a secret stands.
//!
//! Must never repeat a text that is none.

use std::fmt;
use std::path::PathBuf;

use crate::{SecretError, SecretErrorKind};

/// Longest name of a secret in Vault.
const VAULT_NAME_BYTES_MAX: usize = 1024;

/// Where a secret stands. May be logged: it holds a name, never a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// An environment variable, `env:NAME`.
    Env(String),
    /// A file with nothing but the secret, `file:/absolute/path`; one line end at its end is not part of it.
    File(PathBuf),
    /// A version of a secret in Google Secret Manager, `gcp-secret-manager:projects/P/secrets/S[/versions/V]`.
    Google(GoogleName),
    /// A field of a secret in Vault's KV engine, `vault:MOUNT/PATH#FIELD`.
    Vault(VaultName),
}

/// A version's resource name as Google writes it; without a version the latest is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GoogleName {
    secret: String,
    version: Option<String>,
}

impl GoogleName {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let mut next = |name: &str| (parts.next()? == name).then(|| parts.next()).flatten();
        let (project, secret) = (next("projects")?, next("secrets")?);
        let version = next("versions");
        let valid = |part: &str| {
            (1..=255).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'))
                && part.bytes().any(|b| b.is_ascii_alphanumeric())
        };
        let secret =
            (valid(project) && valid(secret)).then(|| format!("projects/{project}/secrets/{secret}"))?;
        let whole = version.map_or_else(|| secret.clone(), |version| format!("{secret}/versions/{version}"));
        let version = version.map(str::to_owned);
        (whole == text && version.as_deref().is_none_or(valid)).then_some(Self { secret, version })
    }

    /// The resource name of the version that is meant.
    pub(crate) fn resource(&self) -> String {
        format!("{}/versions/{}", self.secret, self.version.as_deref().unwrap_or("latest"))
    }
}

impl fmt::Display for GoogleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.secret)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, "/versions/{version}"))
    }
}

/// A mount, a path in it, and a field of what stands there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VaultName {
    pub(crate) mount: String,
    pub(crate) path: String,
    pub(crate) field: String,
}

impl VaultName {
    fn parse(text: &str) -> Option<Self> {
        let (place, field) = text.split_once('#')?;
        let (mount, path) = place.split_once('/')?;
        let plain = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@' | b':'))
        };
        let whole = text.len() <= VAULT_NAME_BYTES_MAX && plain(mount) && path.split('/').all(plain);
        (whole && plain(field)).then(|| Self {
            mount: mount.to_owned(),
            path: path.to_owned(),
            field: field.to_owned(),
        })
    }
}

impl fmt::Display for VaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.mount, self.path, self.field)
    }
}

impl SecretRef {
    /// Parses a reference in one of the four schemes.
    ///
    /// # Errors
    /// [`SecretError`] of kind [`SecretErrorKind::BadReference`]; it never repeats the text, which may be a pasted secret.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let bad = |detail| SecretError { kind: SecretErrorKind::BadReference, reference: None, detail };
        match text.split_once(':') {
            Some(("env", name)) if is_variable_name(name) => Ok(Self::Env(name.to_owned())),
            Some(("env", _)) => Err(bad("after `env:` comes the name of a variable: letters, digits and _")),
            Some(("file", path)) if is_clean_path(path) => Ok(Self::File(PathBuf::from(path))),
            Some(("file", _)) => {
                Err(bad("after `file:` comes an absolute path, such as file:/run/secrets/token"))
            }
            Some(("gcp-secret-manager", name)) => GoogleName::parse(name).map(Self::Google).ok_or(bad(
                "after `gcp-secret-manager:` comes projects/PROJECT/secrets/SECRET, with or without /versions/VERSION",
            )),
            Some(("vault", name)) => VaultName::parse(name).map(Self::Vault).ok_or(bad(
                "after `vault:` comes MOUNT/PATH#FIELD, such as secret/terrasift/acme#token",
            )),
            _ => Err(bad(
                "not a secret reference: write `env:NAME`, `file:/path`, `gcp-secret-manager:NAME` or `vault:NAME`, never the \
                 value itself",
            )),
        }
    }

    /// Whether it is read from this machine, without asking anybody.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Env(_) | Self::File(_))
    }

    /// The name of its source, for metrics.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match self {
            Self::Env(_) => "env",
            Self::File(_) => "file",
            Self::Google(_) => "gcp-secret-manager",
            Self::Vault(_) => "vault",
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
            Self::Google(name) => write!(f, "gcp-secret-manager:{name}"),
            Self::Vault(name) => write!(f, "vault:{name}"),
        }
    }
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

    #[test]
    fn references_parse_in_four_schemes_and_errors_never_repeat_the_text() {
        let google = |version: Option<&str>| {
            let (secret, version) = ("projects/p-1/secrets/toxic".to_owned(), version.map(str::to_owned));
            Some(SecretRef::Google(GoogleName { secret, version }))
        };
        let vault = |mount: &str, path: &str, field: &str| {
            let [mount, path, field] = [mount, path, field].map(str::to_owned);
            Some(SecretRef::Vault(VaultName { mount, path, field }))
        };
        let cases: &[(&str, Option<SecretRef>)] = &[
            ("env:TFC_TOKEN", Some(SecretRef::Env("TFC_TOKEN".into()))),
            ("env:_x9", Some(SecretRef::Env("_x9".into()))),
            ("file:/run/secrets/toxic", Some(SecretRef::File("/run/secrets/toxic".into()))),
            ("gcp-secret-manager:projects/p-1/secrets/toxic", google(None)),
            ("gcp-secret-manager:projects/p-1/secrets/toxic/versions/7", google(Some("7"))),
            ("gcp-secret-manager:projects/p-1/secrets/toxic/versions/latest", google(Some("latest"))),
            ("vault:secret/toxic#token", vault("secret", "toxic", "token")),
            ("vault:kv/a/b.c/toxic#api_key", vault("kv", "a/b.c/toxic", "api_key")),
            ("env:", None),
            ("env:9TOXIC", None),
            ("env:TOXIC=1", None),
            ("file:toxic/relative", None),
            ("file:", None),
            ("file:/toxic\n", None),
            ("gsm:projects/toxic", None),
            ("gcp-secret-manager:toxic", None),
            ("gcp-secret-manager:projects/p/secrets/", None),
            ("gcp-secret-manager:projects/p/secrets/../toxic", None),
            ("gcp-secret-manager:projects/../secrets/toxic", None),
            ("gcp-secret-manager:projects/p/secrets/toxic?alt=x", None),
            ("gcp-secret-manager:projects/p/secrets/toxic/versions", None),
            ("gcp-secret-manager:projects/p/secrets/toxic/versions/", None),
            ("gcp-secret-manager:projects/p/secrets/toxic/versions/1/x", None),
            ("gcp-secret-manager:projects/p/secrets/toxic/version/1", None),
            ("vault:secret/toxic", None),
            ("vault:secret#toxic", None),
            ("vault:secret/#toxic", None),
            ("vault:secret/toxic#", None),
            ("vault:secret/../sys/toxic#a", None),
            ("vault:secret//toxic#a", None),
            ("vault:secret/toxic?version=1#a", None),
            ("vault:secret/t%2e#a", None),
            ("toxic.atlasv1.abc", None),
            ("ENV:TOXIC", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let parsed = SecretRef::parse(text);
            assert_eq!(parsed.as_ref().ok(), expected.as_ref(), "{text:?}");
            match parsed {
                Ok(reference) => assert_eq!(reference.to_string(), *text, "shows itself as written"),
                Err(error) => {
                    assert_eq!(error.kind(), SecretErrorKind::BadReference);
                    assert!(!error.to_string().to_lowercase().contains("toxic"), "{text:?}");
                }
            }
        }
    }
}
