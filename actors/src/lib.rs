//! Who runs when: supervision, order, credits, restarts, budgets.
//!
//! `Root → RateBudget · Writer · Tenants → Tenant* → Workspace* · Intake · Outbox · Reconciler`. Decisions are pure machines
//! (`restart`, `retry`, `breaker`, `tenant::schedule`, `rate_budget::turns`); the actors are the thin shells that act.
//! Must never speak SQL, HTTP or JSON: that is the connectors' part.

mod breaker;
mod byte_budget;
mod dead_letters;
mod failpoints;
mod gathering;
mod heartbeat;
mod intake;
mod rate_budget;
mod reconciler;
mod restart;
mod retry;
mod root;
mod served;
mod services;
mod telemetry;
mod tenant;
mod tenants;
mod token_rotation;
mod upstream_telemetry;
mod worker;
mod workspace;
mod writer;

pub use byte_budget::{BudgetExhausted, ByteBudget, BytePermit};
pub use failpoints::{FAILPOINTS, Failpoints, NotAFailpoint};
pub use served::Served;
pub use services::{AccountGate, CurrentPipeline, Services, TenantMeans, WorkerLimits};
pub use telemetry::{SyncEnd, SyncEnded, Telemetry};
pub use token_rotation::TokenRotation;
pub use worker::{Worker, WorkerError, WorkerSignals};
