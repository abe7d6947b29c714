//! The security audit's way into the database: a bounded queue, and one writer that batches, chains and signs.
//!
//! Must never hold up a request that was granted, lose a record without saying so in the chain, or write within a transaction of
//! what it records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use terrasift_postgres::{Chain, CheckpointSigner, Store, TrailEntry, TrailOutcome, TrailRecord};
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::config::HttpError;

/// Records that wait; about 4 MiB. A database that is away for longer than it takes to fill this costs records, and the chain says how many.
const QUEUE_MAX: usize = 8_192;
/// Records of one statement.
const BATCH_MAX: usize = 1_000;
/// A record is in the database so long after its request, and is lost so long before a crash.
const BATCH_WAIT: Duration = Duration::from_millis(500);
/// Longest that a refused request, or one that changed something, waits for its record.
const AT_ONCE_WAIT: Duration = Duration::from_secs(1);
/// A checkpoint is signed after so many records, and when the last one is so old.
const CHECKPOINT_RECORDS: i64 = 1_000;
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);
/// Pause after a failed write.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Tries of the last batch when the process ends.
const LAST_TRIES: u32 = 4;

/// A record, and who waits until it is written.
type Item = (TrailEntry, Option<oneshot::Sender<()>>);

#[derive(Clone)]
struct Metrics {
    written: IntCounter,
    lost: IntCounter,
    failures: IntCounter,
    /// Records in the queue.
    waiting: IntGauge,
    checkpoints: IntCounter,
}

/// Where records are put. Cheap to clone; when the last clone goes, the writer writes what is left and ends.
#[derive(Clone)]
pub struct AuditTrail {
    queue: mpsc::Sender<Item>,
    /// Records that did not fit and that the chain does not tell of yet.
    lost: Arc<AtomicU64>,
    metrics: Metrics,
}

/// Writes until all [`AuditTrail`]s are gone. No Debug: it holds the signing key.
pub struct TrailWriter {
    queue: mpsc::Receiver<Item>,
    lost: Arc<AtomicU64>,
    metrics: Metrics,
    store: Store,
    signer: Option<CheckpointSigner>,
    chain: Chain,
    batch: Vec<TrailRecord>,
    waiting: Vec<oneshot::Sender<()>>,
    signed: i64,
    signed_at: Instant,
}

impl AuditTrail {
    /// Makes both ends. `random` names the segment: 16 bytes of the operating system. Without a signer no checkpoint is written.
    ///
    /// # Errors
    /// [`HttpError::Metrics`] when the registry has such metrics.
    pub fn new(
        store: Store,
        random: [u8; 16],
        signer: Option<CheckpointSigner>,
        registry: &Registry,
    ) -> Result<(Self, TrailWriter), HttpError> {
        let records = Opts::new("terrasift_security_audit_records_total", "records of the security audit");
        let records = IntCounterVec::new(records, &["fate"]).map_err(HttpError::Metrics)?;
        registry.register(Box::new(records.clone())).map_err(HttpError::Metrics)?;
        let failures = IntCounter::new(
            "terrasift_security_audit_failures_total",
            "writes of the security audit that failed",
        )
        .map_err(HttpError::Metrics)?;
        registry.register(Box::new(failures.clone())).map_err(HttpError::Metrics)?;
        let waiting = IntGauge::new(
            "terrasift_security_audit_waiting",
            "records of the security audit that wait to be written",
        )
        .map_err(HttpError::Metrics)?;
        registry.register(Box::new(waiting.clone())).map_err(HttpError::Metrics)?;
        let checkpoints = IntCounter::new(
            "terrasift_security_audit_checkpoints_total",
            "signed checkpoints of the security audit that were written",
        )
        .map_err(HttpError::Metrics)?;
        registry.register(Box::new(checkpoints.clone())).map_err(HttpError::Metrics)?;
        let metrics = Metrics {
            waiting,
            checkpoints,
            written: records.with_label_values(&["written"]),
            lost: records.with_label_values(&["lost"]),
            failures,
        };
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let trail = Self { queue: sender, lost: Arc::clone(&lost), metrics: metrics.clone() };
        let writer = TrailWriter {
            queue: receiver,
            lost,
            metrics,
            store,
            signer,
            chain: Chain::new(random),
            batch: Vec::new(),
            waiting: Vec::new(),
            signed: 0,
            signed_at: Instant::now(),
        };
        Ok((trail, writer))
    }

    /// Puts a record into the queue. Never waits.
    pub(crate) fn note(&self, entry: TrailEntry) {
        self.put((entry, None));
    }

    /// Puts a record into the queue, has it written at once, and waits for that, for at most a second.
    pub(crate) async fn note_at_once(&self, entry: TrailEntry) {
        let (written, done) = oneshot::channel();
        self.put((entry, Some(written)));
        drop(timeout(AT_ONCE_WAIT, done).await);
    }

    fn put(&self, item: Item) {
        if self.queue.try_send(item).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.metrics.lost.inc();
        }
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        self.metrics.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}

impl TrailWriter {
    /// Writes until all senders are gone and the queue is empty; then closes the segment.
    pub async fn run(mut self) {
        loop {
            match timeout(CHECKPOINT_EVERY, self.queue.recv()).await {
                Ok(Some(item)) => {
                    self.fill(item).await;
                    self.tell_of_the_lost();
                    self.flush().await;
                }
                Ok(None) => break,
                Err(_) => self.tell_of_the_lost(),
            }
            self.checkpoint(false).await;
        }
        self.tell_of_the_lost();
        self.flush().await;
        self.checkpoint(true).await;
    }

    /// Fills a batch until it is full, its time is over, or somebody waits; then takes along what is there.
    async fn fill(&mut self, first: Item) {
        let deadline = Instant::now() + BATCH_WAIT;
        let mut hurry = self.take(first);
        while !hurry && self.batch.len() < BATCH_MAX {
            match timeout_at(deadline, self.queue.recv()).await {
                Ok(Some(item)) => hurry = self.take(item),
                Ok(None) | Err(_) => break,
            }
        }
        while self.batch.len() < BATCH_MAX
            && let Ok(item) = self.queue.try_recv()
        {
            self.take(item);
        }
    }

    fn take(&mut self, (entry, waiting): Item) -> bool {
        self.batch.push(self.chain.link(entry));
        let hurry = waiting.is_some();
        self.waiting.extend(waiting);
        hurry
    }

    /// A record of what is not recorded.
    fn tell_of_the_lost(&mut self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost == 0 {
            return;
        }
        tracing::error!(records = lost, "the security audit has a gap");
        let record = self.chain.link(TrailEntry {
            at: OffsetDateTime::now_utc(),
            tenant: None,
            actor: "terrasift".to_owned(),
            action: "GAP".to_owned(),
            resource: "security_audit_log".to_owned(),
            outcome: TrailOutcome::Gap,
            code: lost.to_string(),
            trace: String::new(),
            client: String::new(),
        });
        self.batch.push(record);
    }

    /// Writes the batch, however long the database is away: what comes meanwhile waits in the queue.
    async fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let (mut tries, begun) = (0, Instant::now());
        while let Err(error) = self.store.append_trail(&self.batch).await {
            self.metrics.failures.inc();
            tracing::warn!(%error, "the security audit is not written");
            tries = if self.queue.is_closed() { tries + 1 } else { 0 };
            if tries == LAST_TRIES {
                let records = self.batch.len();
                self.metrics.lost.inc_by(u64::try_from(records).unwrap_or(u64::MAX));
                tracing::error!(
                    records,
                    "the end of the security audit is lost: the database does not answer"
                );
                return;
            }
            sleep(RETRY_PAUSE).await;
        }
        self.metrics.written.inc_by(u64::try_from(self.batch.len()).unwrap_or(u64::MAX));
        if begun.elapsed() > RETRY_PAUSE {
            tracing::info!(records = self.batch.len(), "the security audit is written again");
        }
        self.batch.clear();
        self.metrics.waiting.set(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
        for waiting in self.waiting.drain(..) {
            // Whoever waited may have given up.
            let _ = waiting.send(());
        }
    }

    /// Signs how far the chain is, where that is due.
    async fn checkpoint(&mut self, closes: bool) {
        let Some(signer) = &self.signer else { return };
        let number = self.chain.number();
        let due = number - self.signed >= CHECKPOINT_RECORDS
            || number > self.signed && self.signed_at.elapsed() >= CHECKPOINT_EVERY;
        // What is not written must not be signed: it would look as if somebody had taken it away.
        if !self.batch.is_empty() || number == 0 || !(due || closes) {
            return;
        }
        let checkpoint = signer.sign(&self.chain, OffsetDateTime::now_utc(), closes);
        match self.store.append_checkpoint(checkpoint).await {
            Ok(()) => {
                self.metrics.checkpoints.inc();
                (self.signed, self.signed_at) = (number, Instant::now());
            }
            Err(error) => {
                self.metrics.failures.inc();
                tracing::warn!(%error, "a checkpoint of the security audit is not written");
            }
        }
    }
}
