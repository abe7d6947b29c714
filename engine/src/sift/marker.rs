//! Recognises what the sanitizer itself wrote, so that a second run changes nothing.
//!
//! Must never accept a text of free form: a secret could dress up as a marker.

/// Whether the text is exactly one marker: `[REDACTED:<category>]` or `[HASHED:<category>:<16 hex>]`, with or without an
/// ordinal (`#2`).
pub(super) fn is_marker(text: &str) -> bool {
    // Most texts are none, and some are long.
    if !text.starts_with('[') {
        return false;
    }
    let body = match text.rsplit_once('#') {
        Some((body, ordinal)) if is_ordinal(ordinal) => body,
        _ => text,
    };
    let Some(body) = body.strip_prefix('[').and_then(|b| b.strip_suffix(']')) else { return false };
    if let Some(category) = body.strip_prefix("REDACTED:") {
        return is_category(category);
    }
    let hashed = body.strip_prefix("HASHED:").and_then(|b| b.split_once(':'));
    hashed.is_some_and(|(category, digest)| {
        is_category(category) && digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// Whether a marker may stand in the text: cheap, and only used where a wrong yes costs nothing.
pub(super) fn may_hold_marker(text: &str) -> bool {
    text.contains("[REDACTED:") || text.contains("[HASHED:")
}

fn is_category(text: &str) -> bool {
    matches!(text, "pii" | "credential" | "infrastructure")
}

fn is_ordinal(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_markers_are_markers() {
        for yes in ["[REDACTED:pii]", "[REDACTED:credential]#12", "[HASHED:infrastructure:0123456789abcdef]"]
        {
            assert!(is_marker(yes), "{yes}");
        }
        for no in [
            "",
            "[REDACTED:]",
            "[REDACTED:hunter2]",
            "[REDACTED:pii] ",
            "[REDACTED:pii]#",
            "[HASHED:pii:secret]",
            "[HASHED:pii:0123456789abcdeg]",
            "x[REDACTED:pii]",
        ] {
            assert!(!is_marker(no), "{no}");
        }
    }
}
