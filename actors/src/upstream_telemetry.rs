//! What happened between us and Terraform Cloud: the budget, the breakers, the tokens. Log line and metric in one place.
//!
//! Must never carry a token or its fingerprint: a token is its place in the tenant's list.

use std::time::Duration;

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use terrasift_schemas::TenantId;
use time::Date;

use crate::token_rotation::{RotationState, TokenRotation};

/// Where it goes.
#[derive(Clone)]
pub(crate) struct UpstreamTelemetry {
    rate_limited: IntCounter,
    budgets_alone: IntGauge,
    breakers: IntGaugeVec,
    tokens_refused: IntCounterVec,
    token_days_left: IntGaugeVec,
    token_rotation: IntGaugeVec,
}

impl UpstreamTelemetry {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauges.clone()))?;
            Ok::<_, prometheus::Error>(gauges)
        };
        let rate_limited =
            IntCounter::new("terrasift_rate_limited_total", "answers of Terraform Cloud with status 429")?;
        let budgets_alone = IntGauge::new(
            "terrasift_rate_budgets_alone",
            "Terraform Cloud users whose budget this replica cannot share now: Redis does not answer",
        )?;
        let tokens_refused = IntCounterVec::new(
            Opts::new(
                "terrasift_tokens_refused_total",
                "tokens that Terraform Cloud refused with status 401",
            ),
            &["tenant", "token"],
        )?;
        registry.register(Box::new(rate_limited.clone()))?;
        registry.register(Box::new(budgets_alone.clone()))?;
        registry.register(Box::new(tokens_refused.clone()))?;
        Ok(Self {
            rate_limited,
            budgets_alone,
            breakers: gauges(
                "terrasift_breaker_open",
                "1 while a tenant's upstream does not answer and its workspaces are marked stale",
                &["tenant"],
            )?,
            tokens_refused,
            token_days_left: gauges(
                "terrasift_token_rotation_days_left",
                "days until a token has to be replaced by its policy; negative: overdue",
                &["tenant", "token"],
            )?,
            token_rotation: gauges(
                "terrasift_token_rotation_alert",
                "1: a token has to be replaced soon, 2: now",
                &["tenant", "token"],
            )?,
        })
    }

    /// The server answered 429: the gate is closed for all replicas.
    pub(crate) fn rate_limited(&self, user: &str, wait: Duration) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(user, wait_ms, "over the rate limit of terraform cloud, nobody asks as this user");
        self.rate_limited.inc();
    }

    /// Of so many users this replica takes a safe part by itself.
    pub(crate) fn budgets_alone(&self, users: usize) {
        self.budgets_alone.set(i64::try_from(users).unwrap_or(i64::MAX));
    }

    /// A tenant's breaker has opened or closed.
    pub(crate) fn breaker(&self, tenant: &TenantId, open: bool) {
        if open {
            tracing::error!(tenant = tenant.as_str(), "the upstream does not answer, the breaker opens");
        } else {
            tracing::info!(tenant = tenant.as_str(), "the upstream answers, the breaker is closed");
        }
        self.breakers.with_label_values(&[tenant.as_str()]).set(i64::from(open));
    }

    /// Workspaces were marked stale, or fresh again.
    pub(crate) fn marked(&self, tenant: &TenantId, stale: bool, workspaces: u64) {
        tracing::info!(tenant = tenant.as_str(), stale, workspaces, "workspaces marked");
    }

    /// They could not be marked; it is tried again.
    pub(crate) fn mark_failed(&self, tenant: &TenantId, error: &dyn std::error::Error) {
        tracing::warn!(tenant = tenant.as_str(), error = %error, "workspaces could not be marked");
    }

    /// A token was refused; the next one serves from now on.
    pub(crate) fn token_refused(&self, tenant: &TenantId, token: usize) {
        tracing::error!(tenant = tenant.as_str(), token, "terraform cloud refused a token: replace it");
        self.tokens_refused.with_label_values(&[tenant.as_str(), &token.to_string()]).inc();
    }

    /// How a token stands by its policy.
    pub(crate) fn token_rotation(
        &self,
        tenant: &TenantId,
        token: usize,
        rotation: &TokenRotation,
        today: Date,
    ) {
        let days_left = rotation.days_left(today);
        let alert = match rotation.state(today) {
            RotationState::Fresh => 0,
            RotationState::DueSoon => {
                tracing::warn!(tenant = tenant.as_str(), token, days_left, "a token has to be replaced soon");
                1
            }
            RotationState::Overdue => {
                tracing::error!(tenant = tenant.as_str(), token, days_left, "a token has to be replaced");
                2
            }
        };
        let labels = [tenant.as_str(), &token.to_string()];
        self.token_days_left.with_label_values(&labels).set(days_left);
        self.token_rotation.with_label_values(&labels).set(alert);
    }
}
