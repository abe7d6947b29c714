//! The writer: one transaction for one tenant and as many of its workspaces as are ready (hops 4 and 7).
//!
//! Read tickets, effects, and marks of syncs that had nothing to do each go so: while a tenant's transaction of a kind is
//! under way, the next ones of that kind gather, and then go together. Must never hold anything back for company, nor mix
//! tenants in a transaction.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use terrasift_postgres::{
    Cleared, CommitOutcome, Epoch, Mark, ReadTicket, Store, StoreError, WorkspaceCommit,
};
use terrasift_schemas::{TenantId, WorkspaceId};
use tokio::sync::Semaphore;

use crate::byte_budget::BytePermit;
use crate::failpoints::Failpoints;
use crate::gathering::Gathering;
use crate::tenant::schedule::OwnedMark;

/// Workspaces whose effects go in one transaction: bounds the time its locks are held.
const COMMITS_MAX: usize = 32;
/// Tickets and marks in one transaction: a row each.
const ROWS_MAX: usize = 500;
/// Longest wait for an answer, queue included.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(120);

/// What a workspace's part of a transaction came to.
pub type WriterReply<T> = Result<T, WriterFailed>;

/// Nothing was written, or it is not known whether: a replay settles it.
#[derive(Debug, thiserror::Error)]
pub enum WriterFailed {
    /// The store failed.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// The writer is stopping or did not answer in time.
    #[error("the writer did not answer in time")]
    NoAnswer,
}

/// One workspace's part on its way, and who waits for it.
pub struct Pending<T, R> {
    part: T,
    reply: RpcReplyPort<WriterReply<R>>,
}

/// The effect of a sync with the memory of its entities, held until they are written.
pub struct Effect {
    commit: WorkspaceCommit,
    _permit: BytePermit,
}

/// Messages to the writer.
pub enum WriterMsg {
    /// A workspace is about to be read.
    Read(TenantId, Pending<WorkspaceId, ReadTicket>),
    /// A workspace's effect is ready.
    Commit(TenantId, Box<Pending<Effect, CommitOutcome>>),
    /// A workspace's sync had nothing to do.
    Clear(TenantId, Box<Pending<(Mark, Epoch), Cleared>>),
    /// A tenant's transaction has ended.
    Ended(TenantId, Kind),
}

/// The kinds of transactions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Draws read tickets.
    Read,
    /// Writes effects.
    Commit,
    /// Clears marks.
    Clear,
}

/// Draws a read ticket.
///
/// # Errors
/// [`WriterFailed`]; a ticket that was drawn and not told harms nothing.
pub async fn read(
    writer: &ActorRef<WriterMsg>,
    tenant: &TenantId,
    workspace: &WorkspaceId,
) -> WriterReply<ReadTicket> {
    let (tenant, part) = (tenant.clone(), workspace.clone());
    call(writer, |reply| WriterMsg::Read(tenant, Pending { part, reply })).await
}

/// Hands a commit over and waits for its outcome. The permit covers the commit's entities.
///
/// # Errors
/// [`WriterFailed`].
pub async fn commit(
    writer: &ActorRef<WriterMsg>,
    tenant: &TenantId,
    commit: WorkspaceCommit,
    permit: BytePermit,
) -> WriterReply<CommitOutcome> {
    let (tenant, part) = (tenant.clone(), Effect { commit, _permit: permit });
    call(writer, |reply| WriterMsg::Commit(tenant, Box::new(Pending { part, reply }))).await
}

/// Clears the mark of a sync that had nothing to do.
///
/// # Errors
/// [`WriterFailed`].
pub async fn clear(writer: &ActorRef<WriterMsg>, owned: &OwnedMark) -> WriterReply<Cleared> {
    let (tenant, part) = (owned.mark.tenant.clone(), (owned.mark.clone(), owned.epoch));
    call(writer, |reply| WriterMsg::Clear(tenant, Box::new(Pending { part, reply }))).await
}

async fn call<T: Send + 'static>(
    writer: &ActorRef<WriterMsg>,
    message: impl FnOnce(RpcReplyPort<WriterReply<T>>) -> WriterMsg,
) -> WriterReply<T> {
    match writer.call(message, Some(ANSWER_WAIT_MAX)).await {
        Ok(ractor::rpc::CallResult::Success(reply)) => reply,
        Ok(_) | Err(_) => Err(WriterFailed::NoAnswer),
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
    reads: Gathering<TenantId, Pending<WorkspaceId, ReadTicket>>,
    commits: Gathering<TenantId, Pending<Effect, CommitOutcome>>,
    clears: Gathering<TenantId, Pending<(Mark, Epoch), Cleared>>,
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
            reads: Gathering::new(ROWS_MAX),
            commits: Gathering::new(COMMITS_MAX),
            clears: Gathering::new(ROWS_MAX),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WriterMsg::Read(tenant, pending) => {
                let batch = state.reads.offer(&tenant, pending);
                state.start_reads(&myself, tenant, batch);
            }
            WriterMsg::Commit(tenant, pending) => {
                let batch = state.commits.offer(&tenant, *pending);
                state.start_commits(&myself, tenant, batch);
            }
            WriterMsg::Clear(tenant, pending) => {
                let batch = state.clears.offer(&tenant, *pending);
                state.start_clears(&myself, tenant, batch);
            }
            WriterMsg::Ended(tenant, Kind::Read) => {
                let batch = state.reads.ended(&tenant);
                state.start_reads(&myself, tenant, batch);
            }
            WriterMsg::Ended(tenant, Kind::Commit) => {
                let batch = state.commits.ended(&tenant);
                state.start_commits(&myself, tenant, batch);
            }
            WriterMsg::Ended(tenant, Kind::Clear) => {
                let batch = state.clears.ended(&tenant);
                state.start_clears(&myself, tenant, batch);
            }
        }
        Ok(())
    }
}

impl WriterState {
    fn start_reads(
        &self,
        myself: &ActorRef<WriterMsg>,
        tenant: TenantId,
        batch: Vec<Pending<WorkspaceId, ReadTicket>>,
    ) {
        let store = self.store.clone();
        self.start(myself, tenant, Kind::Read, batch, |tenant, workspaces| async move {
            store.begin_reads(&tenant, &workspaces).await
        });
    }

    fn start_commits(
        &self,
        myself: &ActorRef<WriterMsg>,
        tenant: TenantId,
        batch: Vec<Pending<Effect, CommitOutcome>>,
    ) {
        let (store, failpoints) = (self.store.clone(), self.failpoints.clone());
        self.start(myself, tenant, Kind::Commit, batch, |tenant, effects| async move {
            let (commits, _permits): (Vec<_>, Vec<_>) =
                effects.into_iter().map(|effect| (effect.commit, effect._permit)).unzip();
            failpoints.pass("before-commit").await;
            let committed = store.commit(&tenant, commits).await;
            failpoints.pass("after-commit").await;
            committed
        });
    }

    fn start_clears(
        &self,
        myself: &ActorRef<WriterMsg>,
        tenant: TenantId,
        batch: Vec<Pending<(Mark, Epoch), Cleared>>,
    ) {
        let store = self.store.clone();
        self.start(myself, tenant, Kind::Clear, batch, |tenant, marks| async move {
            store.clear_marks(&tenant, marks).await
        });
    }

    /// Runs a batch's transaction, if there is a batch, and tells each who waits.
    fn start<T, R, Running>(
        &self,
        myself: &ActorRef<WriterMsg>,
        tenant: TenantId,
        kind: Kind,
        batch: Vec<Pending<T, R>>,
        transaction: impl FnOnce(TenantId, Vec<T>) -> Running + Send + 'static,
    ) where
        T: Send + 'static,
        R: Send + 'static,
        Running: Future<Output = Result<Vec<R>, StoreError>> + Send,
    {
        if batch.is_empty() {
            return;
        }
        let (transactions, myself) = (Arc::clone(&self.transactions), myself.clone());
        tokio::spawn(async move {
            let ended = EndedOnDrop { myself, tenant, kind };
            // INVARIANT: the semaphore is never closed.
            let _turn = transactions.acquire().await;
            let (parts, waiters): (Vec<_>, Vec<_>) = batch.into_iter().map(|p| (p.part, p.reply)).unzip();
            match transaction(ended.tenant.clone(), parts).await {
                Ok(outcomes) => {
                    for (reply, outcome) in waiters.into_iter().zip(outcomes) {
                        let _ = reply.send(Ok(outcome));
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    for reply in waiters {
                        let _ = reply.send(Err(WriterFailed::Store(Arc::clone(&error))));
                    }
                }
            }
        });
    }
}

/// Tells the writer also when the transaction's task panics: a tenant must not wait for ever.
struct EndedOnDrop {
    myself: ActorRef<WriterMsg>,
    tenant: TenantId,
    kind: Kind,
}

impl Drop for EndedOnDrop {
    fn drop(&mut self) {
        let _ = self.myself.cast(WriterMsg::Ended(self.tenant.clone(), self.kind));
    }
}
