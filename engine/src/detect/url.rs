//! Addresses: the password in the user-info and secret query parameters. The rest of the address stays.

use super::inspect::Search;
use super::rarity::{self, Invitation};
use super::{Hint, KeyVerdict, references, structural as rule};

/// Ends an address in a text.
fn stops(b: u8) -> bool {
    b.is_ascii_whitespace()
        || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|' | b')' | b'}')
        || b < 0x20
}

/// An address whose `://` stands at `at`.
pub(super) fn at(search: &mut Search<'_>, text: &str, at: usize) {
    let bytes = text.as_bytes();
    let from = at + 3;
    let end = from + bytes[from..].iter().take_while(|b| !stops(**b)).count();
    if !search.spend(end - from) {
        return;
    }
    // A password may hold brackets that would end an address in a text.
    let far =
        from + bytes[from..].iter().take_while(|b| !stops(**b) || matches!(b, b')' | b'}' | b'|')).count();
    user_info(search, text, at, from, far);
    if let Some(query) = bytes[from..end].iter().position(|b| matches!(b, b'?' | b'#')) {
        parameters(search, text, from + query + 1, end);
    }
}

/// `user:password@`, also where the password holds raw `@`, `:`, `/` or `?`.
fn user_info(search: &mut Search<'_>, text: &str, scheme_end: usize, from: usize, end: usize) {
    let bytes = text.as_bytes();
    let authority =
        from + bytes[from..end].iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(end - from);
    let Some(colon) = bytes[from..end].iter().position(|b| *b == b':').map(|n| from + n) else {
        if let Some(sign) = memchr::memrchr(b'@', &bytes[from..authority]) {
            lone_user(search, text, scheme_end, from, from + sign);
        }
        return;
    };
    let web = text[..scheme_end].ends_with("http") || text[..scheme_end].ends_with("https");
    let reach = if web { authority } else { end };
    let at_sign = match memchr::memrchr(b'@', &bytes[from..reach]) {
        Some(n) => from + n,
        None => {
            // No `@` before the first slash: a password with a raw slash, unless this is just `host:port/…@…`.
            let port = bytes[colon + 1..authority.max(colon + 1)].iter().all(u8::is_ascii_digit);
            match memchr::memrchr(b'@', &bytes[from..end]) {
                Some(n) if !port && colon < authority && from + n > colon => from + n,
                _ => return,
            }
        }
    };
    if colon < at_sign && parameters_begin(&bytes[colon..at_sign]) {
        return;
    }
    if colon >= at_sign {
        lone_user(search, text, scheme_end, from, at_sign);
        return;
    }
    let password = &text[colon + 1..at_sign];
    if !password.is_empty() && !references::reference(password) && !references::placeholder(password) {
        search.push(colon + 1, at_sign, rule::URL_PASSWORD);
        if password.len() < 8 || colon - from < 20 {
            return;
        }
        lone_user(search, text, scheme_end, from, colon);
    } else if password.is_empty() || password == "x-oauth-basic" {
        lone_user(search, text, scheme_end, from, colon);
    }
}

/// `:1433;user=sa;password=x@y`: a port and parameters, in which a sign stands by chance (JDBC of SQL Server).
fn parameters_begin(text: &[u8]) -> bool {
    let port = text[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let Some([b';', name @ ..]) = text.get(1 + port..) else { return false };
    let len = name.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    port > 0 && len > 0 && name.get(len) == Some(&b'=')
}

/// `https://TOKEN@host`: a user name that was drawn.
fn lone_user(search: &mut Search<'_>, text: &str, scheme_end: usize, from: usize, to: usize) {
    let web = text[..scheme_end].ends_with("http") || text[..scheme_end].ends_with("https");
    if web && rarity::drawn(&text.as_bytes()[from..to], Invitation::Key) {
        search.push(from, to, rule::URL_PASSWORD);
    }
}

/// Parameters that are secret by what the services call them.
const SECRET_PARAMETERS: &[&str] = &[
    "sig",
    "signature",
    "x-amz-signature",
    "x-amz-security-token",
    "x-goog-signature",
    "access_token",
    "code",
    "key",
    "apikey",
    "api_key",
    "token",
    "auth",
    "pass",
    "pwd",
    "password",
    "secret",
    "jwt",
    "sas",
    "st",
    "policy-signature",
    "id_token",
];

fn parameters(search: &mut Search<'_>, text: &str, from: usize, end: usize) {
    let mut at = from;
    // `?u=admin&p=…` of InfluxDB.
    let user = text[from..end].split('&').any(|part| part.starts_with("u="));
    for part in text[from..end].split(['&', ';', '#']) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let start = at + name.len() + 1;
        at += part.len() + 1;
        // `?token=:token`: a route's parameter.
        let routed = value.strip_prefix(':').is_some_and(|name| name.bytes().all(|b| b.is_ascii_lowercase()));
        if value.len() < 3 || routed || references::reference(value) || references::placeholder(value) {
            continue;
        }
        let paired = name == "p" && user;
        let listed = paired || SECRET_PARAMETERS.iter().any(|p| p.eq_ignore_ascii_case(name));
        let strong = match search.scratch.names.classify(name) {
            KeyVerdict::Sensitive(ix) => ix == rule::SENSITIVE_KEY,
            KeyVerdict::Context(context) => matches!(context.hint, Hint::Secret(_)),
            KeyVerdict::Plain => false,
        };
        let short = listed && !(strong || paired) && value.len() < 12;
        if (listed || strong) && !short {
            search.push(start, start + value.len(), rule::URL_PARAMETER);
        }
    }
}
