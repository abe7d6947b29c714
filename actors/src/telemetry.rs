//! What happened: one struct an event emits its log line, its metric and, for who watches, its report.
//!
//! Must never carry a value, a URL or a body: ids, codes and counts only.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use terrasift_schemas::detection::Category;
use terrasift_schemas::event::FailureReason;
use terrasift_schemas::{TenantId, TraceParent, WorkspaceId};
use tokio::sync::broadcast;

use crate::upstream_telemetry::UpstreamTelemetry;

/// Reports that a slow watcher may lag behind before it loses some.
const REPORTS_MAX: usize = 16_384;

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncEnd {
    /// Entities were written.
    Applied,
    /// The catalog has this version already.
    Unchanged,
    /// Something newer was there already.
    Stale,
    /// Upstream does not show the workspace: noted, and asked again later.
    Suspected,
    /// Upstream still does not show it: its entities are removed.
    Removed,
    /// Another replica owns the workspace now.
    Fenced,
    /// Tried again later.
    Deferred(FailureReason),
    /// Given up: a dead letter.
    Parked(FailureReason),
}

impl SyncEnd {
    /// The code in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Stale => "stale",
            Self::Suspected => "suspected",
            Self::Removed => "removed",
            Self::Fenced => "fenced",
            Self::Deferred(_) => "deferred",
            Self::Parked(_) => "parked",
        }
    }

    fn reason(self) -> Option<FailureReason> {
        match self {
            Self::Deferred(reason) | Self::Parked(reason) => Some(reason),
            Self::Applied
            | Self::Unchanged
            | Self::Stale
            | Self::Suspected
            | Self::Removed
            | Self::Fenced => None,
        }
    }
}

/// A sync has ended.
#[derive(Debug, Clone)]
pub struct SyncEnded {
    /// Whose.
    pub tenant: TenantId,
    /// Which workspace.
    pub workspace: WorkspaceId,
    /// How.
    pub end: SyncEnd,
    /// What went wrong, where something did: a constant text.
    pub failure: Option<String>,
    /// State bytes read.
    pub bytes_in: u64,
    /// Entities written and removed.
    pub upserts: usize,
    /// Entities removed.
    pub removals: usize,
    /// Findings by category.
    pub detections: Vec<(Category, u64)>,
    /// From the event's time to the commit.
    pub age: Duration,
    /// The trace it belongs to.
    pub trace: Option<TraceParent>,
}

/// Where telemetry goes.
#[derive(Clone)]
pub struct Telemetry {
    syncs: IntCounterVec,
    sync_age: HistogramVec,
    state_bytes: IntCounterVec,
    detections: IntCounterVec,
    records: IntCounterVec,
    restarts: IntCounterVec,
    rule_reloads: IntCounterVec,
    leak_looks: IntCounterVec,
    leaks: IntGaugeVec,
    leaks_looked_at: IntGauge,
    waiting: IntGaugeVec,
    /// Budget, breakers and tokens.
    pub(crate) upstream: UpstreamTelemetry,
    reports: broadcast::Sender<SyncEnded>,
}

impl Telemetry {
    /// Registers the metrics.
    ///
    /// # Errors
    /// When a name is taken already.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let sync_age = HistogramVec::new(
            HistogramOpts::new(
                "terrasift_sync_age_seconds",
                "from an event's time to its effect in the catalog",
            )
            .buckets(vec![0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0]),
            &["tenant"],
        )?;
        registry.register(Box::new(sync_age.clone()))?;
        let gauge = |name: &str, help: &str, label: &str| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let leaks_looked_at = IntGauge::new(
            "terrasift_leak_look_timestamp_seconds",
            "when the last look for leaks over all tenants was done, in Unix time",
        )?;
        registry.register(Box::new(leaks_looked_at.clone()))?;
        Ok(Self {
            syncs: counter("terrasift_syncs_total", "syncs by how they ended", &["tenant", "end", "reason"])?,
            sync_age,
            state_bytes: counter("terrasift_state_bytes_total", "bytes of state read", &["tenant"])?,
            detections: counter(
                "terrasift_detections_total",
                "redactions by category",
                &["tenant", "category"],
            )?,
            records: counter("terrasift_records_total", "Kafka records by outcome", &["topic", "outcome"])?,
            restarts: counter("terrasift_actor_restarts_total", "actors that crashed", &["actor"])?,
            rule_reloads: counter(
                "terrasift_rule_reloads_total",
                "changed rule files by what became of them",
                &["outcome"],
            )?,
            leak_looks: counter(
                "terrasift_leak_looks_total",
                "looks for leaks over all tenants, by whether they could be made",
                &["outcome"],
            )?,
            leaks_looked_at,
            leaks: gauge("terrasift_leaks", "rows that the last look found where they must not be", "kind")?,
            waiting: gauge(
                "terrasift_workspaces_waiting",
                "dirty workspaces that wait for their turn",
                "tenant",
            )?,
            upstream: UpstreamTelemetry::new(registry)?,
            reports: broadcast::channel(REPORTS_MAX).0,
        })
    }

    /// Follows the syncs from here on. Who lags too far behind loses reports.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<SyncEnded> {
        self.reports.subscribe()
    }

    /// A sync has ended.
    pub fn sync_ended(&self, sync: SyncEnded) {
        let tenant = sync.tenant.as_str();
        let reason = sync.end.reason().map_or("", FailureReason::as_str);
        tracing::info!(
            tenant,
            workspace = %sync.workspace,
            end = sync.end.as_str(),
            reason,
            failure = sync.failure.as_deref(),
            bytes = sync.bytes_in,
            upserts = sync.upserts,
            removals = sync.removals,
            age_ms = u64::try_from(sync.age.as_millis()).unwrap_or(u64::MAX),
            trace_id = sync.trace.map(|trace| trace.trace_id()),
            "sync ended"
        );
        self.syncs.with_label_values(&[tenant, sync.end.as_str(), reason]).inc();
        self.state_bytes.with_label_values(&[tenant]).inc_by(sync.bytes_in);
        for (category, count) in &sync.detections {
            self.detections.with_label_values(&[tenant, category.as_str()]).inc_by(*count);
        }
        if sync.end == SyncEnd::Applied {
            self.sync_age.with_label_values(&[tenant]).observe(sync.age.as_secs_f64());
        }
        // Nobody watching is no error.
        let _ = self.reports.send(sync);
    }

    /// Records of a topic were taken in, rejected, or sent on.
    pub fn records(&self, topic: &str, outcome: &'static str, count: usize) {
        if count > 0 {
            tracing::debug!(topic, outcome, count, "records");
            self.records
                .with_label_values(&[topic, outcome])
                .inc_by(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    /// The group says that a partition is ours, and somebody else has claimed it: it is claimed anew.
    pub fn claimed_anew(&self, partition: i32) {
        tracing::warn!(partition, "a partition of ours was claimed by another: it is claimed anew");
        self.records.with_label_values(&["", "claimed_anew"]).inc();
    }

    /// The brokers do not answer, or not as they should; the consumer goes on by itself.
    pub fn brokers_failed(&self, error: &dyn std::error::Error) {
        tracing::warn!(error = %error, "the consumer has trouble with the brokers");
        self.records.with_label_values(&["", "broker_fault"]).inc();
    }

    /// A part of a batch could not be done now and is tried again.
    pub fn ledger_retried(&self, what: &'static str, error: &dyn std::error::Error, attempt: u32) {
        tracing::warn!(what, error = %error, attempt, "the ledger is tried again");
        self.records.with_label_values(&["", "ledger_retried"]).inc();
    }

    /// An actor crashed.
    pub fn crashed(&self, actor: &'static str, tenant: Option<&TenantId>, restarts: bool) {
        tracing::error!(actor, tenant = tenant.map(TenantId::as_str), restarts, "an actor crashed");
        self.restarts.with_label_values(&[actor]).inc();
    }

    /// A sync made no progress for too long, and is ended.
    pub fn stuck(&self, tenant: &TenantId) {
        tracing::error!(tenant = tenant.as_str(), "a sync is stuck and is ended");
        self.restarts.with_label_values(&["stuck"]).inc();
    }

    /// How many workspaces of a tenant wait.
    pub fn waiting(&self, tenant: &TenantId, count: usize) {
        self.waiting.with_label_values(&[tenant.as_str()]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A tenant has other rules from here on.
    pub fn rules_applied(&self, tenant: &TenantId, rule_set: u32) {
        tracing::info!(tenant = tenant.as_str(), rule_set, "rules changed");
        self.rule_reloads.with_label_values(&["applied"]).inc();
    }

    /// A changed rule file is refused, and the rules before it stay. The error names file, line and reason, never a value.
    pub fn rules_refused(&self, error: &dyn std::error::Error) {
        tracing::error!(error = %error, "a rule file is refused, the rules before it stay");
        self.rule_reloads.with_label_values(&["refused"]).inc();
    }

    /// Good rules could not be taken now: the next look at the files tries again.
    pub fn rules_deferred(&self, tenant: &TenantId, error: &dyn std::error::Error) {
        tracing::warn!(tenant = tenant.as_str(), error = %error, "changed rules wait for the database");
        self.rule_reloads.with_label_values(&["deferred"]).inc();
    }

    /// Leaks over all tenants were looked for, at this time: rows of each kind, also where there are none.
    pub fn leaks_looked_for(&self, at_unix_s: i64, kinds: impl IntoIterator<Item = (&'static str, i64)>) {
        self.leaks_looked_at.set(at_unix_s);
        self.leak_looks.with_label_values(&["done"]).inc();
        for (kind, rows) in kinds {
            self.leaks.with_label_values(&[kind]).set(rows);
        }
    }

    /// A leak: of a tenant, or by a table, policy or role.
    pub fn leak_found(&self, kind: &'static str, subject: &str, rows: i64) {
        tracing::error!(kind, subject, rows, "a leak between tenants was found: see docs/security.md");
    }

    /// Leaks could not be looked for; the next look comes.
    pub fn leaks_not_looked_for(&self, error: &dyn std::error::Error) {
        tracing::error!(error = %error, "leaks between tenants could not be looked for");
        self.leak_looks.with_label_values(&["failed"]).inc();
    }

    /// A reconciliation has ended.
    pub fn reconciled(&self, tenant: &TenantId, listed: usize, changed: usize) {
        tracing::info!(tenant = tenant.as_str(), listed, changed, "reconciled");
    }

    /// A reconciliation could not be finished; the next one will.
    pub fn reconcile_failed(&self, tenant: &TenantId, error: &dyn std::error::Error) {
        tracing::warn!(tenant = tenant.as_str(), error = %error, "reconciliation failed");
    }

    /// A dead letter's record could not be sent now: its row keeps it for a later try.
    pub fn letter_not_published(&self, tenant: &TenantId, error: &dyn std::error::Error) {
        tracing::warn!(tenant = tenant.as_str(), error = %error, "a dead letter's record is not sent yet");
        self.records.with_label_values(&["", "letter_not_published"]).inc();
    }

    /// The outbox could not be read or noted now: the next look tries again.
    pub fn outbox_unreadable(&self, error: &dyn std::error::Error) {
        tracing::warn!(error = %error, "the outbox of dead letters is tried again");
        self.records.with_label_values(&["", "outbox_retried"]).inc();
    }
}
