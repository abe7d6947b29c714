//! The writer: one transaction for one tenant and as many of its workspaces as are ready (hop 7).
//!
//! While a tenant's transaction is under way its next commits gather, and then go together: batching without waiting.
//! Must never hold a commit back for company, nor mix tenants in a transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use terrasift_postgres::{CommitOutcome, Store, StoreError, WorkspaceCommit};
use terrasift_schemas::TenantId;
use tokio::sync::Semaphore;

use crate::byte_budget::BytePermit;
use crate::failpoints::Failpoints;

/// Workspaces in one transaction: bounds the time its locks are held.
const BATCH_MAX: usize = 32;
/// Longest wait for a commit, queue included.
const COMMIT_WAIT_MAX: Duration = Duration::from_secs(120);

/// What a commit came to.
pub type CommitReply = Result<CommitOutcome, CommitFailed>;

/// A commit that did not happen; nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum CommitFailed {
    /// The store failed.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// The writer is stopping or did not answer in time.
    #[error("the writer did not answer in time")]
    NoAnswer,
}

/// One workspace's commit on its way.
pub struct PendingCommit {
    commit: WorkspaceCommit,
    reply: RpcReplyPort<CommitReply>,
    /// The memory of the entities, held until they are written.
    _permit: BytePermit,
}

/// Messages to the writer.
pub enum WriterMsg {
    /// A workspace is ready.
    Commit(TenantId, Box<PendingCommit>),
    /// A tenant's transaction has ended.
    Ended(TenantId),
}

/// Hands a commit over and waits for its outcome. The permit covers the commit's entities.
///
/// # Errors
/// [`CommitFailed`]; nothing of this commit was written then, or its outcome is unknown and a replay settles it.
pub async fn commit(
    writer: &ActorRef<WriterMsg>,
    tenant: &TenantId,
    commit: WorkspaceCommit,
    permit: BytePermit,
) -> CommitReply {
    let tenant = tenant.clone();
    let call = writer.call(
        |reply| WriterMsg::Commit(tenant, Box::new(PendingCommit { commit, reply, _permit: permit })),
        Some(COMMIT_WAIT_MAX),
    );
    match call.await {
        Ok(ractor::rpc::CallResult::Success(reply)) => reply,
        Ok(_) | Err(_) => Err(CommitFailed::NoAnswer),
    }
}

/// The actor.
pub struct Writer;

/// What the writer needs.
pub struct WriterArguments {
    /// Where to write.
    pub store: Store,
    /// Transactions at once: a part of the pool's connections, so that reads are never starved.
    pub transactions_max: usize,
    /// Where tests make things go wrong.
    pub failpoints: Failpoints,
}

/// Its state.
pub struct WriterState {
    store: Store,
    failpoints: Failpoints,
    transactions: Arc<Semaphore>,
    /// Present while a tenant's transaction is under way.
    gathering: HashMap<TenantId, Vec<PendingCommit>>,
}

impl Actor for Writer {
    type Msg = WriterMsg;
    type State = WriterState;
    type Arguments = WriterArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        arguments: WriterArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(WriterState {
            store: arguments.store,
            failpoints: arguments.failpoints,
            transactions: Arc::new(Semaphore::new(arguments.transactions_max.max(1))),
            gathering: HashMap::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WriterMsg::Commit(tenant, pending) => match state.gathering.get_mut(&tenant) {
                Some(gathering) => gathering.push(*pending),
                None => {
                    state.gathering.insert(tenant.clone(), Vec::new());
                    start(&myself, state, tenant, vec![*pending]);
                }
            },
            WriterMsg::Ended(tenant) => match state.gathering.get_mut(&tenant) {
                Some(gathering) if !gathering.is_empty() => {
                    let rest = gathering.split_off(gathering.len().min(BATCH_MAX));
                    let batch = std::mem::replace(gathering, rest);
                    start(&myself, state, tenant, batch);
                }
                _ => drop(state.gathering.remove(&tenant)),
            },
        }
        Ok(())
    }
}

fn start(myself: &ActorRef<WriterMsg>, state: &WriterState, tenant: TenantId, batch: Vec<PendingCommit>) {
    let (store, transactions, myself) =
        (state.store.clone(), Arc::clone(&state.transactions), myself.clone());
    let failpoints = state.failpoints.clone();
    tokio::spawn(async move {
        let ended = EndedOnDrop { myself, tenant };
        // INVARIANT: the semaphore is never closed.
        let _turn = transactions.acquire().await;
        let (commits, waiters): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|p| (p.commit, (p.reply, p._permit))).unzip();
        failpoints.pass("before-commit").await;
        let committed = store.commit(&ended.tenant, commits).await;
        failpoints.pass("after-commit").await;
        match committed {
            Ok(outcomes) => {
                for ((reply, _permit), outcome) in waiters.into_iter().zip(outcomes) {
                    let _ = reply.send(Ok(outcome));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for (reply, _permit) in waiters {
                    let _ = reply.send(Err(CommitFailed::Store(Arc::clone(&error))));
                }
            }
        }
    });
}

/// Tells the writer also when the transaction's task panics: a tenant must not wait for ever.
struct EndedOnDrop {
    myself: ActorRef<WriterMsg>,
    tenant: TenantId,
}

impl Drop for EndedOnDrop {
    fn drop(&mut self) {
        let _ = self.myself.cast(WriterMsg::Ended(self.tenant.clone()));
    }
}
