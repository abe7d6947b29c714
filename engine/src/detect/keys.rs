//! What key names say: tokenised, compared word by word, never by substring alone.
//!
//! Knows names only; must never look at a value.

use super::key_words::{
    COURSE, DETAIL, FACT, FOREIGN, INDEXING, JOINED, Lexicon, NEUTRAL, NOUN_FIRST, PAIRED, PASSING,
    PUBLIC_LAST, SERVICE_WORDS, SERVICES, STRONG, STRONG_PAIRS, SUGGESTIVE, WHICH, may_be,
};
use super::structural as rule;
use super::{Hint, KeyContext, KeyVerdict, person_keys, siblings};

/// At most this many words of a key are looked at, the last ones: the head noun stands last.
const WORDS_MAX: usize = 16;
/// Longer keys are data, not names.
const KEY_MAX: usize = 256;

pub(super) struct Words {
    bytes: [u8; KEY_MAX],
    len: usize,
    spans: [(u16, u16); WORDS_MAX],
    count: usize,
}

impl Words {
    /// Splits snake, kebab, dotted and camel case, lower-cased.
    fn of(key: &str) -> Option<Self> {
        let src = key.as_bytes();
        if src.len() > KEY_MAX || src.is_empty() {
            return None;
        }
        let mut words = Self { bytes: [0; KEY_MAX], len: src.len(), spans: [(0, 0); WORDS_MAX], count: 0 };
        let mut start = 0;
        for i in 0..=src.len() {
            let boundary = i == src.len() || !src[i].is_ascii_alphanumeric() || i > start && camel(src, i);
            if boundary {
                words.push(start, i);
                start = if i < src.len() && src[i].is_ascii_alphanumeric() { i } else { i + 1 };
            }
            if i < src.len() {
                words.bytes[i] = src[i].to_ascii_lowercase();
            }
        }
        (words.count > 0).then_some(words)
    }

    fn push(&mut self, start: usize, end: usize) {
        if end <= start {
            return;
        }
        if self.count == WORDS_MAX {
            self.spans.rotate_left(1);
            self.count -= 1;
        }
        if let (Ok(from), Ok(to)) = (u16::try_from(start), u16::try_from(end)) {
            self.spans[self.count] = (from, to);
            self.count += 1;
        }
    }

    pub(super) fn word(&self, back: usize) -> &str {
        std::str::from_utf8(self.spelled(back)).unwrap_or("")
    }

    /// The bytes of a word: letters and digits of ASCII. Most are only compared.
    #[inline]
    fn spelled(&self, back: usize) -> &[u8] {
        if back >= self.count {
            return &[];
        }
        let (from, to) = self.spans[self.count - 1 - back];
        &self.bytes[usize::from(from)..usize::from(to)]
    }

    fn has(&self, list: &Lexicon) -> bool {
        (0..self.count).any(|back| list.has(self.spelled(back)))
    }

    fn any(&self, list: &[&str]) -> bool {
        (0..self.count).any(|back| {
            let word = self.spelled(back);
            list.iter().any(|known| known.as_bytes() == word)
        })
    }

    fn ends_joined(&self, list: &[&str]) -> bool {
        let whole = &self.bytes[..self.len];
        list.iter().any(|end| whole.ends_with(end.as_bytes()))
    }

    /// The last word is the end of something drawn, and short enough to have come by chance: `AROABFU15VRFWDDWF3PAT`.
    fn is_by_chance(&self) -> bool {
        let cut = |pair: &&[(u16, u16)]| {
            pair[0].1 == pair[1].0 && self.bytes[usize::from(pair[0].1) - 1].is_ascii_digit()
        };
        self.spelled(0).len() <= 4 && self.spans[..self.count].windows(2).filter(cut).count() >= 2
    }

    /// Drops numbers at the end.
    fn strip_numbers(&mut self) {
        while self.count > 1 && self.word(0).bytes().all(|b| b.is_ascii_digit()) {
            self.count -= 1;
        }
    }

    /// Drops the number of a secret that is one of many: `password2`, `api_key1`; not that of `sha256`.
    fn strip_glued_number(&mut self) {
        let last = self.spelled(0);
        let digits = last.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let name = &last[..last.len() - digits];
        if digits > 0 && (STRONG.has(name) || SUGGESTIVE.has(name) || name == b"key") {
            let trimmed = u16::try_from(digits).unwrap_or(0);
            self.spans[self.count - 1].1 -= trimmed;
            if self.len == usize::from(self.spans[self.count - 1].1 + trimmed) {
                self.len -= digits;
            }
        }
    }

    /// Drops neutral words and numbers at the end.
    fn strip_neutral(&mut self) {
        while self.count > 1 {
            let last = self.word(0);
            if !NEUTRAL.has(last.as_bytes()) && !last.bytes().all(|b| b.is_ascii_digit()) {
                break;
            }
            self.count -= 1;
        }
    }
}

/// `aB` and the `b` of `ABb`.
fn camel(src: &[u8], i: usize) -> bool {
    let upper = |at: usize| src.get(at).is_some_and(u8::is_ascii_uppercase);
    let lower = |at: usize| src.get(at).is_some_and(u8::is_ascii_lowercase);
    let digit = |at: usize| src.get(at).is_some_and(u8::is_ascii_digit);
    upper(i) && (lower(i - 1) || digit(i - 1)) || upper(i) && upper(i - 1) && lower(i + 1)
}

pub(super) fn hint(hint: Hint) -> KeyVerdict {
    KeyVerdict::Context(KeyContext { hint, tenant: 0 })
}

/// The built-in verdict on a key.
pub(super) fn classify(key: &str) -> KeyVerdict {
    if let Some(kin) = siblings::kin(key) {
        return kin.verdict();
    }
    if !key.is_ascii() && is_foreign(key) || key.starts_with("TF_TOKEN_") {
        return KeyVerdict::Sensitive(rule::SENSITIVE_KEY);
    }
    if let Some((_, name)) = key.rsplit_once('/').filter(|(domain, _)| is_domain(domain)) {
        // An annotation of Kubernetes: mostly a Secret's name, a path, a digest.
        return match classify(name) {
            KeyVerdict::Sensitive(_) => hint(Hint::Service(rule::SUGGESTIVE_KEY)),
            KeyVerdict::Context(KeyContext { hint: Hint::Secret(ix), .. }) => hint(Hint::Service(ix)),
            said => said,
        };
    }
    // A tag whose last step is the name of a cluster.
    if key.starts_with("kubernetes.io/cluster/") {
        return KeyVerdict::Plain;
    }
    let Some(mut words) = Words::of(key) else { return KeyVerdict::Plain };
    if words.is_by_chance() || words.word(0) == "nopasswd" {
        return KeyVerdict::Plain;
    }
    let said = person_keys::verdict(&words).or_else(|| {
        // `ssn_2` names what `ssn` does; `line_2` is settled above.
        words.strip_numbers();
        words.strip_glued_number();
        person_keys::verdict(&words).or_else(|| about(&words))
    });
    said.unwrap_or_else(|| {
        words.strip_neutral();
        named(&words, key.len())
    })
}

/// Keys that say something *about* a secret, or that hold what is public.
fn about(words: &Words) -> Option<KeyVerdict> {
    let (last, before) = (words.word(0), words.word(1));
    if last == "id" && before == "secret" && (words.count == 2 || words.any(&["vault", "approle"])) {
        // A name at one provider, the secret half of an AppRole (a UUID) at another: the value decides.
        return Some(hint(Hint::Service(rule::SUGGESTIVE_KEY)));
    }
    if last == "md5" && matches!(before, "bgp" | "ospf" | "ldp") {
        return Some(KeyVerdict::Sensitive(rule::SENSITIVE_KEY));
    }
    let first = words.word(words.count - 1);
    if words.count > 1
        && (matches!(first, "checksum" | "sha256")
            || before == "algorithm"
            || (before, last) == ("project", "number"))
    {
        return Some(hint(Hint::Public));
    }
    if words.any(&["dnskey"]) {
        return Some(hint(Hint::Public));
    }
    if matches!(last, "description" | "references" | "comment" | "summary" | "pattern") {
        // Talks about the secret that its parent names; must not inherit.
        return Some(hint(Hint::None));
    }
    let secret = words.has(&STRONG) || words.has(&SUGGESTIVE);
    // `basic_auth` is no fact about a secret, `password_auth` is.
    let others = usize::from(last == "auth");
    let told = |back: usize| STRONG.has(words.spelled(back)) || SUGGESTIVE.has(words.spelled(back));
    let inside = (others..words.count).any(told) || words.any(&["key", "keys"]) || words.ends_joined(JOINED);
    let fact = FACT.has(last.as_bytes()) || last == "used" && before == "last";
    let public_key =
        words.any(&["public", "pub", "publishable", "site"]) && words.any(&["key", "keys", "token"]);
    // Charts call the name of a Secret so.
    let by_name = last == "secret" && matches!(before, "existing" | "k8s" | "kubernetes");
    if words.count > 1 && inside && fact && !is_pair(before, last) || public_key || by_name {
        return Some(hint(Hint::Public));
    }
    if !inside && !secret && DETAIL.has(last.as_bytes()) {
        // Says something of the secret that its parent names: `password { end_date }`, `private_key { algorithm }`.
        return Some(hint(Hint::None));
    }
    if connection(words) {
        return Some(hint(Hint::Connection(rule::CONNECTION)));
    }
    if secret {
        return None;
    }
    let version = |word: &str| matches!(word, "version" | "versions" | "release");
    if version(last) || last == "actual" && version(before) {
        return Some(hint(Hint::Version));
    }
    PUBLIC_LAST.has(last.as_bytes()).then(|| hint(Hint::Public))
}

/// Keys that name a secret, or something that is called a key.
fn named(words: &Words, key_len: usize) -> KeyVerdict {
    let (last, before) = (words.word(0), words.word(1));
    // secret_string, secret_value, secret_data: what stands there is the secret itself.
    let itself = key_len > 7 && last == "secret" && words.count == 1;
    if itself
        || STRONG.has(last.as_bytes())
        || is_pair(before, last)
        || secret_access_key(words)
        || words.ends_joined(JOINED)
        || words.has(&NOUN_FIRST) && !FACT.has(last.as_bytes())
    {
        return KeyVerdict::Sensitive(rule::SENSITIVE_KEY);
    }
    if words.has(&COURSE) {
        return hint(Hint::Public);
    }
    // `db_pass`, `ftp_pass`; not `proxy_pass`.
    if last == "pass" && words.count > 1 && !PASSING.has(before.as_bytes()) {
        return KeyVerdict::Sensitive(rule::SENSITIVE_KEY);
    }
    if SUGGESTIVE.has(last.as_bytes()) || last == "key" && secret_key_owner(words) {
        return hint(Hint::Secret(rule::SUGGESTIVE_KEY));
    }
    if WHICH.has(last.as_bytes())
        && let Some(said) = of_which(words)
    {
        return said;
    }
    if of_service(words) {
        return hint(Hint::Service(rule::SUGGESTIVE_KEY));
    }
    // A seed is a wallet's at one provider, and only makes a shuffle repeatable at another.
    if matches!(last, "key" | "keys") && !INDEXING.has(before.as_bytes())
        || matches!(last, "seed" | "keystore" | "jks")
    {
        return hint(Hint::Rare);
    }
    KeyVerdict::Plain
}

/// A word for a password, in whatever language: lower case.
pub(super) fn is_password(word: &str) -> bool {
    STRONG.has(word.as_bytes())
}

/// A map under this name holds secrets, whatever its keys are.
pub(super) fn holds_secrets(name: &str) -> bool {
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or(name);
    ["secrets", "credentials", "creds", "tokens", "passwords", "apikeys"]
        .iter()
        .any(|all| all.eq_ignore_ascii_case(last))
}

/// A key that says something about what it stands beside.
pub(super) fn describes(key: &str) -> bool {
    let Some(words) = Words::of(key) else { return true };
    FACT.has(words.spelled(0))
        || matches!(
            words.word(0),
            "key" | "value" | "project" | "team" | "email" | "realm" | "class" | "namespace"
        )
}

/// `vault.hashicorp.com`, `nginx.ingress.kubernetes.io`.
fn is_domain(text: &str) -> bool {
    let top = text.rsplit('.').next().unwrap_or("");
    text.contains('.')
        && matches!(top, "io" | "com" | "org" | "net" | "dev" | "app" | "sh")
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}

/// A secret's name, and behind it which one it is.
fn of_which(words: &Words) -> Option<KeyVerdict> {
    let name = (1..words.count).find(|back| {
        let word = words.spelled(*back);
        !WHICH.has(word) && !word.iter().all(u8::is_ascii_digit)
    })?;
    let (last, before) = (words.word(name), words.word(name + 1));
    if STRONG.has(last.as_bytes()) || is_pair(before, last) {
        return Some(KeyVerdict::Sensitive(rule::SENSITIVE_KEY));
    }
    matches!(last, "token" | "secret" | "credential" | "credentials")
        .then(|| hint(Hint::Secret(rule::SUGGESTIVE_KEY)))
}

/// Some language's word for a password.
#[cold]
fn is_foreign(key: &str) -> bool {
    let lower = key.to_lowercase();
    FOREIGN.iter().any(|word| lower.contains(word))
}

fn is_pair(before: &str, last: &str) -> bool {
    may_be(&PAIRED, last.as_bytes())
        && (STRONG_PAIRS.contains(&(before, last)) || STRONG_PAIRS.contains(&(last, "")))
}

/// The same in a sentence, in whatever case.
pub(super) fn is_spoken_pair(before: &str, last: &str) -> bool {
    let same = |pair: &(&str, &str)| pair.0.eq_ignore_ascii_case(before) && pair.1.eq_ignore_ascii_case(last);
    !before.is_empty() && STRONG_PAIRS.iter().any(same)
}

/// `secret_access_key`, `primary_access_key`, `storage_account_access_key`.
fn secret_access_key(words: &Words) -> bool {
    words.word(0) == "key" && words.word(1) == "access"
        || words.word(0) == "keys" && words.word(1) == "access"
}

/// `deepgram_key`, `fal_api`, `snyk_access`; and services that nothing else is called like, alone.
fn of_service(words: &Words) -> bool {
    let last = words.spelled(0);
    if matches!(last, b"key" | b"keys" | b"api" | b"access" | b"hec") {
        return words.has(&SERVICES) || words.has(&SERVICE_WORDS);
    }
    words.count == 1 && SERVICES.has(last)
}

/// Keys of services whose noun is only "key".
fn secret_key_owner(words: &Words) -> bool {
    [
        "primary",
        "secondary",
        "admin",
        "instrumentation",
        "write",
        "read",
        "integration",
        "security",
        "auth",
        "host",
        "root",
    ]
    .contains(&words.word(1))
        || words.any(&[
            "secret",
            "crypto",
            "cryptographic",
            "datadog",
            "stripe",
            "sendgrid",
            "twilio",
            "openai",
        ])
}

/// Strings that carry credentials among other things.
fn connection(words: &Words) -> bool {
    let (last, before) = (words.word(0), words.word(1));
    (matches!(last, "string" | "strings") && matches!(before, "connection" | "conn"))
        || matches!(last, "connectionstring" | "dsn" | "jdbc" | "connstr")
        || (matches!(last, "url" | "uri")
            && words.any(&[
                "database",
                "db",
                "redis",
                "mongo",
                "mongodb",
                "amqp",
                "broker",
                "jdbc",
                "connection",
                "webhook",
            ]))
}
