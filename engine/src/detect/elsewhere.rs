//! What stands where a secret could and is none: the place where it is kept, its type, an expression, a sentence about it.
//!
//! Must never take a word that somebody may have chosen for a secret.

use super::plausible::words_only;
use super::references::{reference, variable_name};
use super::value_span::Value;
use super::{KeyVerdict, keys};

/// What stands under a secret's name and says where it is, or what kind of thing: a type, a variable, an address in a vault.
pub(super) fn told_elsewhere(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "string",
        "number",
        "integer",
        "boolean",
        "bool",
        "object",
        "array",
        "true",
        "false",
        "yes",
        "no",
        "minutes",
        "hours",
        "days",
        "seconds",
        "n/a",
        "securestring",
        "managedidentity",
        "required",
        "optional",
        "managed",
        "rotated",
        "unset",
        "undefined",
        "expired",
        "encrypted",
        "hashed",
        "masked",
        "hidden",
        "disabled",
        "enabled",
    ];
    // `old_passwords = 2`: a switch.
    let switch = text.len() == 1 && text.as_bytes()[0].is_ascii_digit();
    // What a form calls the field: `"password": "Password"`.
    let titled = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().skip(1).all(|b| b.is_ascii_lowercase())
        && keys::is_password(&text.to_ascii_lowercase());
    // What a form asks of it: `required|min:12`.
    let ruled = text.starts_with("required|") || text.starts_with("nullable|");
    let word = switch
        || titled
        || ruled
        || labelled(text)
        || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    word || kept(text) || reference(text) || variable_name(text) || words_path(text)
}

/// `Forgot password?`, `Mot de passe`: words of a form, one of which is what a password is called.
fn labelled(text: &str) -> bool {
    let words = || text.trim_end_matches(['?', '!', '.', ':']).split(' ');
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || c == '\'');
    let called = |word: &str| {
        let word = word.to_lowercase();
        keys::is_password(&word) || word == "passe" || word == "acceso"
    };
    (2..=6).contains(&words().count())
        && text.starts_with(|c: char| c.is_uppercase())
        && words().all(plain)
        && words().any(called)
}

/// The name of a secret or a key where a provider keeps it.
pub(super) fn kept(text: &str) -> bool {
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/+=.:@!".contains(&b));
    let services = [":secretsmanager:", ":ssm:", ":kms:"];
    let stored = text.starts_with("arn:") && services.iter().any(|s| text.contains(s))
        || text.starts_with("projects/") && (text.contains("/secrets/") || text.contains("/cryptoKeys/"));
    let vault = text.starts_with("@Microsoft.KeyVault(") && text.ends_with(')');
    stored && plain(text) || vault
}

/// `/prod/db/password`, `ci/npm/token`: a parameter's or a file's name, in words.
pub(super) fn words_path(text: &str) -> bool {
    let slashes = text.bytes().filter(|b| *b == b'/').count();
    slashes >= 2
        && text.bytes().all(|b| b.is_ascii_lowercase() || b"/-_.".contains(&b))
        && !text.contains("//")
        && words_only(text)
}

/// Functions that make, fetch or describe a value.
#[rustfmt::skip]
const CALLS: &[&str] = &[
    "sensitive", "nonsensitive", "getenv", "env", "file", "crypt", "lookup", "substr", "tostring", "get", "fetch",
    "base64decode", "decrypt", "input", "prompt", "getpass", "str", "generate", "random", "credentials", "secret",
    "require", "required", "optional", "Optional", "encode", "concat", "hash", "md5", "sha256", "format", "column",
    "Column", "varchar", "list", "map", "object",
];

/// `random_password.db.result`, `req.body.password`, `os.getenv(`: an expression names where the value is.
pub(super) fn expression(text: &str) -> bool {
    const ROOTS: &[&str] = &[
        "var", "local", "data", "module", "each", "self", "this", "req", "request", "process", "os", "env",
        "config", "settings", "props", "ctx", "event", "secrets", "vars", "github", "inputs", "params",
        "args", "options", "conf", "cfg", "input",
    ];
    let name = |part: &str| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let text = text.trim_start_matches('$');
    let (text, called) = match text.find(['(', '[']) {
        Some(at) => (&text[..at], true),
        None => (text, false),
    };
    let mut parts = text.split('.');
    let root = parts.next().unwrap_or("");
    let written = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    let words = text.split(['.', '_']).all(written);
    // `boto3.client(`: names of programs have their digits at the end.
    let method = called
        && text.split(['.', '_']).all(|part| written(part.trim_end_matches(|c: char| c.is_ascii_digit())));
    let rest = parts.clone().count();
    if called && rest == 0 {
        // `get_password(`, `generateToken(`.
        const VERBS: [&str; 7] = ["get", "fetch", "read", "load", "generate", "create", "make"];
        let verb = VERBS.iter().find_map(|verb| root.strip_prefix(verb));
        let done = verb.is_some_and(|noun| {
            noun.starts_with(|c: char| c == '_' || c.is_ascii_uppercase())
                && keys::classify(noun) != KeyVerdict::Plain
        });
        return done && name(root) || CALLS.contains(&root);
    }
    let last = text.rsplit('.').next().unwrap_or("");
    rest >= 1
        && name(root)
        && parts.all(name)
        && (ROOTS.contains(&root)
            || method
            || words && keys::classify(last) != KeyVerdict::Plain
            || rest >= 2 && words && root.contains('_'))
}

/// Words with which a sentence goes on behind `password:`, and nobody's secret begins.
#[rustfmt::skip]
const SENTENCE: &[&str] = &[
    "see", "every", "managed", "at", "must", "never", "not", "ask", "reset", "it", "is", "are", "was", "in", "from", "to", "via",
    "await", "new", "async", "yield", "lambda", "function", "with", "and", "or", "the", "a", "an", "of", "by", "for", "on", "as", "stored", "kept", "rotated", "do", "don't", "your", "my",
    "same", "minimum", "use", "uses", "contact", "should", "can", "will", "only", "please", "unknown", "none", "n/a", "sso",
    "if", "when", "which", "that", "this", "has", "have", "required", "optional", "generated", "provided", "check", "look",
    "siehe", "wird", "im", "steht", "liegt", "beim", "wie", "vom", "voir", "stocké", "dans", "ver", "consultar", "consulter", "patrz",
    "zie", "vedi", "demander", "mindestens", "obligatoire", "obligatoria", "obligatorio", "obrigatória", "obbligatoria", "minimo", "mínimo",
    "minima", "mínima", "minst", "nejméně", "erforderlich", "requis", "requise", "requerida", "vereist", "verplicht", "필수", "mot", "guardada", "almacenada", "gespeichert", "hinterlegt",
];

/// A sentence goes on behind the name, or a length is told (`4 digits`); or a shell makes the value (`` `cat x` ``); or the
/// working directory is called `pwd`.
pub(super) fn explained(text: &str, value: &Value) -> bool {
    let Some(inner) = text.get(value.start..value.end) else { return false };
    let before = &text.as_bytes()[..value.start];
    if before.last() == Some(&b'`') {
        return inner.contains(' ');
    }
    // A variable of psql: `PASSWORD :'app_password'`.
    if before.ends_with(b" :'") {
        return inner.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    }
    if value.quoted {
        return false;
    }
    // `${DB_PASSWORD:?must be set}`, `secret:.+-[a-z]`: what a shell says where there is none, and a pattern.
    if inner.starts_with('?') && before.last() == Some(&b':')
        || [".+", ".*", "[^", "^&", "^\\\\s"].iter().any(|p| inner.starts_with(p))
    {
        return true;
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

/// `ghcr.io/acme/external-secrets:7f04c49`, `token:9090/metrics`, `input[type="password"]:focus`: an image and its tag, a host and
/// its port, a selector.
pub(super) fn assigns_nothing(bytes: &[u8], from: usize, to: usize) -> bool {
    if is_searched_for(bytes, from, to) {
        return true;
    }
    if bytes[..from].ends_with(b"=\"") && bytes[to..].starts_with(b"\"]") {
        return true;
    }
    let Some(tag) = bytes[to..].strip_prefix(b":") else { return false };
    if is_prompt(&bytes[..from], tag) {
        return true;
    }
    let len = tag.iter().take(129).take_while(|b| b.is_ascii_alphanumeric() || b"._-".contains(b)).count();
    let (tag, behind) = tag.split_at(len);
    let digits = tag.iter().all(u8::is_ascii_digit);
    if !tag.is_empty() && tag.len() <= 5 && digits && behind.first() == Some(&b'/') {
        return true;
    }
    let ended = behind.first().is_none_or(|b| b.is_ascii_whitespace() || b"\"'`,@;)".contains(b));
    let revision =
        (7..=40).contains(&tag.len()) && tag.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
    let number = tag.strip_prefix(b"v").unwrap_or(tag);
    let version = number.first().is_some_and(u8::is_ascii_digit) && number.contains(&b'.') && tag.len() <= 40;
    let named = [&b"latest"[..], b"stable", b"edge", b"nightly"].contains(&tag)
        || tag.starts_with(b"build-") && tag[6..].iter().all(u8::is_ascii_digit);
    from > 0 && bytes[from - 1] == b'/' && ended && (revision && !digits || version || named)
}

/// What names a secret again instead of telling it: code hands on a variable that is called alike (`connect(password=password)`,
/// `this.password = password;`, `{ client_secret: clientSecret }`), a usage line shows what is wanted (`--api-key KEY`), an
/// ExternalSecret says what its key will be called, an annotation holds the checksum of a Secret, a variable the fingerprint of a
/// public key.
pub(super) fn handed_on(bytes: &[u8], (from, to): (usize, usize), value: &Value) -> bool {
    // Variables have short names, and calls open near them.
    const NAME_MAX: usize = 128;
    const CALL_MAX: usize = 256;
    let inner = bytes.get(value.start..value.end).filter(|inner| inner.len() <= NAME_MAX).unwrap_or(b"");
    let (Ok(name), Ok(inner)) = (std::str::from_utf8(&bytes[from..to]), std::str::from_utf8(inner)) else {
        return false;
    };
    let (before, next) = (&bytes[from.saturating_sub(CALL_MAX)..from], bytes.get(value.end));
    let fingerprint = inner.len() == 40
        && inner.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
        && ["gpg", "GPG", "pgp", "PGP", "recv-key"].iter().any(|key| name.contains(key));
    if before.ends_with(b"checksum/") || fingerprint {
        return true;
    }
    let letters = !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_alphabetic() || b"_-.".contains(&b));
    if value.quoted || !letters || value.start < to {
        return false;
    }
    if name.starts_with('-') {
        return inner.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            && (matches!(inner, "KEY" | "VALUE" | "PASS" | "PASSWD")
                || keys::classify(inner) != KeyVerdict::Plain);
    }
    if name == "secretKey" && before.ends_with(b"- ") {
        return true;
    }
    if keys::classify(inner) == KeyVerdict::Plain || inner.contains(['-', '.']) {
        return false;
    }
    let sign = &bytes[to..value.start];
    let line = &before[memchr::memrchr(b'\n', before).map_or(0, |at| at + 1)..];
    let argument = sign == b"="
        && (line.ends_with(b"(") || line.ends_with(b", ") && line.contains(&b'('))
        && matches!(next, Some(b')' | b','));
    let member = sign == b" = "
        && ["this.", "self."].iter().any(|own| name.starts_with(own))
        && matches!(next, None | Some(b';' | b'\n'));
    let squashed = |t: &str| t.replace('_', "").to_ascii_lowercase();
    let property = sign == b": "
        && inner != name
        && inner.bytes().any(|b| b.is_ascii_uppercase())
        && inner.starts_with(|c: char| c.is_ascii_lowercase())
        && squashed(inner) == squashed(name);
    argument || member || property
}

/// `contains "token=")`, `concat(';AccountKey=', x)`: the quote behind the sign ends what began before the name.
fn is_searched_for(bytes: &[u8], from: usize, to: usize) -> bool {
    let Some([b'=', quote @ (b'"' | b'\''), rest @ ..]) = bytes.get(to..) else { return false };
    let ends = rest.first().is_none_or(|b| matches!(b, b')' | b',' | b'+' | b']' | b'\n'))
        || rest.starts_with(b" |")
        || rest.starts_with(b" +")
        || rest.starts_with(b" ||")
        || rest.starts_with(b" &");
    let near = &bytes[from.saturating_sub(96)..from];
    let line = memchr::memrchr(b'\n', near).map_or(near, |at| &near[at + 1..]);
    ends && line.iter().filter(|b| *b == quote).count() % 2 == 1
}

/// `read -s -p "Password: " NAME`: the quote that opened before the name ends behind its colon, escaped alike.
fn is_prompt(before: &[u8], behind: &[u8]) -> bool {
    let Some(quote) = before.last().filter(|b| matches!(b, b'"' | b'\'')) else { return false };
    let escapes = before[..before.len() - 1].iter().rev().take_while(|b| **b == b'\\').count();
    let behind = behind.trim_ascii_start();
    let closing = behind.iter().take_while(|b| **b == b'\\').count();
    closing == escapes
        && behind.get(closing) == Some(quote)
        && !behind.get(closing + 1).is_some_and(u8::is_ascii_alphanumeric)
}

/// Four or more plain words: somebody explains, nobody assigns.
pub(super) fn prose(text: &str) -> bool {
    let words = text.split(' ').filter(|w| !w.is_empty());
    let plain = |w: &str| {
        let w = w.trim_end_matches(['.', ',', ';', ':', ')']);
        w.chars().all(|c| c.is_lowercase() || c == '\'') || w.bytes().all(|b| b.is_ascii_digit())
    };
    let enough = if text.is_ascii() { 5 } else { 4 };
    words.clone().count() >= enough && words.skip(1).all(plain)
}
