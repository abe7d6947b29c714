//! The texts that stand in for what was taken out, and how they are recognised again.
//!
//! `[REDACTED:<category>]`, `[HASHED:<category>:<16 hex>]`. Never escaped in JSON, never matched by a rule.

use terrasift_schemas::detection::{Action, Category};

/// Appends the marker; `digest` only for hashes.
pub(super) fn write(category: Category, action: Action, digest: impl FnOnce() -> [u8; 8], out: &mut Vec<u8>) {
    if action == Action::Hash {
        out.extend_from_slice(b"[HASHED:");
        out.extend_from_slice(category.as_str().as_bytes());
        out.push(b':');
        out.extend_from_slice(hex::encode(digest()).as_bytes());
    } else {
        out.extend_from_slice(b"[REDACTED:");
        out.extend_from_slice(category.as_str().as_bytes());
    }
    out.push(b']');
}

/// Length of the marker that begins here. Ordinals behind a category (`[REDACTED:pii:2]`, redacted keys) count.
pub(super) fn length_at(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let head = [&b"[REDACTED:"[..], b"[HASHED:"].into_iter().find(|head| rest.starts_with(head))?;
    let body = &rest[head.len()..];
    let category = [Category::Pii, Category::Credential, Category::Infrastructure]
        .into_iter()
        .find(|category| body.starts_with(category.as_str().as_bytes()))?;
    let tail = &body[category.as_str().len()..];
    let end = tail.iter().take(24).position(|&b| b == b']')?;
    let inner = &tail[..end];
    let fits = inner.is_empty()
        || inner[0] == b':' && inner.len() > 1 && inner[1..].iter().all(u8::is_ascii_hexdigit)
        || inner[0] == b'#' && inner.len() > 1 && inner[1..].iter().all(u8::is_ascii_digit);
    fits.then_some(head.len() + category.as_str().len() + end + 1)
}

/// Calls back for each marker.
pub(super) fn each(text: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'[', &text[from..]) {
        let at = from + at;
        match length_at(text, at) {
            Some(len) => {
                found(at, at + len);
                from = at + len;
            }
            None => from = at + 1,
        }
    }
}

/// The text with a word that says nothing for each marker; `None` when it holds none.
pub(super) fn without(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut copied) = (Vec::new(), 0);
    each(bytes, |start, end| {
        out.extend_from_slice(&bytes[copied..start]);
        out.extend_from_slice(b"withheld");
        copied = end;
    });
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&bytes[copied..]);
    // Markers are ASCII, so what is left of a text is one.
    String::from_utf8(out).ok()
}

/// Nothing but markers.
pub(super) fn only(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut covered = 0;
    each(bytes, |start, end| covered += end - start);
    !bytes.is_empty() && covered == bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_known_again() {
        for (text, yes) in [
            ("[REDACTED:pii]", true),
            ("[REDACTED:credential][HASHED:pii:0123456789abcdef]", true),
            ("[REDACTED:pii#2]", true),
            ("[REDACTED:secret]", false),
            ("[REDACTED:pii", false),
            ("x[REDACTED:pii]", false),
            ("", false),
        ] {
            assert_eq!(only(text), yes, "{text}");
        }
    }

    #[test]
    fn keys_are_read_without_the_markers_in_them() {
        use super::super::{KeyVerdict, RuleSet};
        assert_eq!(without("[REDACTED:pii] of [HASHED:pii:00]"), Some("withheld of withheld".to_owned()));
        assert_eq!(without("pii [REDACTED:"), None);
        let rules = RuleSet::builtin();
        let said = |key: &str| rules.classify_key(key);
        assert_eq!(said("[REDACTED:credential]"), KeyVerdict::Plain, "it is our word, not theirs");
        assert_eq!(said("PASSWORD=[REDACTED:credential]"), said("PASSWORD=hunter-two"));
        assert_eq!(said("[REDACTED:pii] password"), said("password"));
    }
}
