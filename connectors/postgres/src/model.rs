//! The rows and requests of the store, as typed values.
//!
//! Owns shapes only. Must never hold a raw value of a state: entities come in sealed, everything else is ids, counts
//! and positions.

use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::detection::{Action, Category, Report};
use terrasift_schemas::event::{FailureReason, Priority, RecordPosition};
use terrasift_schemas::{
    EntityRef, PipelineVersion, RunId, Sanitized, StateVersionId, TenantId, TenantSlug, TraceParent,
    WorkspaceId,
};
use time::OffsetDateTime;

/// The generation of a partition's ownership; grows by one with every claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

/// A declared tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRow {
    /// For ever.
    pub id: TenantId,
    /// May change.
    pub slug: TenantSlug,
}

/// A workspace is wanted: one event of the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMark {
    /// Tenant that owns the workspace.
    pub tenant: TenantId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Event time.
    pub since: OffsetDateTime,
    /// How urgent.
    pub priority: Priority,
    /// Trace of the event.
    pub trace: Option<TraceParent>,
    /// CloudEvents id, for people who search; cut to 256 bytes.
    pub event_id: String,
}

/// A durable dirty mark: this workspace is to be synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Tenant that owns the workspace.
    pub tenant: TenantId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Partition of `terraform-state-updated` whose owner works on it.
    pub partition: i32,
    /// Changes with every event, never repeats (also not after the mark was cleared): whoever clears or defers names
    /// the generation that was served.
    pub generation: i64,
    /// Event time of the oldest event that is not served.
    pub since: OffsetDateTime,
    /// Greatest priority asked for.
    pub priority: Priority,
    /// Not to be tried before; `None` is at once.
    pub not_before: Option<OffsetDateTime>,
    /// Failed tries since the last event.
    pub attempts: u32,
    /// Trace of the newest event.
    pub trace: Option<TraceParent>,
}

/// What [`crate::Store::mark_dirty`] stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// One a workspace, coalesced, by tenant and workspace.
    pub marks: Vec<Mark>,
    /// Indexes into the input whose tenant is not declared: they were not stored.
    pub unknown_tenants: Vec<usize>,
}

/// What became of a mark that was to be cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// It is gone.
    Gone,
    /// A newer event came, or somebody cleared it before: what is there stays.
    Newer,
    /// The epoch is gone: nothing was written for it.
    Fenced,
}

/// The right to read a workspace's current state and to write what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadTicket {
    /// Drawn from the workspace's row; later reads draw greater numbers.
    pub read_seq: i64,
    /// Which of the workspace's writes the catalog shows now. The diff must be made against digests read *after* this
    /// ticket; the commit hands it back in [`WorkspaceCommit::basis`].
    pub basis: i64,
    /// What the catalog shows now; `None` before the first commit.
    pub known: Option<KnownVersion>,
    /// An earlier answer said that the workspace does not exist.
    pub missing: bool,
}

/// Which state, through which pipeline, the catalog shows for a workspace.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KnownVersion {
    /// The state's lineage (a UUID, or a digest of what stands in its place).
    pub lineage: [u8; 16],
    /// Serial within the lineage.
    pub serial: i64,
    /// Rules and extractor.
    pub pipeline: PipelineVersion,
    /// State version, where known.
    pub state_version: Option<StateVersionId>,
}

/// One workspace's effect. No Debug: it holds a catalog's bodies.
#[derive(Clone)]
pub struct WorkspaceCommit {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Partition under whose epoch the work was done.
    pub partition: i32,
    /// The epoch.
    pub epoch: Epoch,
    /// [`Mark::generation`] that this serves.
    pub mark_generation: i64,
    /// [`ReadTicket::read_seq`].
    pub read_seq: i64,
    /// [`ReadTicket::basis`].
    pub basis: i64,
    /// What was read.
    pub version: KnownVersion,
    /// New and changed entities.
    pub upserts: Vec<Sanitized<RenderedEntity>>,
    /// Entities that are gone.
    pub removals: Vec<EntityRef>,
    /// The sanitizer's findings.
    pub report: Report,
    /// Resource instances in the state.
    pub resource_count: i64,
    /// Bytes of the state.
    pub bytes_in: i64,
    /// Run that led here, where known.
    pub run: Option<RunId>,
    /// Trace.
    pub trace: Option<TraceParent>,
}

/// What became of a workspace that upstream says it does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalOutcome {
    /// The catalog never had it: nothing was written, and the mark is kept.
    Unknown,
    /// Noted for the first time, or not long enough ago.
    Suspected,
    /// Confirmed: its entities are tombstones, up to `change_seq` of the tenant's feed.
    Removed {
        /// Last position written.
        change_seq: i64,
        /// How many.
        entities: u64,
    },
    /// Removed before, or shown to a later read.
    Settled,
}

/// What became of a [`WorkspaceCommit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Written; the tenant's feed reaches `change_seq`. Mark cleared unless a newer event came.
    Applied {
        /// Position of the last change of the batch that this commit was part of.
        change_seq: i64,
    },
    /// The catalog already shows exactly this version: nothing written, mark cleared unless a newer event came.
    NoChange,
    /// The catalog shows something newer: nothing written, mark cleared unless a newer event came.
    Stale,
    /// Newer, but the catalog moved since the ticket, so the diff was made against what is no longer there: nothing
    /// written, mark kept. Draw a new ticket and diff again.
    Rebase,
    /// The epoch is gone: nothing written, mark kept for the partition's new owner.
    Fenced,
}

/// Id of a dead letter, unique over all tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId(pub i64);

/// A dead letter to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// Tenant; must be declared.
    pub tenant: TenantId,
    /// Workspace, where the record named one.
    pub workspace: Option<WorkspaceId>,
    /// Why.
    pub reason: FailureReason,
    /// What and where, never a value; cut to 1 KiB.
    pub detail: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The original record, where one led here.
    pub record: Option<RecordPosition>,
    /// Trace.
    pub trace: Option<TraceParent>,
}

/// What became of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterState {
    /// Waits for somebody.
    Open,
    /// Its workspace is being synced anew; a failure for the same reason opens it again.
    Retried,
    /// Taken out by somebody.
    Discarded,
    /// The workspace was synced since.
    Closed,
}

impl LetterState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Retried, Self::Discarded, Self::Closed];

    /// The code in rows, answers and filters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
            Self::Closed => "closed",
        }
    }

    /// The state of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == code)
    }
}

/// Who decided something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: OffsetDateTime,
    /// Who: an API key by its name, a person by the command line, or the sync that succeeded.
    pub by: String,
}

/// A dead letter. One a workspace and reason is open: further failures refresh it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Id.
    pub id: DeadLetterId,
    /// What became of it.
    pub state: LetterState,
    /// Workspace, where known.
    pub workspace: Option<WorkspaceId>,
    /// Code of [`FailureReason`].
    pub reason: String,
    /// What and where.
    pub detail: String,
    /// How often it was tried, the last time it was parked.
    pub attempts: u32,
    /// The original record, where one led here.
    pub record: Option<RecordPosition>,
    /// Trace.
    pub trace: Option<TraceParent>,
    /// When it was first parked.
    pub parked_at: OffsetDateTime,
    /// When it was last parked.
    pub last_at: OffsetDateTime,
    /// How often it was parked.
    pub occurrences: i64,
    /// How often a retry was asked for.
    pub retries: i64,
    /// The last retry.
    pub retried: Option<Decision>,
    /// The discard, or the sync that closed it.
    pub settled: Option<Decision>,
    /// Its record on `sanitization-failed` is still to be sent.
    pub announce_due: bool,
    /// Its retry is still to be sent to `terraform-state-updated`.
    pub retry_due: bool,
}

/// Which dead letters are wanted. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// In this state.
    pub state: Option<LetterState>,
    /// For this reason.
    pub reason: Option<FailureReason>,
    /// Of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Last parked at this time or later.
    pub since: Option<OffsetDateTime>,
}

/// What came of a decision about a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterVerdict {
    /// Done.
    Done,
    /// It was so already: nothing written, and no second effect.
    Already,
    /// Refused: it is discarded or closed.
    Settled,
    /// Refused: it names no workspace to sync.
    NoWorkspace,
}

/// A decision about a letter, and the letter after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What came of it.
    pub verdict: LetterVerdict,
    /// As it stands now.
    pub letter: DeadLetter,
}

/// A letter with something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxLetter {
    /// Whose.
    pub tenant: TenantId,
    /// `announce_due` and `retry_due` say what is to be sent.
    pub letter: DeadLetter,
}

/// A record that no tenant can be found for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnroutedRecord {
    /// Where it stands.
    pub position: RecordPosition,
    /// Why.
    pub reason: FailureReason,
    /// What and where, never a value; cut to 1 KiB.
    pub detail: String,
}

/// The end of a tenant's feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedHead {
    /// Generation of the feed: another one makes all cursors void.
    pub epoch: i64,
    /// Last allocated position; 0 when nothing was ever written.
    pub seq: i64,
}

/// The newest change of one entity.
#[derive(Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Position.
    pub seq: i64,
    /// Entity.
    pub entity_ref: EntityRef,
    /// Whether it is gone.
    pub deleted: bool,
    /// JSON exactly as the engine rendered it; `None` when deleted.
    pub body: Option<String>,
}

/// A live entity.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EntityRow {
    /// JSON exactly as the engine rendered it.
    pub body: String,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    /// Position of its last change.
    pub seq: i64,
}

/// How a workspace stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkspaceStatus {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// What the catalog shows; `None` before the first commit.
    pub version: Option<KnownVersion>,
    /// When the catalog was last known to be right.
    #[serde(with = "time::serde::rfc3339::option")]
    pub synced_at: Option<OffsetDateTime>,
    /// Code of the reason why it is stale; `None` is fresh.
    pub stale: Option<String>,
    /// Resource instances in the state.
    pub resource_count: i64,
    /// Bytes of the state.
    pub bytes_in: i64,
}

/// The audit record of one sanitized state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Id, unique over all tenants.
    pub id: i64,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// When it was committed.
    pub at: OffsetDateTime,
    /// What was sanitized, by which rules.
    pub version: KnownVersion,
    /// Number of detections by category, including those that are not listed.
    pub counts: std::collections::BTreeMap<Category, u64>,
    /// Detections that are counted but not listed.
    pub truncated: u64,
    /// By rule.
    pub findings: Vec<AuditFinding>,
    /// Run that led here.
    pub run: Option<RunId>,
    /// Trace.
    pub trace: Option<TraceParent>,
}

/// What one rule did in one state.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuditFinding {
    /// Id of the rule.
    pub rule: String,
    /// Its category.
    pub category: Category,
    /// What was done.
    pub action: Action,
    /// How often, among the listed detections.
    pub count: u64,
    /// RFC 6901 pointers into the sanitized output; lists of records leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pointers: Vec<String>,
}

/// Which audit records are wanted. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// With a finding of this rule.
    pub rule: Option<String>,
    /// With a detection of this category.
    pub category: Option<Category>,
    /// Committed at this time or later.
    pub since: Option<OffsetDateTime>,
    /// Committed before this time.
    pub until: Option<OffsetDateTime>,
}
