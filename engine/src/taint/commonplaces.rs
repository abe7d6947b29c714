//! Owns the list of texts that are never remembered as secrets. Must never hold what could be one.

use crate::detect::familiarity;

/// Letters in a row that no language has are remembered however few they are.
const WRITTEN: i32 = 40;

/// Values that stand in every state and tell nobody anything: redacting their copies would wreck the catalog.
pub(super) fn common(text: &str) -> bool {
    // `password`, and as a title or a constant: `Password`, `PASSWORD`.
    let lower = text.to_ascii_lowercase();
    let titled = text.bytes().skip(1).all(|b| b.is_ascii_lowercase());
    let word = text.len() <= 12
        && text.bytes().all(|b| b.is_ascii_alphabetic())
        && (titled || text.bytes().all(|b| b.is_ascii_uppercase()))
        && familiarity(lower.as_bytes()) > WRITTEN;
    // `DB_PASSWORD`: the name of a variable.
    let constant = text.contains('_')
        && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        && lower.split('_').all(|part| part.len() < 4 || familiarity(part.as_bytes()) > WRITTEN);
    let heads = ["[REDACTED", "[HASHED", "arn:", "http://localhost", "https://localhost"];
    let known = [
        "administrator",
        "postgresql",
        "production",
        "development",
        "terraform-provider",
        "localhost:5432",
        "127.0.0.1",
        "password123",
        "0.0.0.0/0",
        "us-east-1",
        "us-west-2",
        "eu-west-1",
        "eu-central-1",
        "application/json",
        "text/plain",
        "Terraform",
        "configuration",
        "authentication",
        "authorization",
        "aws:SecureTransport",
        "SecureString",
        "kubernetes.io/tls",
    ];
    let areas = ["us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-"];
    let ways =
        ["east", "west", "north", "south", "central", "northeast", "northwest", "southeast", "southwest"];
    let region = areas.iter().any(|area| text.starts_with(area))
        && text
            .split('-')
            .nth(1)
            .is_some_and(|way| ways.contains(&way.trim_end_matches(|c: char| c.is_ascii_digit())))
        && text.len() <= 16;
    let same = text.bytes().all(|b| b == text.as_bytes()[0]);
    word || constant
        || region
        || same
        || heads.iter().any(|head| text.starts_with(head))
        || known.iter().any(|k| k.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_common_and_drawn_letters_are_not() {
        for word in "administrator production terraform database kubernetes frontend username disabled enabled postgres"
            .split(' ')
        {
            assert!(common(word), "{word} {}", familiarity(word.as_bytes()));
        }
        for word in ["Password", "PASSWORD", "Authorization", "Production", "DB_PASSWORD"] {
            assert!(common(word), "{word}");
        }
        for drawn in
            "Zyugjkknia LPDPWZFPSL DB_ZYUGJKKNIA passWord zyugjkknia lpdpwzfpsl lixjpbhm qhokpwnyw xkcdqwvz"
                .split(' ')
        {
            assert!(!common(drawn), "{drawn} {}", familiarity(drawn.as_bytes()));
        }
    }
}
