//! Query strings, strictly: unknown, repeated and out-of-range parameters are refused, naming what is known.
//!
//! Must never quote what the client sent.

use std::borrow::Cow;
use std::time::Duration;

use terrasift_schemas::catalog::{RESOURCE_KIND, WORKSPACE_KIND};

use crate::problem::{Code, Problem};

/// Entries of a page when the client does not say.
pub const LIMIT_DEFAULT: u32 = 200;
/// Most entries of a page: with entities of a few KiB, some MiB.
pub const LIMIT_MAX: u32 = 1_000;
/// Longest long-poll in seconds: below the idle timeouts of common proxies.
pub const WAIT_SECONDS_MAX: u64 = 60;
/// Kinds are ASCII letters and digits (Backstage's `kind` format).
const KIND_BYTES_MAX: usize = 63;

/// The parameters of a list, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListQuery {
    pub cursor: Option<String>,
    pub limit: u32,
    pub wait: Duration,
    pub kind: Option<String>,
}

impl ListQuery {
    /// Parses the query string of a route that knows the parameters in `known`.
    pub(crate) fn parse(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut parsed = Self { cursor: None, limit: LIMIT_DEFAULT, wait: Duration::ZERO, kind: None };
        for (name, value) in parameters(query, known)? {
            match name {
                "cursor" => parsed.cursor = Some(value.into_owned()),
                "limit" => parsed.limit = limit(&value)?,
                "wait" => parsed.wait = wait(&value)?,
                _ => parsed.kind = Some(kind(&value)?),
            }
        }
        Ok(parsed)
    }
}

/// The parameters of a query string, each known to the route and there once.
pub(crate) fn parameters<'q, 'k>(
    query: Option<&'q str>,
    known: &[&'k str],
) -> Result<Vec<(&'k str, Cow<'q, str>)>, Problem> {
    let mut found: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(known.len());
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let Some(name) = known.iter().copied().find(|known| **known == *name) else {
            return Err(unknown(known));
        };
        if found.iter().any(|(seen, _)| *seen == name) {
            let detail = format!("the query parameter `{name}` may stand once only");
            return Err(Problem::new(Code::QueryParameterRepeated, detail));
        }
        found.push((name, value));
    }
    Ok(found)
}

fn unknown(known: &[&str]) -> Problem {
    let detail = match known {
        [] => "this route takes no query parameters".to_owned(),
        known => format!("this route knows the query parameters {}", known.join(", ")),
    };
    Problem::new(Code::QueryParameterUnknown, detail)
}

/// Digits only: `+5`, ` 5` and `5.0` are what typing errors look like.
fn number(text: &str) -> Option<u64> {
    (text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

pub(crate) fn limit(text: &str) -> Result<u32, Problem> {
    number(text).and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=LIMIT_MAX).contains(n)).ok_or_else(
        || Problem::new(Code::LimitOutOfRange, format!("`limit` is a whole number from 1 to {LIMIT_MAX}")),
    )
}

fn wait(text: &str) -> Result<Duration, Problem> {
    number(text).filter(|n| *n <= WAIT_SECONDS_MAX).map(Duration::from_secs).ok_or_else(|| {
        Problem::new(
            Code::WaitOutOfRange,
            format!("`wait` is a whole number of seconds from 0 to {WAIT_SECONDS_MAX}"),
        )
    })
}

/// The kind as the store spells it. Backstage compares kinds without case, so clients write them in any.
fn kind(text: &str) -> Result<String, Problem> {
    if !(1..=KIND_BYTES_MAX).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let detail = format!(
            "`kind` is 1 to {KIND_BYTES_MAX} letters or digits, such as {RESOURCE_KIND} or {WORKSPACE_KIND}"
        );
        return Err(Problem::new(Code::KindInvalid, detail));
    }
    let canonical = [RESOURCE_KIND, WORKSPACE_KIND].into_iter().find(|kind| kind.eq_ignore_ascii_case(text));
    Ok(canonical.unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[&str] = &["cursor", "limit", "wait", "kind"];

    /// cursor, limit, wait in seconds, kind
    type Parsed<'a> = (Option<&'a str>, u32, u64, Option<&'a str>);

    fn check(query: &str, known: &[&str], expected: Result<Parsed<'_>, Code>) {
        let got = ListQuery::parse(Some(query), known);
        let got = got.as_ref().map(|q| (q.cursor.as_deref(), q.limit, q.wait.as_secs(), q.kind.as_deref()));
        assert_eq!(got.map_err(Problem::code), expected, "{query:?}");
    }

    #[test]
    fn parameters_parse_within_their_ranges_only() {
        use Code::{
            KindInvalid, LimitOutOfRange, QueryParameterRepeated, QueryParameterUnknown, WaitOutOfRange,
        };
        check("", ALL, Ok((None, 200, 0, None)));
        check("limit=1", ALL, Ok((None, 1, 0, None)));
        check(
            "limit=1000&wait=60&kind=Resource&cursor=abc",
            ALL,
            Ok((Some("abc"), 1_000, 60, Some("Resource"))),
        );
        check("kind=terraformWORKSPACE", ALL, Ok((None, 200, 0, Some("TerraformWorkspace"))));
        check("kind=System", ALL, Ok((None, 200, 0, Some("System"))));
        check("cursor=", ALL, Ok((Some(""), 200, 0, None)));
        for limit in [
            "0",
            "1001",
            "1000000000",
            "-1",
            "+1",
            "",
            "1.0",
            "1e3",
            "ten",
            "%201",
            "18446744073709551616",
            "0x10",
        ] {
            check(&format!("limit={limit}"), ALL, Err(LimitOutOfRange));
        }
        for wait in ["61", "-1", "", "1s", "99999999999999999999"] {
            check(&format!("wait={wait}"), ALL, Err(WaitOutOfRange));
        }
        for kind in ["", "a-b", "ü", "a%00b", "a'%20or%201=1", &"k".repeat(64)] {
            check(&format!("kind={kind}"), ALL, Err(KindInvalid));
        }
        for query in ["since=1", "Limit=1", "limit%20=1", "limit=5&x", "&x=", "cursor[]=1", "tenant=globex"] {
            check(query, ALL, Err(QueryParameterUnknown));
        }
        check("wait=5", &["limit"], Err(QueryParameterUnknown));
        check("limit=5", &[], Err(QueryParameterUnknown));
        check("limit=1&limit=1", ALL, Err(QueryParameterRepeated));
        check("cursor=a&limit=1&cursor=b", ALL, Err(QueryParameterRepeated));
    }
}
