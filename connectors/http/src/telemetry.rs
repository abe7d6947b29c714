//! What the doors tell about themselves: each happening is one struct that emits its log line and its metric.
//!
//! Must never log or label with a URL, a query string, a body, a header's value, or anything else a client chose.
//! Labels are bounded: routes, statuses and codes are constants, tenants are those that proved to be one.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};
use terrasift_identity::Refused;
use terrasift_schemas::{TenantId, TraceParent};

use crate::config::HttpError;

/// Tenants with a series of their own; further ones share `other`. The scale the requirements aim at.
const TENANT_LABELS_MAX: usize = 1_000;
/// Seconds. Finer where the goals lie (50 and 200 ms); the last ones are long-polls.
const LATENCY_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 90.0];
/// Seconds. Finer where the goals lie (10 and 100 ms); the last ones are the waits for a connection and for an answer.
const DATABASE_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1,
    0.15, 0.2, 0.5, 1.0, 5.0, 30.0,
];

/// The metrics of the doors.
pub(crate) struct Telemetry {
    requests: IntCounterVec,
    tenant_requests: IntCounterVec,
    latency: HistogramVec,
    database: HistogramVec,
    deliveries: IntCounterVec,
    cross_tenant: IntCounterVec,
    letters: IntCounterVec,
    tokens: IntCounterVec,
    /// By kind, and what the cache did.
    pub(crate) cache_reads: IntCounterVec,
    pub(crate) in_flight: IntGauge,
    tenants: Mutex<HashSet<TenantId>>,
}

impl Telemetry {
    pub(crate) fn new(registry: &Registry) -> Result<Self, HttpError> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels).map_err(HttpError::Metrics)?;
            registry.register(Box::new(counter.clone())).map_err(HttpError::Metrics)?;
            Ok::<_, HttpError>(counter)
        };
        let histogram = |name: &str, help: &str, label: &str, buckets: &[f64]| {
            let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            let histogram = HistogramVec::new(opts, &[label]).map_err(HttpError::Metrics)?;
            registry.register(Box::new(histogram.clone())).map_err(HttpError::Metrics)?;
            Ok::<_, HttpError>(histogram)
        };
        let latency =
            histogram("terrasift_http_request_seconds", "time to answer", "route", LATENCY_BUCKETS)?;
        let database = histogram(
            "terrasift_database_seconds",
            "time until the database has answered a question of a request, the wait for a connection included",
            "operation",
            DATABASE_BUCKETS,
        )?;
        let in_flight = IntGauge::new("terrasift_http_requests_in_flight", "requests being answered")
            .map_err(HttpError::Metrics)?;
        registry.register(Box::new(in_flight.clone())).map_err(HttpError::Metrics)?;
        Ok(Self {
            requests: counter(
                "terrasift_http_requests_total",
                "requests answered",
                &["route", "status", "code"],
            )?,
            tenant_requests: counter(
                "terrasift_http_tenant_requests_total",
                "requests answered, by authenticated tenant",
                &["tenant", "class"],
            )?,
            latency,
            database,
            deliveries: counter(
                "terrasift_webhook_deliveries_total",
                "webhook deliveries, by outcome; `none` is a tenant that was not proven",
                &["tenant", "outcome"],
            )?,
            cross_tenant: counter(
                "terrasift_cross_tenant_attempts_total",
                "requests with what belongs to another tenant, by the tenant that asked",
                &["tenant", "what"],
            )?,
            letters: counter(
                "terrasift_dead_letter_decisions_total",
                "decisions about dead letters by the API, by what was asked and what came of it",
                &["tenant", "action", "outcome"],
            )?,
            tokens: counter(
                "terrasift_http_tokens_refused_total",
                "tokens that did not open the API, by reason",
                &["reason"],
            )?,
            cache_reads: counter(
                "terrasift_cache_reads_total",
                "reads of the API that may go through the cache, by what the cache did for them",
                &["kind", "outcome"],
            )?,
            in_flight,
            tenants: Mutex::new(HashSet::new()),
        })
    }

    /// Runs a question to the database and notes how long it took, also when it failed. One that is dropped is not noted.
    pub(crate) async fn timed<T>(&self, operation: &'static str, question: impl Future<Output = T>) -> T {
        let asked = Instant::now();
        let answer = question.await;
        self.database.with_label_values(&[operation]).observe(asked.elapsed().as_secs_f64());
        answer
    }

    /// As [`Telemetry::timed`], for a question that may outlive the request that began it: others wait for its answer, too.
    pub(crate) fn timed_apart<T>(
        &self,
        operation: &'static str,
        question: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let database = self.database.clone();
        async move {
            let asked = Instant::now();
            let answer = question.await;
            database.with_label_values(&[operation]).observe(asked.elapsed().as_secs_f64());
            answer
        }
    }

    /// The tenant's label: its id, or `other` when there are too many.
    fn label<'a>(&self, tenant: Option<&'a TenantId>) -> &'a str {
        let Some(tenant) = tenant else { return "none" };
        let mut known = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(tenant) {
            if known.len() >= TENANT_LABELS_MAX {
                return "other";
            }
            known.insert(tenant.clone());
        }
        tenant.as_str()
    }
}

/// A request was answered: the security log's line.
pub(crate) struct RequestAnswered<'a> {
    pub route: &'a str,
    pub method: &'static str,
    pub status: u16,
    pub code: &'static str,
    pub tenant: Option<&'a TenantId>,
    pub trace: &'a TraceParent,
    pub took: Duration,
}

impl RequestAnswered<'_> {
    pub(crate) fn emit(&self, telemetry: &Telemetry) {
        let (tenant, status) = (telemetry.label(self.tenant), self.status.to_string());
        telemetry.requests.with_label_values(&[self.route, &status, self.code]).inc();
        telemetry.latency.with_label_values(&[self.route]).observe(self.took.as_secs_f64());
        if self.tenant.is_some() {
            let class = match self.status {
                ..400 => "ok",
                400..500 => "refused",
                500.. => "failed",
            };
            telemetry.tenant_requests.with_label_values(&[tenant, class]).inc();
        }
        let tenant = self.tenant.map_or("", TenantId::as_str);
        let took_us = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        let trace_id = self.trace.trace_id();
        let (route, method, status, code) = (self.route, self.method, self.status, self.code);
        if status >= 500 {
            tracing::warn!(route, method, status, code, tenant, took_us, trace_id, "request failed");
        } else {
            tracing::info!(route, method, status, code, tenant, took_us, trace_id, "request answered");
        }
    }
}

/// A token opened nothing. Its sender is not told why.
pub(crate) struct TokenRefused<'a> {
    pub reason: Refused,
    pub trace: Option<&'a TraceParent>,
}

impl TokenRefused<'_> {
    pub(crate) fn emit(&self, telemetry: &Telemetry) {
        let reason = self.reason.code();
        telemetry.tokens.with_label_values(&[reason]).inc();
        let trace_id = self.trace.map(TraceParent::trace_id).unwrap_or_default();
        tracing::info!(reason, trace_id, "token refused");
    }
}

/// A webhook delivery was decided.
pub(crate) struct DeliveryDecided<'a> {
    pub tenant: Option<&'a TenantId>,
    pub outcome: &'static str,
    pub trace: &'a TraceParent,
}

impl DeliveryDecided<'_> {
    pub(crate) fn emit(&self, telemetry: &Telemetry) {
        telemetry.deliveries.with_label_values(&[telemetry.label(self.tenant), self.outcome]).inc();
        let tenant = self.tenant.map_or("", TenantId::as_str);
        let (outcome, trace_id) = (self.outcome, self.trace.trace_id());
        tracing::info!(tenant, outcome, trace_id, "webhook delivery decided");
    }
}

/// Somebody decided about a dead letter: the audit's line. Who it was stands in the letter's row.
pub(crate) struct LetterDecided<'a> {
    pub tenant: &'a TenantId,
    pub letter: i64,
    pub action: &'static str,
    pub outcome: &'static str,
    pub trace: &'a TraceParent,
}

impl LetterDecided<'_> {
    pub(crate) fn emit(&self, telemetry: &Telemetry) {
        let (action, outcome) = (self.action, self.outcome);
        telemetry.letters.with_label_values(&[telemetry.label(Some(self.tenant)), action, outcome]).inc();
        let (tenant, letter, trace_id) = (self.tenant.as_str(), self.letter, self.trace.trace_id());
        tracing::info!(tenant, letter, action, outcome, trace_id, "dead letter decided");
    }
}

/// Somebody authenticated used what belongs to another tenant.
pub(crate) struct CrossTenantAttempt<'a> {
    pub tenant: &'a TenantId,
    pub what: &'static str,
    pub trace: &'a TraceParent,
}

impl CrossTenantAttempt<'_> {
    pub(crate) fn emit(&self, telemetry: &Telemetry) {
        telemetry.cross_tenant.with_label_values(&[telemetry.label(Some(self.tenant)), self.what]).inc();
        let (tenant, what, trace_id) = (self.tenant.as_str(), self.what, self.trace.trace_id());
        tracing::warn!(tenant, what, trace_id, security = true, "cross-tenant attempt");
    }
}

/// Storage or Kafka refused what a request needed. `error` must be one of our own types, which hold no values.
pub(crate) struct BackendFailed<'a> {
    pub what: &'static str,
    pub error: &'a dyn std::fmt::Display,
    pub trace: &'a TraceParent,
}

impl BackendFailed<'_> {
    pub(crate) fn emit(&self) {
        let trace_id = self.trace.trace_id();
        tracing::warn!(what = self.what, error = %self.error, trace_id, "a backend failed a request");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_labels_are_bounded() {
        let telemetry = Telemetry::new(&Registry::new()).unwrap();
        let tenants: Vec<_> =
            (0..TENANT_LABELS_MAX + 5).map(|n| TenantId::parse(&format!("t{n}")).unwrap()).collect();
        let own = tenants.iter().filter(|tenant| telemetry.label(Some(tenant)) == tenant.as_str()).count();
        assert_eq!(own, TENANT_LABELS_MAX);
        assert_eq!(telemetry.label(tenants.last()), "other");
        assert_eq!(telemetry.label(None), "none");
    }

    #[test]
    fn one_registry_takes_one_set_of_metrics() {
        let registry = Registry::new();
        assert!(Telemetry::new(&registry).is_ok());
        assert!(matches!(Telemetry::new(&registry), Err(HttpError::Metrics(_))));
    }
}
