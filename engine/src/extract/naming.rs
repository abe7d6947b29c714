//! Names, owners, tags and labels by Backstage's rules
//! (<https://backstage.io/docs/features/software-catalog/descriptor-format>).
//!
//! Must never be fed a text that the last sweep has not seen: lower-casing and cutting would hide a secret from it.

use crate::identity::Identity;

/// Longest entity name, bytes (Backstage, after Kubernetes).
const NAME_MAX: usize = 63;
/// Characters of the suffix that tells equal readable parts apart: 40 bits of the keyed identity.
const SUFFIX_SHORT: usize = 8;
/// Characters where 40 bits collide within a workspace: 120 bits.
const SUFFIX_LONG: usize = 24;
/// Most of a tenant slug that a name carries; the namespace carries all of it.
const SLUG_MAX: usize = 24;
/// What a workspace's name keeps however long the address is.
const WORKSPACE_MIN: usize = 14;

/// How a redaction starts: such a text is no name, owner, tag or link.
const MARKERS: [&str; 2] = ["[REDACTED:", "[HASHED:"];

/// Whether a redaction stands in the text.
pub(super) fn has_marker(text: &str) -> bool {
    MARKERS.iter().any(|marker| text.contains(marker))
}

/// How much of the identity a name carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Suffix {
    /// The usual.
    Short,
    /// For names that are equal with the short one.
    Long,
}

/// The readable parts of a resource's name, as they stand in the state.
#[derive(Clone, Copy)]
pub(super) struct Address<'a> {
    pub rtype: &'a str,
    pub name: &'a str,
    /// Instance key as JSON token, where there is one.
    pub index: Option<&'a str>,
}

/// `<slug>-<workspace>-<hash>`: lower case, at most 63 bytes.
pub(super) fn workspace_name(slug: &str, workspace: &str, identity: Identity) -> String {
    let slug = cut(&readable(slug, "tenant"), SLUG_MAX);
    let rest = NAME_MAX - SUFFIX_SHORT - 2 - slug.len();
    let workspace = cut(&readable(workspace, "workspace"), rest);
    format!("{slug}-{workspace}-{}", base32(identity, SUFFIX_SHORT))
}

/// `<slug>-<workspace>-<type-name-key>-<hash>`: lower case, at most 63 bytes. Depends on this address only.
///
/// The type goes first when the parts are too long: it also stands in the annotations.
pub(super) fn resource_name(
    slug: &str,
    workspace: &str,
    address: Address<'_>,
    identity: Identity,
    suffix: Suffix,
) -> String {
    let digits = if suffix == Suffix::Short { SUFFIX_SHORT } else { SUFFIX_LONG };
    let slug = cut(&readable(slug, "tenant"), SLUG_MAX);
    let workspace = readable(workspace, "workspace");
    let name = match address.index {
        Some(index) => format!("{}-{index}", address.name),
        None => address.name.to_owned(),
    };
    if suffix == Suffix::Long {
        let name = cut(&readable(&name, "resource"), NAME_MAX - digits - 2 - slug.len());
        return format!("{slug}-{name}-{}", base32(identity, digits));
    }
    let rest = NAME_MAX - digits - 3 - slug.len();
    let mut resource = readable(&format!("{}-{name}", address.rtype), "resource");
    if resource.len() + workspace.len().min(WORKSPACE_MIN) > rest {
        resource = readable(&name, "resource");
    }
    let workspace = cut(&workspace, rest.saturating_sub(resource.len()).max(WORKSPACE_MIN));
    let resource = cut(&resource, rest - workspace.len());
    format!("{slug}-{workspace}-{resource}-{}", base32(identity, digits))
}

/// Lower-case letters, digits, `_`; whatever else is one `-` a run; alphanumeric at both ends.
fn readable(text: &str, or: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    let trimmed = out.trim_matches(['-', '_']);
    if trimmed.is_empty() { or.to_owned() } else { trimmed.to_owned() }
}

/// At most `max` bytes of an ASCII text, alphanumeric at the end.
fn cut(ascii: &str, max: usize) -> String {
    let end = ascii.len().min(max);
    ascii.get(..end).unwrap_or_default().trim_end_matches(['-', '_', '.']).to_owned()
}

/// The first `digits` base-32 characters (RFC 4648 alphabet, lower case) of an identity; at most 25.
fn base32(identity: Identity, digits: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bits = u128::from_be_bytes(identity.0);
    (1..=digits)
        .map(|digit| {
            let five = (bits >> (128 - 5 * digit)) & 31;
            char::from(ALPHABET[usize::try_from(five).unwrap_or_default()])
        })
        .collect()
}

/// An owner reference from free text: `team`, `group:team`, `group:default/team`, `user:…`.
///
/// `None` for what names nobody: redacted texts, e-mail addresses (Backstage owners are groups and users), nothing.
pub(super) fn owner(text: &str) -> Option<String> {
    if has_marker(text) || text.contains('@') {
        return None;
    }
    let text = text.trim().to_ascii_lowercase();
    let (kind, rest) = match text.split_once(':') {
        Some((kind @ ("group" | "user"), rest)) => (Some(kind), rest),
        _ => (None, text.as_str()),
    };
    let (namespace, name) = match rest.split_once('/') {
        Some((namespace, name)) if kind.is_some() || dns_label(namespace) => (Some(namespace), name),
        _ => (None, rest),
    };
    let name = object_name(name)?;
    let namespace = namespace.filter(|namespace| dns_label(namespace));
    let kind = kind.map_or_else(String::new, |kind| format!("{kind}:"));
    Some(match namespace {
        Some(namespace) => format!("{kind}{namespace}/{name}"),
        None => format!("{kind}{name}"),
    })
}

/// Lower case `[a-z0-9]` with `-_.` inside, at most 63; other characters become one `-` a run.
pub(super) fn object_name(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len().min(NAME_MAX));
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.') {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    let name = cut(out.trim_start_matches(['-', '_', '.']), NAME_MAX);
    (!name.is_empty()).then_some(name)
}

/// A tag of Backstage: runs of `[a-z0-9:+#]` joined by single `-`, at most 63. `key:value` where there is a value.
pub(super) fn tag(key: &str, value: &str) -> Option<String> {
    if has_marker(key) || has_marker(value) {
        return None;
    }
    let text = if value.is_empty() { key.to_owned() } else { format!("{key}:{value}") };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ':' | '+' | '#') {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let tag = out.trim_end_matches('-');
    (!tag.is_empty() && tag.len() <= NAME_MAX).then(|| tag.to_owned())
}

/// A label's value as it stands, if Backstage takes it.
pub(super) fn label(text: &str) -> Option<String> {
    let alphanumeric = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let bytes = text.as_bytes();
    let valid = bytes.len() <= NAME_MAX
        && alphanumeric(bytes.first().copied())
        && alphanumeric(bytes.last().copied())
        && bytes.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'));
    valid.then(|| text.to_owned())
}

/// Backstage's namespace rule: runs of `[a-z0-9]` joined by single `-`, at most 63.
pub(super) fn dns_label(text: &str) -> bool {
    text.len() <= NAME_MAX
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}
