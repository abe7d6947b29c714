//! The Kafka contract: three topics, CloudEvents 1.0 in binary mode, keys of ids that never change.
//!
//! The types stand here, their wire form in [`codec`]. Must never carry a payload with state in it.

mod codec;

pub use codec::{RecordView, RejectReason, decode};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ids::{OrganizationName, RunId, StateVersionId, TenantId, WorkspaceId};
use crate::trace::TraceParent;

/// Topic of workspaces seen by a scan, a webhook or by hand.
pub const WORKSPACE_DISCOVERED_TOPIC: &str = "terraform-workspace-discovered";
/// Topic of changed states: the one whose partitions decide who owns a workspace's work.
pub const STATE_UPDATED_TOPIC: &str = "terraform-state-updated";
/// Topic of dead letters.
pub const SANITIZATION_FAILED_TOPIC: &str = "sanitization-failed";

/// CloudEvents `type` on [`WORKSPACE_DISCOVERED_TOPIC`]. Versioned: an incompatible change is a new type.
pub const WORKSPACE_DISCOVERED_TYPE: &str = "io.terrasift.workspace.discovered.v1";
/// CloudEvents `type` on [`STATE_UPDATED_TOPIC`].
pub const STATE_UPDATED_TYPE: &str = "io.terrasift.state.updated.v1";
/// CloudEvents `type` on [`SANITIZATION_FAILED_TOPIC`].
pub const SANITIZATION_FAILED_TYPE: &str = "io.terrasift.sanitization.failed.v1";

/// How urgent a sync is. Ordered: `High` is the greatest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Reconciliation and bulk work.
    Low,
    /// A webhook.
    #[default]
    Normal,
    /// A person waits.
    High,
}

impl Priority {
    /// As stored: 0 low, 1 normal, 2 high.
    #[must_use]
    pub fn rank(self) -> i16 {
        match self {
            Self::Low => 0,
            Self::Normal => 1,
            Self::High => 2,
        }
    }

    /// From the stored rank; what is unknown counts as normal.
    #[must_use]
    pub fn from_rank(rank: i16) -> Self {
        match rank {
            i16::MIN..=0 => Self::Low,
            1 => Self::Normal,
            2.. => Self::High,
        }
    }
}

/// Who saw a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiscoverySource {
    /// A scan of a GitHub organisation.
    GithubScan,
    /// A webhook.
    Webhook,
    /// The reconciler.
    Reconcile,
    /// A person.
    Manual,
}

/// Data of `terraform-workspace-discovered`: a workspace was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceDiscovered {
    /// Tenant that owns the workspace.
    pub tenant: TenantId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Organization that holds it, where the producer knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationName>,
    /// Who saw it.
    pub source: DiscoverySource,
}

/// Data of `terraform-state-updated`: a workspace's state may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateUpdated {
    /// Tenant that owns the workspace.
    pub tenant: TenantId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Run that changed the state, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// When it changed (RFC 3339).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub time: OffsetDateTime,
    /// How urgent the sync is.
    #[serde(default)]
    pub priority: Priority,
    /// State version, where the producer knows it (a webhook does not).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_version: Option<StateVersionId>,
    /// Lineage, where the producer knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// Serial, where the producer knows it; not negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
}

/// Where a Kafka record stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordPosition {
    /// Topic.
    pub topic: String,
    /// Partition, from 0.
    pub partition: i32,
    /// Offset, from 0.
    pub offset: i64,
}

/// Why something became a dead letter. Constant codes: they are API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The record does not fit its schema.
    InvalidRecord,
    /// The tenant is not declared here.
    UnknownTenant,
    /// Terraform Cloud answers 404: gone, or not allowed.
    WorkspaceNotFound,
    /// No token was accepted.
    Unauthorized,
    /// The upstream answered what it should not, or not at all, too often.
    UpstreamFailed,
    /// The download was refused by the guard (redirect to a private address, foreign origin).
    DownloadRefused,
    /// The state was refused: not JSON, wrong version, truncated.
    StateRefused,
    /// The sanitizer could not decide: a person reviews.
    Undecidable,
    /// The workspace's actor panicked too often.
    Panicked,
    /// Storage failed too often.
    StorageFailed,
}

impl FailureReason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::InvalidRecord,
        Self::UnknownTenant,
        Self::WorkspaceNotFound,
        Self::Unauthorized,
        Self::UpstreamFailed,
        Self::DownloadRefused,
        Self::StateRefused,
        Self::Undecidable,
        Self::Panicked,
        Self::StorageFailed,
    ];

    /// The reason of a code; `None`: it comes from a version that knows more.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
    }

    /// The code as it stands in topics, rows and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRecord => "invalid_record",
            Self::UnknownTenant => "unknown_tenant",
            Self::WorkspaceNotFound => "workspace_not_found",
            Self::Unauthorized => "unauthorized",
            Self::UpstreamFailed => "upstream_failed",
            Self::DownloadRefused => "download_refused",
            Self::StateRefused => "state_refused",
            Self::Undecidable => "undecidable",
            Self::Panicked => "panicked",
            Self::StorageFailed => "storage_failed",
        }
    }
}

/// Data of `sanitization-failed`: a dead letter. The row in Postgres is its truth, the topic its outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SanitizationFailed {
    /// Tenant that owns the workspace; absent when the record did not name a known one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The workspace; absent when the record did not name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceId>,
    /// Why.
    pub reason: FailureReason,
    /// What and where, never a value; at most 1 KiB.
    pub detail: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The original record, where one led here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordPosition>,
    /// When it was given up (RFC 3339).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub time: OffsetDateTime,
}

/// One of the three events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A workspace was seen.
    WorkspaceDiscovered(WorkspaceDiscovered),
    /// A state changed.
    StateUpdated(StateUpdated),
    /// Something was given up.
    SanitizationFailed(SanitizationFailed),
}

/// An event with its CloudEvents attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `id`: unique per `source`.
    pub id: String,
    /// `source`: URI reference of the producer.
    pub source: String,
    /// `time`: when it was produced.
    pub time: Option<OffsetDateTime>,
    /// The trace it belongs to (CloudEvents' distributed tracing extension).
    pub trace: Option<TraceParent>,
    /// `type` and `data`.
    pub event: Event,
}

/// A Kafka record, encoded: what a producer sends and a consumer gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRecord {
    /// Topic.
    pub topic: &'static str,
    /// `tenant/workspace`.
    pub key: String,
    /// CloudEvents attributes with the `ce_` prefix, `content-type`, `traceparent`.
    pub headers: Vec<(&'static str, String)>,
    /// JSON data.
    pub value: Vec<u8>,
}
