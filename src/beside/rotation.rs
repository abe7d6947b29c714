//! Secrets while Terrasift runs: read again and again, taken by whoever uses them, told to the log and to the metrics.
//!
//! Must never show a value, and never give one up because its source is away.

use std::time::{Duration, Instant};

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use terrasift_postgres::Store;
use terrasift_redis::BadAddress;
use terrasift_secrets::{CurrentSecret, Happened, SecretBook, Seen};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use crate::secrets::IDENTITY_KEY;

/// Files are read this often: they cost next to nothing.
const FILES_EVERY: Duration = Duration::from_secs(10);
/// Whoever doubts a secret is heard this often: a token that is refused for good must not make us ask without end.
const DOUBT_EVERY: Duration = Duration::from_secs(5);

/// What came of it: log line and metric in one place.
pub struct SecretTelemetry {
    rotations: IntCounter,
    failures: IntCounterVec,
    failing: IntGauge,
    failing_seconds: IntGauge,
    not_taken: IntGauge,
}

impl SecretTelemetry {
    /// # Errors
    /// A metric of this name is there already.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let new = Self {
            rotations: IntCounter::new(
                "terrasift_secret_rotations_total",
                "secrets that were replaced while running",
            )?,
            failures: IntCounterVec::new(
                Opts::new(
                    "terrasift_secret_refresh_failures_total",
                    "reads of a secret that failed, so that the value from before stays",
                ),
                &["source"],
            )?,
            failing: IntGauge::new("terrasift_secrets_failing", "references that cannot be read now")?,
            failing_seconds: IntGauge::new(
                "terrasift_secret_refresh_failing_seconds",
                "how long the reference has failed that has failed for the longest time",
            )?,
            not_taken: IntGauge::new(
                "terrasift_secrets_not_taken",
                "changed secrets that are not taken: keys before the next start, addresses that do not work",
            )?,
        };
        registry.register(Box::new(new.rotations.clone()))?;
        registry.register(Box::new(new.failures.clone()))?;
        registry.register(Box::new(new.failing.clone()))?;
        registry.register(Box::new(new.failing_seconds.clone()))?;
        registry.register(Box::new(new.not_taken.clone()))?;
        Ok(new)
    }

    fn seen(&self, Seen { place, reference, happened }: &Seen) {
        match happened {
            Happened::Rotated => {
                self.rotations.inc();
                tracing::info!(place, %reference, "a secret has rotated: the new one holds");
            }
            Happened::Ignored if place == IDENTITY_KEY => {
                tracing::error!(
                    place,
                    %reference,
                    "the identity key has changed, and is refused: with another one the whole catalog would be deleted and \
                     created anew; put the one from before back before the next start"
                );
            }
            Happened::Ignored => {
                tracing::warn!(place, %reference, "a key has changed: it holds from the next start on");
            }
            Happened::Failed(error) => {
                self.failures.with_label_values(&[reference.source()]).inc();
                tracing::warn!(place, %error, "a secret cannot be read again: the value from before stays");
            }
            Happened::Recovered => tracing::info!(place, %reference, "a secret can be read again"),
        }
    }
}

/// An address that its user has to be told about.
struct Address {
    place: &'static str,
    secret: CurrentSecret,
    /// Generation that its user has.
    taken: u64,
}

impl Address {
    fn new(place: &'static str, secret: CurrentSecret) -> Self {
        Self { place, taken: 0, secret }
    }
}

/// Takes an address, or says that it is none.
type Take = dyn Fn(&str) -> Result<(), BadAddress> + Send + Sync;

/// Somebody who connects to Redis, and is told when the address has changed.
pub struct RedisUser {
    address: Address,
    take: Box<Take>,
}

impl RedisUser {
    /// `place` of the address in the configuration.
    pub fn new(
        place: &'static str,
        url: CurrentSecret,
        take: impl Fn(&str) -> Result<(), BadAddress> + Send + Sync + 'static,
    ) -> Self {
        Self { address: Address::new(place, url), take: Box::new(take) }
    }

    /// False: the changed address is of no use.
    fn look(&mut self) -> bool {
        let (url, generation) = self.address.secret.numbered();
        if generation == self.address.taken {
            return true;
        }
        match (self.take)(url.expose().trim()) {
            Ok(()) => {
                self.address.taken = generation;
                true
            }
            Err(error) => {
                let place = self.address.place;
                tracing::error!(place, %error, "the changed address is of no use: the one from before stays");
                false
            }
        }
    }
}

/// What reads secrets again.
pub struct SecretWatch {
    book: SecretBook,
    every: Duration,
    telemetry: SecretTelemetry,
    store: Store,
    database: Address,
    redis: Vec<RedisUser>,
}

impl SecretWatch {
    pub fn new(
        book: SecretBook,
        every: Duration,
        telemetry: SecretTelemetry,
        store: Store,
        database: CurrentSecret,
        redis: Vec<RedisUser>,
    ) -> Self {
        Self { book, every, telemetry, store, database: Address::new("postgres.url", database), redis }
    }

    /// Looks again and again; ends when it is aborted.
    pub async fn run(mut self) {
        let (mut files, mut all) = (interval(FILES_EVERY.min(self.every)), interval(self.every));
        files.set_missed_tick_behavior(MissedTickBehavior::Delay);
        all.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first ticks come at once, and everything was read just now.
        files.tick().await;
        all.tick().await;
        let mut heard = Instant::now();
        let mut due = None;
        loop {
            let whole = tokio::select! {
                _ = all.tick() => true,
                () = self.book.doubted(), if due.is_none() => {
                    due = Some(heard + DOUBT_EVERY);
                    continue;
                }
                () = sleep_until(due.unwrap_or(heard).into()), if due.is_some() => true,
                _ = files.tick() => false,
            };
            if whole {
                (heard, due) = (Instant::now(), None);
            }
            self.look(whole).await;
        }
    }

    async fn look(&mut self, all: bool) {
        for seen in self.book.look(all).await {
            self.telemetry.seen(&seen);
        }
        let failing = self.book.failing_for(Instant::now()).map_or(0, |failing| failing.as_secs());
        self.telemetry.failing_seconds.set(i64::try_from(failing).unwrap_or(i64::MAX));
        self.telemetry.failing.set(i64::try_from(self.book.failing()).unwrap_or(i64::MAX));
        let mut not_taken = self.book.ignored();
        let (url, generation) = self.database.secret.numbered();
        if generation != self.database.taken {
            match self.store.take_address(url.expose().trim()).await {
                Ok(()) => self.database.taken = generation,
                Err(error) => {
                    not_taken += 1;
                    let place = self.database.place;
                    tracing::error!(place, %error, "the changed address does not work: the one from before stays");
                }
            }
        }
        not_taken += self.redis.iter_mut().map(RedisUser::look).filter(|taken| !taken).count();
        self.telemetry.not_taken.set(i64::try_from(not_taken).unwrap_or(i64::MAX));
    }
}
