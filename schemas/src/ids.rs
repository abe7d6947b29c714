//! Ids: newtypes that are parsed once and are valid from then on.
//!
//! Must never hold anything that could be a secret: every id may be logged.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Why a text is no id. Says which kind of id and what is expected, never the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: expected {expected}")]
pub struct IdError {
    /// Which id was wanted, for example `workspace id`.
    pub kind: &'static str,
    /// The shape that was expected.
    pub expected: &'static str,
}

/// Declares a validated string id with serde and JSON Schema support.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $pattern:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Parses the id.
            ///
            /// # Errors
            /// [`IdError`] when the text has not the expected shape.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let valid: fn(&[u8]) -> bool = $valid;
                if valid(text.as_bytes()) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { kind: $kind, expected: $expected })
                }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $expected, "pattern": $pattern })
            }
        }
    };
}

/// A lower-case DNS label of at most 63 bytes, as narrow as Backstage takes namespaces: no two hyphens in a row.
fn dns_label(text: &[u8]) -> bool {
    let part =
        |part: &[u8]| !part.is_empty() && part.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 63 && text.split(|b| *b == b'-').all(part)
}

/// `prefix` followed by 1..=64 ASCII letters or digits.
fn prefixed(prefix: &[u8], text: &[u8]) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| (1..=64).contains(&rest.len()) && rest.iter().all(u8::is_ascii_alphanumeric))
}

id!(
    /// A tenant (client organisation) for ever; never reused, never renamed.
    TenantId, "tenant id", "1 to 63 of a-z, 0-9 and single inner hyphens", "^(?=.{1,63}$)[a-z0-9]+(-[a-z0-9]+)*$", dns_label
);
id!(
    /// A tenant's name in URLs and Backstage namespaces; may be renamed.
    TenantSlug, "tenant slug", "1 to 63 of a-z, 0-9 and single inner hyphens", "^(?=.{1,63}$)[a-z0-9]+(-[a-z0-9]+)*$", dns_label
);
id!(
    /// A Terraform Cloud workspace, `ws-…`: the id that never changes.
    WorkspaceId, "workspace id", "ws- and 1 to 64 letters or digits", "^ws-[A-Za-z0-9]{1,64}$", |t| prefixed(b"ws-", t)
);
id!(
    /// A Terraform Cloud run, `run-…`.
    RunId, "run id", "run- and 1 to 64 letters or digits", "^run-[A-Za-z0-9]{1,64}$", |t| prefixed(b"run-", t)
);
id!(
    /// A Terraform Cloud state version, `sv-…`.
    StateVersionId, "state version id", "sv- and 1 to 64 letters or digits", "^sv-[A-Za-z0-9]{1,64}$", |t| prefixed(b"sv-", t)
);
id!(
    /// A Terraform Cloud organization's name.
    OrganizationName, "organization name", "1 to 64 letters, digits, _ or -", "^[A-Za-z0-9_-]{1,64}$",
    |t| (1..=64).contains(&t.len()) && t.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
);
id!(
    /// A Backstage entity reference, lower-case `kind:namespace/name` (upper case is silently never removed by Backstage).
    EntityRef, "entity reference", "kind:namespace/name in lower case", "^[a-z0-9]+:[a-z0-9-]{1,63}/[a-z0-9._-]{1,63}$",
    |t| {
        let mut parts = t.splitn(2, |b| *b == b':');
        let kind = parts.next().unwrap_or_default();
        let mut rest = parts.next().unwrap_or_default().splitn(2, |b| *b == b'/');
        let (namespace, name) = (rest.next().unwrap_or_default(), rest.next().unwrap_or_default());
        !kind.is_empty()
            && kind.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && dns_label(namespace)
            && (1..=63).contains(&name.len())
            && name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
    }
);

/// The version of what turns a state into entities: `extractor * 1_000_000 + number of the rule set`. Rule sets are numbered
/// a tenant, in the order in which they came.
///
/// Grows only; within a lineage `(serial, pipeline version)` is what makes one write newer than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PipelineVersion(pub i64);

impl PipelineVersion {
    /// Rule sets that one extractor can number.
    const RULE_SETS: i64 = 1_000_000;

    /// The version of an extractor with a rule set.
    #[must_use]
    pub fn new(extractor: u32, rule_set: u32) -> Self {
        Self(i64::from(extractor) * Self::RULE_SETS + i64::from(rule_set))
    }

    /// The number of the rule set.
    #[must_use]
    pub fn rule_set(self) -> i64 {
        self.0 % Self::RULE_SETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T>(parse: fn(&str) -> Result<T, IdError>, cases: &[(&str, bool)]) {
        for (text, valid) in cases {
            assert_eq!(parse(text).is_ok(), *valid, "{text:?}");
        }
    }

    #[test]
    fn ids_accept_their_shape_and_nothing_else() {
        let long = "a".repeat(64);
        check(
            TenantId::parse,
            &[
                ("acme", true),
                ("a-1", true),
                ("", false),
                ("-a", false),
                ("a-", false),
                ("A", false),
                (&long, false),
            ],
        );
        check(
            WorkspaceId::parse,
            &[("ws-AbC123", true), ("ws-", false), ("run-a", false), ("ws-a/b", false), ("ws-ü", false)],
        );
        check(OrganizationName::parse, &[("acme_org-1", true), ("a b", false), ("", false)]);
        check(
            EntityRef::parse,
            &[
                ("resource:acme/a.b_c-d", true),
                ("Resource:acme/a", false),
                ("resource:acme", false),
                ("resource:/a", false),
                (":acme/a", false),
                ("resource:acme/a/b", false),
            ],
        );
    }

    #[test]
    fn an_id_error_never_repeats_the_text() {
        let error = WorkspaceId::parse("hunter2-secret").expect_err("not an id");
        assert!(!error.to_string().contains("hunter2"));
    }
}
