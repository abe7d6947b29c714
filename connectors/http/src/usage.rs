//! `GET /v1/usage`: how much was done for a tenant, by day, what that costs where prices are configured, and what of its rate budget it uses.
//!
//! Counted from the audit of sanitized states, which is written with each of them: nothing is counted a second time.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use terrasift_postgres::{Kept, UpstreamUse, UsageDay};
use time::{Duration, OffsetDateTime};

use crate::conditional::json_response;
use crate::config::Prices;
use crate::feed::{Reader, to_json};
use crate::gate::Gate;
use crate::openapi::{Answer, Moment, Operation, schema_of};
use crate::problem::{Code, Problem};
use crate::query::{Parameter, SINCE, UNTIL, moment, parameters};

/// What is told when nobody says since when.
const WINDOW: Duration = Duration::days(30);
/// Longest time that is told at once.
const WINDOW_MAX: Duration = Duration::days(400);
const PARAMETERS: &[Parameter] = &[SINCE, UNTIL];

pub(crate) const USAGE: Operation = Operation {
    id: "readUsage",
    summary: "How much was done by day, and what it costs",
    about: "The last 30 days if `since` is left out; at most 400 days. `cost` is there where the operator has set prices.",
    query: PARAMETERS,
    body: None,
    answer: Answer::Tagged(schema_of::<UsageBody>),
    problems: &[],
};

/// What was done on a day (UTC); days without anything are left out.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UsageDay")]
struct DayBody {
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    day: OffsetDateTime,
    /// States sanitized.
    states: i64,
    /// Their bytes; 0 for those of before this was counted.
    bytes: i64,
    /// Redactions of personal data.
    pii: i64,
    /// Redactions of credentials.
    credential: i64,
    /// Redactions of infrastructure.
    infrastructure: i64,
}

impl From<UsageDay> for DayBody {
    fn from(day: UsageDay) -> Self {
        Self {
            day: day.day,
            states: day.states,
            bytes: day.bytes,
            pii: day.pii,
            credential: day.credential,
            infrastructure: day.infrastructure,
        }
    }
}

/// What the time asked for costs.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Cost")]
struct CostBody {
    /// As it is configured, such as EUR.
    currency: String,
    /// For states.
    states: f64,
    /// For their bytes.
    bytes: f64,
    /// For the workspaces that are kept, for as long as was asked.
    workspaces: f64,
    /// All of it.
    total: f64,
}

/// What of the rate budget is used: requests to Terraform Cloud. Workers tell them some seconds late.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RateBudget")]
struct BudgetBody {
    /// Since this hour (UTC) began.
    this_hour: i64,
    /// In the hour before.
    last_hour: i64,
    /// In the fullest hour of the last 31 days.
    fullest_hour: i64,
    /// So many a second the tenant may send at most.
    requests_per_second_max: f64,
}

impl BudgetBody {
    fn of(used: UpstreamUse, requests_per_second_max: f64) -> Self {
        let UpstreamUse { this_hour, last_hour, fullest_hour } = used;
        Self { this_hour, last_hour, fullest_hour, requests_per_second_max }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Usage")]
struct UsageBody {
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    since: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    until: OffsetDateTime,
    /// Workspaces that are kept now.
    workspaces: i64,
    /// Live entities that are kept now.
    entities: i64,
    days: Vec<DayBody>,
    budget: BudgetBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostBody>,
}

pub(crate) async fn usage(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let (since, until) = window(parts.uri.query(), OffsetDateTime::now_utc())?;
    let store = &gate.doors.store;
    let found = gate.telemetry.timed("usage", store.usage(&reader.tenant, since, until)).await;
    let days = found.map_err(reader.failed("usage"))?;
    let kept =
        gate.telemetry.timed("kept", store.kept(&reader.tenant)).await.map_err(reader.failed("usage"))?;
    let used = gate.telemetry.timed("upstream_use", store.upstream_use(&reader.tenant)).await;
    let used = used.map_err(reader.failed("usage"))?;
    let cost = gate.config.prices.as_ref().map(|prices| cost(prices, &days, kept, until - since));
    let body = UsageBody {
        since,
        until,
        workspaces: kept.workspaces,
        entities: kept.entities,
        days: days.into_iter().map(DayBody::from).collect(),
        budget: BudgetBody::of(used, gate.config.upstream_requests_per_second),
        cost,
    };
    Ok(json_response(&parts.headers, to_json(&body)?))
}

fn window(query: Option<&str>, now: OffsetDateTime) -> Result<(OffsetDateTime, OffsetDateTime), Problem> {
    let (mut since, mut until) = (None, None);
    for (name, value) in parameters(query, PARAMETERS)? {
        let slot = if name == "since" { &mut since } else { &mut until };
        *slot = Some(moment(&value)?);
    }
    // The end of this day: within it, the same question has the same entity tag for as long as nothing happens.
    let tomorrow = now.replace_time(time::Time::MIDNIGHT).checked_add(Duration::days(1)).unwrap_or(now);
    let until = until.unwrap_or(tomorrow);
    let since = since.or_else(|| until.checked_sub(WINDOW)).unwrap_or(until);
    let detail = "`since` is before `until`, and at most 400 days";
    let fits = since < until && until - since <= WINDOW_MAX;
    fits.then_some((since, until)).ok_or_else(|| Problem::new(Code::FilterInvalid, detail))
}

/// Prices times quantities. Floating point is exact to far below a cent at any quantity that a tenant can have.
fn cost(prices: &Prices, days: &[UsageDay], kept: Kept, window: Duration) -> CostBody {
    let number = |count: i64| i32::try_from(count).map_or(f64::from(i32::MAX), f64::from);
    let megabytes: i64 = days.iter().map(|day| day.bytes / 1_000_000).sum();
    let states = prices.per_state * number(days.iter().map(|day| day.states).sum());
    let bytes = prices.per_gigabyte * number(megabytes) / 1_000.0;
    let months = window.as_seconds_f64() / (30.0 * 86_400.0);
    let workspaces = prices.per_workspace_month * number(kept.workspaces) * months;
    let rounded = |amount: f64| (amount * 10_000.0).round() / 10_000.0;
    CostBody {
        currency: prices.currency.clone(),
        states: rounded(states),
        bytes: rounded(bytes),
        workspaces: rounded(workspaces),
        total: rounded(states + bytes + workspaces),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_month_unless_something_is_said() {
        let now = OffsetDateTime::from_unix_timestamp(1_000_000).unwrap();
        let (since, until) = window(None, now).unwrap();
        assert_eq!((until - since, until.unix_timestamp()), (WINDOW, 12 * 86_400));
        let code = |query| window(Some(query), now).map_err(|problem| problem.code()).map(drop);
        for query in [
            "since=1970-02-02T00:00:00Z",
            "until=1970-01-01T00:00:00Z&since=1970-01-01T00:00:00Z",
            "since=1968-01-01T00:00:00Z",
            "since=soon",
            "until=9999-12-31T23:59:59Z",
            "since=-9999-01-01T00:00:00Z",
        ] {
            let wanted = if query.starts_with("until=9999") { Ok(()) } else { Err(Code::FilterInvalid) };
            assert_eq!(code(query), wanted, "{query}");
        }
        assert_eq!(code("since=1970-01-02T00:00:00Z&until=1970-01-03T00:00:00Z"), Ok(()));
    }

    #[test]
    fn a_cost_is_prices_times_quantities() {
        let prices = Prices {
            currency: "EUR".to_owned(),
            per_state: 0.001,
            per_gigabyte: 0.05,
            per_workspace_month: 0.5,
        };
        let day = UsageDay {
            day: OffsetDateTime::UNIX_EPOCH,
            states: 1_500,
            bytes: 2_000_000_000,
            pii: 0,
            credential: 0,
            infrastructure: 0,
        };
        let kept = Kept { workspaces: 10, entities: 5 };
        let got = cost(&prices, &[day.clone(), day], kept, Duration::days(15));
        let expected =
            CostBody { currency: "EUR".to_owned(), states: 3.0, bytes: 0.2, workspaces: 2.5, total: 5.7 };
        assert_eq!(got, expected);
    }
}
