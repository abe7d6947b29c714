//! What stands under the names of secrets without being one: words about it, references, names of files, ids, times, documents.
//!
//! Must never take for such a thing what somebody drew.

use super::notations;
use super::rarity::{self, Invitation};
use super::references::{reference, secret_name, variable_name};
use super::tokens;

/// What is said of a secret in place of one.
#[rustfmt::skip]
const SAID: &[&str] = &[
    "true", "false", "null", "none", "yes", "no", "enabled", "disabled", "enable", "disable", "bearer", "jwt",
    "aws_iam", "iam", "basic", "default", "required", "optional", "on", "off", "any", "all", "passwd", "string",
    "login", "plain", "password", "token", "key", "apikey", "api_key", "oauth", "oauth2", "oidc", "saml", "sso", "ldap",
    "tls", "mtls", "mutual", "md5", "cram_md5", "scram", "digest", "ntlm", "kerberos", "anonymous", "public", "private",
    "internal", "custom", "managedidentity", "cognito_user_pools", "sha1", "sha256", "sha512", "files", "write", "read", "kms",
    "aws4-hmac-sha256",
];

/// Not one of the things that stand under such keys without being secret.
pub(super) fn plausible(text: &str) -> bool {
    let t = text.trim().trim_matches(['"', '\'']);
    let behind_scheme = t.strip_prefix("Bearer ").or_else(|| t.strip_prefix("Basic ")).unwrap_or(t);
    if t.len() < 4 && !t.bytes().all(|b| b.is_ascii_digit())
        || t.is_empty()
        || SAID.iter().any(|word| word.eq_ignore_ascii_case(t))
        || reference(behind_scheme)
        || secret_name(t)
        || variable_name(t)
    {
        return false;
    }
    let heads = [
        "arn:",
        "ocid1.",
        "projects/",
        "/subscriptions/",
        "organizations/",
        "ssh-rsa ",
        "ssh-ed25519 ",
        "ecdsa-sha2",
        "-----BEGIN CERT",
        "-----BEGIN PUB",
        "kms:",
        "vault:",
        "@Microsoft.KeyVault(",
    ];
    if heads.iter().any(|head| t.starts_with(head)) || file_name(t) || resource_id(t) || timestamp(t) {
        return false;
    }
    // What has structure of its own is searched, not taken whole.
    let structured = structured(t) || t.contains('\n') && t.contains(": ");
    !(structured || address_without_secret(t))
}

/// A document, a list or a template; not a drawn password that begins with a bracket and does not end with one.
pub(super) fn structured(t: &str) -> bool {
    t.starts_with(['{', '['])
        && (t.ends_with(['}', ']'])
            || t.contains(['"', ' ', '\n', '\''])
            || !notations::made_up(t.as_bytes()))
}

fn address_without_secret(t: &str) -> bool {
    t.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+')
    })
}

/// `/etc/app/token`, `key.pem`, `./id_rsa`.
pub(super) fn file_name(t: &str) -> bool {
    let ends = [
        ".pem", ".key", ".crt", ".json", ".yaml", ".yml", ".txt", ".p12", ".pfx", ".tf", ".pub", ".cer",
        ".jks",
    ];
    let plain = t.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/~".contains(&b));
    plain
        && (ends.iter().any(|end| t.ends_with(end))
            || t.starts_with(['/', '~', '.']) && t[1..].contains('/') && words_only(t))
}

/// All parts between separators are words.
pub(super) fn words_only(t: &str) -> bool {
    t.split(['/', '.', '-', '_', '~']).all(|part| !rarity::drawn(part.as_bytes(), Invitation::Key))
}

/// `vpc-0abc123def4567890`: letters, a dash, 8 or 17 hex digits.
fn resource_id(t: &str) -> bool {
    tokens::unique_id(t.as_bytes())
        || t.rsplit_once('-').is_some_and(|(head, tail)| {
            matches!(tail.len(), 8 | 17)
                && tail.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
                && (2..=12).contains(&head.len())
                && head.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        })
}

fn timestamp(t: &str) -> bool {
    let b = t.as_bytes();
    b.len() >= 10 && b[4] == b'-' && b[7] == b'-' && b[..10].iter().all(|c| c.is_ascii_digit() || *c == b'-')
}
