//! What stands where a secret could and is none: the place where it is kept, its type, an expression, a sentence about it.
//!
//! Must never take a word that somebody may have chosen for a secret.

use super::assignment::{reference, words_only};
use super::value_span::Value;

/// What stands under a secret's name and says where it is, or what kind of thing: a type, a variable, an address in a vault.
pub(super) fn told_elsewhere(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "string", "number", "integer", "boolean", "bool", "object", "array", "true", "false", "yes", "no",
        "minutes", "hours", "days", "seconds",
    ];
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/+=.:@".contains(&b));
    let services = [":secretsmanager:", ":ssm:", ":kms:"];
    let stored = text.starts_with("arn:") && services.iter().any(|s| text.contains(s))
        || text.starts_with("projects/") && text.contains("/secrets/");
    let vault = text.starts_with("@Microsoft.KeyVault(") && text.ends_with(')');
    WORDS.contains(&text) || stored && plain(text) || vault || reference(text) || words_path(text)
}

/// `/prod/db/password`, `ci/npm/token`: a parameter's or a file's name, in words.
pub(super) fn words_path(text: &str) -> bool {
    let slashes = text.bytes().filter(|b| *b == b'/').count();
    slashes >= 2
        && text.bytes().all(|b| b.is_ascii_lowercase() || b"/-_.".contains(&b))
        && !text.contains("//")
        && words_only(text)
}

/// Variables of web servers, identity providers and Grafana: `$http_x`, `$oidc.x`, `$__env{x}`.
pub(super) fn served(t: &str) -> bool {
    let headed =
        ["$http_", "$arg_", "$cookie_", "$oidc."].iter().any(|head| t.starts_with(head)) && name(&t[1..]);
    headed || (t.starts_with("$__env{") || t.starts_with("$__file{")) && t.ends_with('}')
}

fn name(t: &str) -> bool {
    t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b))
}

/// Variables of templates and servers that `$NAME` is not: these and `%NAME%`, `$context.x`, `!Ref x`, `{{x`.
pub(super) fn variable(t: &str) -> bool {
    const HEADS: &[&str] = &["$context.", "$input.", "$stageVariables.", "$$."];
    let windows = t.len() > 4
        && t.starts_with('%')
        && t.ends_with('%')
        && t[1..t.len() - 1].bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let headed = HEADS.iter().any(|head| t.starts_with(head)) && name(t.trim_start_matches('$'));
    let tagged = ["!Ref ", "!Sub ", "!GetAtt ", "!ImportValue "].iter().any(|tag| t.starts_with(tag));
    let mapped =
        t.strip_prefix("method.request.").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_graphic()));
    // An address cuts the braces behind a parameter.
    let mustache = t.strip_prefix("{{").is_some_and(|rest| !rest.is_empty() && name(rest));
    served(t) || windows || headed || tagged || mapped || mustache
}

/// `random_password.db.result`, `req.body.password`, `os.getenv(`: an expression names where the value is.
pub(super) fn expression(text: &str) -> bool {
    const ROOTS: &[&str] = &[
        "var", "local", "data", "module", "each", "self", "this", "req", "request", "process", "os", "env",
        "config", "settings", "props", "ctx", "event", "secrets", "vars", "github", "inputs", "params",
        "args", "options", "conf", "cfg", "input",
    ];
    const CALLS: &[&str] = &[
        "sensitive",
        "nonsensitive",
        "getenv",
        "env",
        "file",
        "crypt",
        "lookup",
        "substr",
        "tostring",
        "get",
        "fetch",
        "base64decode",
        "decrypt",
        "input",
        "prompt",
        "getpass",
        "str",
        "generate",
        "random",
    ];
    let name = |part: &str| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let (text, called) = match text.find(['(', '[']) {
        Some(at) => (&text[..at], true),
        None => (text, false),
    };
    let mut parts = text.split('.');
    let root = parts.next().unwrap_or("");
    let words = text.split(['.', '_']).all(|part| part.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest = parts.clone().count();
    if called && rest == 0 {
        return CALLS.contains(&root);
    }
    rest >= 1
        && name(root)
        && parts.all(name)
        && (ROOTS.contains(&root) || rest >= 2 && words && root.contains('_'))
}

/// Words with which a sentence goes on behind `password:`, and nobody's secret begins.
#[rustfmt::skip]
const SENTENCE: &[&str] = &[
    "see", "every", "managed", "at", "must", "never", "not", "ask", "reset", "it", "is", "are", "was", "in", "from", "to", "via",
    "with", "and", "or", "the", "a", "an", "of", "by", "for", "on", "as", "stored", "kept", "rotated", "do", "don't", "your", "my",
    "same", "minimum", "use", "uses", "contact", "should", "can", "will", "only", "please", "unknown", "none", "n/a", "sso",
    "if", "when", "which", "that", "this", "has", "have", "required", "optional", "generated", "provided",
];

/// A sentence goes on behind the name, or a length is told (`4 digits`); or a shell makes the value (`` `cat x` ``); or the
/// working directory is called `pwd`.
pub(super) fn explained(text: &str, value: &Value) -> bool {
    let Some(inner) = text.get(value.start..value.end) else { return false };
    let before = &text.as_bytes()[..value.start];
    if before.last() == Some(&b'`') {
        return inner.contains(' ');
    }
    if value.quoted {
        return false;
    }
    let directory = before.len() >= 4 && before[before.len() - 4..].eq_ignore_ascii_case(b"pwd=");
    if directory && inner.starts_with('/') {
        return true;
    }
    let mut words = text[value.start..].split([' ', '\n', '\t']);
    let first = words.next().unwrap_or("").trim_end_matches([':', ',', ';']);
    let Some(next) = words.next() else { return false };
    let goes_on = next.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let said = SENTENCE.iter().any(|word| word.eq_ignore_ascii_case(first));
    let length = first.len() <= 3
        && first.bytes().all(|b| b.is_ascii_digit())
        && ["digit", "char", "letter", "day", "word"].iter().any(|unit| next.starts_with(unit));
    goes_on && (said || length)
}

/// Four or more plain words: somebody explains, nobody assigns.
pub(super) fn prose(text: &str) -> bool {
    let words = text.split(' ').filter(|w| !w.is_empty());
    let plain = |w: &str| {
        w.trim_end_matches(['.', ',', ';', ':', ')']).bytes().all(|b| b.is_ascii_lowercase() || b == b'\'')
    };
    words.clone().count() >= 5 && words.skip(1).all(plain)
}
