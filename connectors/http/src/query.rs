//! Query strings, strictly: unknown, repeated and out-of-range parameters are refused, naming what is known.
//!
//! The parameters of a route are a list that both the parsing and the OpenAPI document read. Must never quote what the client sent.

use std::borrow::Cow;
use std::time::Duration;

use terrasift_schemas::WorkspaceId;
use terrasift_schemas::catalog::{RESOURCE_KIND, WORKSPACE_KIND};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::problem::{Code, Problem};

/// Entries of a page when the client does not say.
pub const LIMIT_DEFAULT: u32 = 200;
/// Most entries of a page: with entities of a few KiB, some MiB.
pub const LIMIT_MAX: u32 = 1_000;
/// Longest long-poll in seconds: below the idle timeouts of common proxies.
pub const WAIT_SECONDS_MAX: u64 = 60;
/// Kinds are ASCII letters and digits (Backstage's `kind` format).
const KIND_BYTES_MAX: usize = 63;

/// A query parameter of a route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    /// As it stands in the query string.
    pub name: &'static str,
    /// For people.
    pub about: &'static str,
    /// What it looks like.
    pub shape: Shape,
}

impl Parameter {
    /// How it can be refused.
    pub(crate) fn problems(&self) -> &'static [Code] {
        match self.name {
            "cursor" => &[Code::CursorInvalid, Code::CursorFilterChanged],
            "limit" => &[Code::LimitOutOfRange],
            "wait" => &[Code::WaitOutOfRange],
            "kind" => &[Code::KindInvalid],
            _ => &[Code::FilterInvalid],
        }
    }
}

/// What a parameter looks like, as far as a schema can say it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Text that matches a regular expression.
    Text(&'static str),
    /// A whole number within these bounds, and what it is if it is left out.
    Number(u64, u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A moment by RFC 3339.
    Time,
}

/// Where to go on.
pub(crate) const CURSOR: Parameter = Parameter {
    name: "cursor",
    about: "`next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from",
    shape: Shape::Text("^[A-Za-z0-9_-]*$"),
};
/// How much of a list.
pub(crate) const LIMIT: Parameter =
    Parameter { name: "limit", about: "Most entries of a page", shape: Shape::Number(1, 1_000, 200) };
/// How long to wait.
pub(crate) const WAIT: Parameter = Parameter {
    name: "wait",
    about: "Seconds to wait for a change where there is none yet",
    shape: Shape::Number(0, 60, 0),
};
/// What kind.
pub(crate) const KIND: Parameter = Parameter {
    name: "kind",
    about: "Only entities of this kind, in any case",
    shape: Shape::Text("^[A-Za-z0-9]{1,63}$"),
};
/// Whose.
pub(crate) const WORKSPACE: Parameter = Parameter {
    name: "workspace",
    about: "Only what this workspace has",
    shape: Shape::Text("^ws-[A-Za-z0-9]{1,64}$"),
};
/// From when.
pub(crate) const SINCE: Parameter =
    Parameter { name: "since", about: "At this moment or later", shape: Shape::Time };
/// Until when.
pub(crate) const UNTIL: Parameter =
    Parameter { name: "until", about: "Before this moment", shape: Shape::Time };

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
    pub(crate) fn parse(query: Option<&str>, known: &[Parameter]) -> Result<Self, Problem> {
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
pub(crate) fn parameters<'q>(
    query: Option<&'q str>,
    known: &[Parameter],
) -> Result<Vec<(&'static str, Cow<'q, str>)>, Problem> {
    let mut found: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(known.len());
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let Some(name) = known.iter().map(|known| known.name).find(|known| *known == name) else {
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

fn unknown(known: &[Parameter]) -> Problem {
    let names: Vec<_> = known.iter().map(|known| known.name).collect();
    let detail = match names[..] {
        [] => "this route takes no query parameters".to_owned(),
        _ => format!("this route knows the query parameters {}", names.join(", ")),
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

/// A moment.
pub(crate) fn moment(text: &str) -> Result<OffsetDateTime, Problem> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| Problem::new(Code::FilterInvalid, "a time is written such as 2026-01-31T12:00:00Z"))
}

/// The id of a workspace.
pub(crate) fn workspace(text: &str) -> Result<WorkspaceId, Problem> {
    WorkspaceId::parse(text)
        .map_err(|_| Problem::new(Code::FilterInvalid, "`workspace` is an id such as ws-…"))
}

/// The kind as the store spells it. Backstage compares kinds without case, so clients write them in any.
pub(crate) fn kind(text: &str) -> Result<String, Problem> {
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

    const ALL: &[Parameter] = &[CURSOR, LIMIT, WAIT, KIND];

    /// cursor, limit, wait in seconds, kind
    type Parsed<'a> = (Option<&'a str>, u32, u64, Option<&'a str>);

    fn check(query: &str, known: &[Parameter], expected: Result<Parsed<'_>, Code>) {
        let got = ListQuery::parse(Some(query), known);
        let got = got.as_ref().map(|q| (q.cursor.as_deref(), q.limit, q.wait.as_secs(), q.kind.as_deref()));
        assert_eq!(got.map_err(Problem::code), expected, "{query:?}");
    }

    #[test]
    fn what_the_document_says_of_numbers_is_what_is_parsed() {
        let bounds = |parameter: Parameter| match parameter.shape {
            Shape::Number(least, most, default) => (least, most, default),
            _ => (0, 0, 0),
        };
        assert_eq!(bounds(LIMIT), (1, u64::from(LIMIT_MAX), u64::from(LIMIT_DEFAULT)));
        assert_eq!(bounds(WAIT), (0, WAIT_SECONDS_MAX, 0));
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
        check("wait=5", &[LIMIT], Err(QueryParameterUnknown));
        check("limit=5", &[], Err(QueryParameterUnknown));
        check("limit=1&limit=1", ALL, Err(QueryParameterRepeated));
        check("cursor=a&limit=1&cursor=b", ALL, Err(QueryParameterRepeated));
    }
}
