//! Rule files while Terrasift runs: noticed, compiled off the runtime's threads, numbered, taken by the next syncs.
//!
//! A refused file changes nothing. What could not be numbered because the database does not answer is tried again at the next
//! look. Must never hold up a sync: those take the pipeline that holds when they begin.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use terrasift_actors::{Telemetry, TenantMeans, WorkerSignals};
use terrasift_engine::EXTRACTOR_VERSION;
use terrasift_engine::detect::RuleSet;
use terrasift_engine::extract::TypeTable;
use terrasift_engine::sift::Pipeline;
use terrasift_postgres::{Store, StoreError};
use terrasift_schemas::{PipelineVersion, TenantId};
use tokio::time::MissedTickBehavior;

use crate::rule_file::book::RuleBook;

/// The pipeline of a tenant under its rules.
///
/// # Errors
/// The database does not number the rule set.
pub async fn pipeline(
    store: &Store,
    tenant: &TenantId,
    rules: Arc<RuleSet>,
    types: &Arc<TypeTable>,
) -> Result<Arc<Pipeline>, StoreError> {
    let number = store.activate_rules(tenant, rules.digest(), rules.version()).await?;
    let version = PipelineVersion::new(EXTRACTOR_VERSION, number);
    Ok(Arc::new(Pipeline { rules, types: Arc::clone(types), version }))
}

/// What looks after the rule files.
pub struct Reload {
    pub book: RuleBook,
    pub every: Duration,
    pub store: Store,
    pub types: Arc<TypeTable>,
    pub telemetry: Telemetry,
    pub tenants: Vec<Arc<TenantMeans>>,
    pub worker: WorkerSignals,
}

impl Reload {
    /// Looks again and again; ends when it is aborted.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once, and the files were read just now.
        ticks.tick().await;
        let mut waiting = BTreeSet::new();
        loop {
            ticks.tick().await;
            let book = self.book;
            let looked = tokio::task::spawn_blocking(move || {
                let mut book = book;
                let changes = book.look();
                (book, changes)
            });
            let changes = match looked.await {
                Ok((book, changes)) => {
                    self.book = book;
                    changes
                }
                // The runtime is shutting down, or the look panicked: the rules that hold stay, and a restart reads anew.
                Err(_) => return,
            };
            for error in &changes.refused {
                self.telemetry.rules_refused(error);
            }
            let all = self.tenants.iter().map(|means| &means.id);
            let concerned =
                all.filter(|id| changes.tenants.contains(id) || changes.shared && !self.book.has_own(id));
            waiting.extend(concerned.cloned());
            let mut still = BTreeSet::new();
            for means in self.tenants.iter().filter(|means| waiting.contains(&means.id)) {
                if !self.apply(means).await {
                    still.insert(means.id.clone());
                }
            }
            waiting = still;
        }
    }

    /// `false`: to be tried again.
    async fn apply(&self, means: &TenantMeans) -> bool {
        let rules = self.book.rules(&means.id);
        match pipeline(&self.store, &means.id, rules, &self.types).await {
            Ok(new) if new.version == means.pipeline.now().version => true,
            Ok(new) => {
                let rule_set = u32::try_from(new.version.rule_set()).unwrap_or(u32::MAX);
                means.pipeline.replace(new);
                self.telemetry.rules_applied(&means.id, rule_set);
                self.worker.reconcile(&means.id);
                true
            }
            Err(error) => {
                self.telemetry.rules_deferred(&means.id, &error);
                false
            }
        }
    }
}
