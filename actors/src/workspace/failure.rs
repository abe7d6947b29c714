//! Why a sync failed, as one type: what it blames, how it behaves, what a dead letter says.
//!
//! Must never carry a value: it is made of the connectors' value-free errors.

use std::time::Duration;

use terrasift_engine::refusal::{Refusal, RefusalKind};
use terrasift_postgres::StoreError;
use terrasift_schemas::event::FailureReason;
use terrasift_terraform_cloud::{FailureKind, TfcError};

use crate::byte_budget::BudgetExhausted;
use crate::rate_budget::NoTurn;
use crate::writer::WriterFailed;

/// Wait before memory is asked for again.
const MEMORY_WAIT: Duration = Duration::from_secs(2);

/// Why a sync failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncFailure {
    /// Terraform Cloud.
    #[error("{0}")]
    Upstream(#[from] TfcError),
    /// The state.
    #[error("state refused: {0}")]
    State(#[from] Refusal),
    /// Postgres.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The writer.
    #[error("{0}")]
    Writer(#[from] WriterFailed),
    /// Memory.
    #[error("{0}")]
    Memory(#[from] BudgetExhausted),
    /// The rate budget.
    #[error("{0}")]
    Turn(#[from] NoTurn),
    /// The API names a state version without a way to download it.
    #[error("the state version has no download link yet")]
    NotDownloadable,
}

impl SyncFailure {
    /// The reason that a dead letter gives.
    pub(crate) fn reason(&self) -> FailureReason {
        match self {
            Self::Upstream(error) => match error.kind() {
                FailureKind::NotFound => FailureReason::WorkspaceNotFound,
                FailureKind::Unauthorized => FailureReason::Unauthorized,
                FailureKind::GuardRefused => FailureReason::DownloadRefused,
                FailureKind::TokenRefused
                | FailureKind::RateLimited(_)
                | FailureKind::Upstream(_)
                | FailureKind::Timeout
                | FailureKind::Connection
                | FailureKind::BadBody
                | FailureKind::Expired
                | FailureKind::Truncated
                | FailureKind::Configuration => FailureReason::UpstreamFailed,
            },
            Self::State(refusal) => match refusal.kind {
                RefusalKind::Undecidable => FailureReason::Undecidable,
                // A download that ends early can look like a state that ends early: it may pass.
                RefusalKind::Empty | RefusalKind::Truncated => FailureReason::UpstreamFailed,
                _ => FailureReason::StateRefused,
            },
            Self::Store(_) | Self::Writer(_) | Self::Memory(_) => FailureReason::StorageFailed,
            Self::Turn(_) | Self::NotDownloadable => FailureReason::UpstreamFailed,
        }
    }

    /// Whether the breaker should hear of it.
    pub(crate) fn blames_upstream(&self) -> bool {
        match self {
            Self::Upstream(error) => matches!(
                error.kind(),
                FailureKind::Upstream(500..)
                    | FailureKind::Timeout
                    | FailureKind::Connection
                    | FailureKind::Unauthorized
            ),
            _ => false,
        }
    }

    /// The wait that the server asked for, where it is no failure of the workspace at all.
    pub(crate) fn wait_hint(&self) -> Option<Duration> {
        match self {
            Self::Upstream(error) => match error.kind() {
                FailureKind::RateLimited(wait) => {
                    Some(wait.clamp(Duration::from_millis(100), Duration::from_secs(300)))
                }
                FailureKind::TokenRefused => Some(Duration::ZERO),
                _ => None,
            },
            // Others hold the memory: a crowd must not end in a dead letter.
            Self::Memory(_) => Some(MEMORY_WAIT),
            _ => None,
        }
    }
}
