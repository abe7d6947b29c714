//! What is done to the engine and its servers: each fault with its end.
//!
//! Must never leave a fault standing: what it breaks it mends, before it returns.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, sleep};

use super::oracle::World;
use super::rows::{Act, Server, Trouble};
use super::stage::Stage;
use crate::cluster::{BrokerClient, Cluster, FaultProxy, Weather};
use crate::generator::Dice;
use crate::simulator::{Fault, FaultKind};

/// Longer than a session and the rebalance after it.
const AWAY: Duration = Duration::from_secs(6);
/// Longest wait until an armed point is passed.
const DEATH_WAIT_MAX: Duration = Duration::from_secs(25);
/// Longest wait until Postgres, killed and recovered, needs another file.
const FULL_WAIT_MAX: Duration = Duration::from_secs(40);
/// As long as the stream; in a short one, what is not hot gets few events.
const DENIED_WAIT_MAX: Duration = Duration::from_secs(14);
/// Four megabytes of write-ahead log that mean nothing.
const FILL_THE_LOG: &str = "SELECT pg_logical_emit_message(false, 'fault', repeat('x', 4000000))";
/// Partitions after the topic has grown.
const GROWN: usize = 12;
/// Who acts.
pub(super) struct Fate<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) stage: &'a mut Stage,
    pub(super) broker: &'a BrokerClient,
    pub(super) dice: Dice,
    /// What happens several times happens once.
    pub(super) short: bool,
    /// What was removed upstream, and what it was.
    pub(super) removed: World,
}

impl Fate<'_> {
    /// Does it, mends it, and tells when it ended.
    pub(super) async fn act(&mut self, act: Act) -> Result<Instant> {
        self.pause(500, 2000).await;
        match act {
            Act::Nothing => Ok(Instant::now()),
            Act::DieAt(point, times) => self.die(point, self.times(times), 5).await,
            Act::DieSoonAt(point, times) => self.die(point, self.times(times), 2).await,
            Act::PanicAt(point) => self.again_with(&["panic:2", "panic:5", "panic:6"], point).await,
            Act::HangAt(point) => self.again_with(&["hang:2", "hang:5"], point).await,
            Act::ClaimLate => self.claim_late().await,
            Act::CommitLate => self.commit_late().await,
            Act::KillAtRandom(times) => self.kill_at_random(self.times(times)).await,
            Act::Zombie => self.zombie().await,
            Act::Network(server, trouble) => self.network(server, trouble).await,
            Act::KillKafka => self.kill_kafka().await,
            Act::HaltKafka => {
                self.cluster.kafka.suspend(0)?;
                sleep(AWAY).await;
                self.cluster.kafka.resume(0)?;
                Ok(Instant::now())
            }
            Act::KillPostgres => self.kill_postgres().await,
            Act::DiskFull => self.fill_the_disk().await,
            Act::EmptyRedis => {
                self.cluster.redis.kill();
                self.pause(500, 2500).await;
                self.cluster.redis.restart().await?;
                Ok(Instant::now())
            }
            Act::HaltRedis => {
                self.cluster.redis.pause();
                sleep(AWAY).await;
                self.cluster.redis.resume();
                Ok(Instant::now())
            }
            Act::ClockJump => self.jump().await,
            Act::RebalanceStorm => self.storm().await,
            Act::Grow => {
                self.broker.grow(GROWN).await?;
                Ok(Instant::now())
            }
            Act::RollingRestart => self.roll().await,
            Act::Answers(kinds, times) => self.answer(kinds, times).await,
            Act::Deny(count) => self.deny(count).await,
            Act::Remove(count) => self.remove(count).await,
            Act::Mend => self.mend().await,
        }
    }

    fn times(&self, times: u32) -> u32 {
        if self.short { 1 } else { times }
    }

    /// A seeded wait.
    async fn pause(&mut self, low_ms: u32, high_ms: u32) {
        sleep(Duration::from_millis(u64::from(self.dice.between(low_ms, high_ms)))).await;
    }

    /// The last replica, started anew with an armed point, until it dies there; so often.
    async fn die(&mut self, point: &str, times: u32, passages: u32) -> Result<Instant> {
        let mut died = Instant::now();
        for round in 0..times {
            // A short stream may not come to a later passage.
            let on = self.dice.between(1, if self.short { 1 } else { passages });
            let replica = self.stage.replicas.last_mut().context("no replica")?;
            if round == 0 {
                ensure!(replica.stop().await, "a replica did not drain");
            }
            replica.start(&["--failpoint".to_owned(), format!("{point}=kill:{on}")])?;
            let deadline = Instant::now() + DEATH_WAIT_MAX;
            while replica.runs() {
                if Instant::now() > deadline {
                    bail!("the point {point} was not passed {on} times: the row tries nothing");
                }
                sleep(Duration::from_millis(10)).await;
            }
            died = Instant::now();
        }
        let replica = self.stage.replicas.last_mut().context("no replica")?;
        replica.kill();
        replica.start(&[])?;
        Ok(died)
    }

    /// Every replica, started anew with a point that acts on several passages.
    async fn again_with(&mut self, actions: &[&str], point: &str) -> Result<Instant> {
        let armed = actions.iter().flat_map(|it| ["--failpoint".to_owned(), format!("{point}={it}")]);
        let armed: Vec<String> = armed.collect();
        for replica in &mut self.stage.replicas {
            ensure!(replica.stop().await, "a replica did not drain");
            replica.start(&armed)?;
            replica.ready().await?;
        }
        Ok(Instant::now())
    }

    async fn claim_late(&mut self) -> Result<Instant> {
        let replica = self.stage.replicas.last_mut().context("no replica")?;
        ensure!(replica.stop().await, "a replica did not drain");
        replica.start(&["--failpoint".to_owned(), "before-claim=late:1".to_owned()])?;
        replica.ready().await?;
        // Its partitions are asked back while it waits, and it goes on when they are others'.
        self.pause(500, 2000).await;
        let mut guest = self.stage.deployment.replica("guest")?;
        guest.start(&[])?;
        guest.ready().await?;
        sleep(Duration::from_secs(9)).await;
        // It stays: another rebalance would hide who works on what.
        self.stage.replicas.push(guest);
        Ok(Instant::now())
    }

    async fn commit_late(&mut self) -> Result<Instant> {
        // One transaction a tenant at a time: all of them are held.
        let armed = (1..=4).flat_map(|on| ["--failpoint".to_owned(), format!("before-commit=late:{on}")]);
        let armed: Vec<String> = armed.collect();
        let replica = self.stage.replicas.last_mut().context("no replica")?;
        ensure!(replica.stop().await, "a replica did not drain");
        replica.start(&armed)?;
        replica.ready().await?;
        // Until its partitions are its own and commits have come.
        sleep(Duration::from_secs(3)).await;
        let replica = self.stage.replicas.last_mut().context("no replica")?;
        replica.halt();
        sleep(AWAY).await;
        replica.go_on();
        // The held ones go on now, or within the ten seconds that they are held for.
        sleep(AWAY).await;
        Ok(Instant::now())
    }

    async fn kill_at_random(&mut self, times: u32) -> Result<Instant> {
        let mut killed = Instant::now();
        for _ in 0..times {
            let count = u32::try_from(self.stage.replicas.len()).unwrap_or(1);
            let at = usize::try_from(self.dice.below(count)).unwrap_or(0);
            self.stage.replicas[at].kill();
            killed = Instant::now();
            self.pause(100, 1500).await;
            self.stage.replicas[at].start(&[])?;
            self.pause(500, 3000).await;
        }
        Ok(killed)
    }

    async fn zombie(&mut self) -> Result<Instant> {
        let count = u32::try_from(self.stage.replicas.len()).unwrap_or(1);
        let at = usize::try_from(self.dice.below(count)).unwrap_or(0);
        self.stage.replicas[at].halt();
        sleep(AWAY).await;
        self.stage.replicas[at].go_on();
        Ok(Instant::now())
    }

    fn proxy(&self, server: Server) -> Result<&FaultProxy> {
        let proxies = self.cluster.proxies.as_ref().context("no proxies")?;
        Ok(match server {
            Server::Kafka => proxies.kafka.as_ref().context("three nodes have no proxy")?,
            Server::Postgres => &proxies.postgres,
            Server::Redis => &proxies.redis,
            Server::Upstream => &self.stage.upstream,
        })
    }

    async fn network(&mut self, server: Server, trouble: Trouble) -> Result<Instant> {
        match trouble {
            Trouble::Cut => {
                for _ in 0..3 {
                    self.proxy(server)?.set(Weather::Cut);
                    self.pause(200, 1500).await;
                    self.proxy(server)?.set(Weather::Fair);
                    self.pause(200, 1500).await;
                }
            }
            Trouble::BlackHole => {
                self.proxy(server)?.set(Weather::BlackHole);
                sleep(AWAY).await;
            }
            Trouble::Late(ms) => {
                self.proxy(server)?.set(Weather::Late(Duration::from_millis(ms)));
                sleep(AWAY).await;
            }
        }
        self.proxy(server)?.set(Weather::Fair);
        Ok(Instant::now())
    }

    async fn kill_kafka(&mut self) -> Result<Instant> {
        self.cluster.kafka.kill(0)?;
        self.pause(500, 3000).await;
        self.cluster.kafka.restart(0).await?;
        Ok(Instant::now())
    }

    async fn kill_postgres(&mut self) -> Result<Instant> {
        self.cluster.postgres.kill()?;
        self.pause(200, 2000).await;
        self.cluster.postgres.restart().await?;
        Ok(Instant::now())
    }

    /// Postgres writes on until it needs another file: then it panics, as on a full disk, and does not come up.
    async fn fill_the_disk(&mut self) -> Result<Instant> {
        let before = std::fs::read(self.cluster.postgres.log_file())?.len();
        self.cluster.postgres.restart_on_a_full_disk()?;
        let said = || std::fs::read(self.cluster.postgres.log_file()).unwrap_or_default();
        let full = |log: &[u8]| {
            String::from_utf8_lossy(log.get(before..).unwrap_or_default()).contains("File too large")
        };
        let deadline = Instant::now() + FULL_WAIT_MAX;
        while !full(&said()) {
            ensure!(Instant::now() < deadline, "Postgres never found its disk full: the row tries nothing");
            if let Ok(mut connection) = PgConnection::connect(&self.cluster.postgres.superuser_url()).await {
                // It may be gone in the middle of it: that is the point.
                let _ = sqlx::query(FILL_THE_LOG).execute(&mut connection).await;
            }
            sleep(Duration::from_millis(200)).await;
        }
        self.pause(500, 3000).await;
        self.cluster.postgres.restart().await?;
        Ok(Instant::now())
    }

    async fn jump(&mut self) -> Result<Instant> {
        let clock = self.stage.clock.clone().context("no replica has a clock of its own")?;
        for offset in ["+3600", "-600", "+0"] {
            std::fs::write(&clock, offset)?;
            if offset != "+0" {
                sleep(Duration::from_secs(3)).await;
            }
        }
        Ok(Instant::now())
    }

    async fn storm(&mut self) -> Result<Instant> {
        for round in 0..self.times(4) {
            let mut guest = self.stage.deployment.replica("guest")?;
            guest.start(&[])?;
            guest.ready().await?;
            self.pause(300, 1800).await;
            if round % 2 == 0 {
                guest.kill();
            } else {
                ensure!(guest.stop().await, "a replica did not drain");
            }
        }
        Ok(Instant::now())
    }

    async fn roll(&mut self) -> Result<Instant> {
        for replica in &mut self.stage.replicas {
            ensure!(replica.stop().await, "a replica did not drain within half a minute");
            replica.start(&[])?;
            replica.ready().await?;
        }
        Ok(Instant::now())
    }

    async fn answer(&mut self, kinds: &[FaultKind], times: u32) -> Result<Instant> {
        for _ in 0..3 {
            for kind in kinds {
                self.stage.simulator.inject(Fault { kind: *kind, target: None, times });
            }
            self.pause(500, 2000).await;
        }
        self.stage.simulator.clear_faults();
        Ok(Instant::now())
    }

    /// The next read of each finds nothing. It is the stream that reads: whoever gets no event in time is not denied.
    async fn deny(&mut self, count: usize) -> Result<Instant> {
        let mut ids: Vec<String> = self.stage.world(&World::new()).into_keys().collect();
        for _ in 0..count {
            let bound = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            let id = ids.swap_remove(usize::try_from(self.dice.below(bound)).unwrap_or(0));
            let kind = FaultKind::ApiStatus { code: 404 };
            self.stage.simulator.inject(Fault { kind, target: Some(id), times: 1 });
        }
        let deadline = Instant::now() + DENIED_WAIT_MAX;
        while self.stage.simulator.faults_left() > 0 && Instant::now() < deadline {
            sleep(Duration::from_millis(50)).await;
        }
        ensure!(self.stage.simulator.faults_left() < count, "nobody was denied: the row tries nothing");
        self.stage.simulator.clear_faults();
        Ok(Instant::now())
    }

    async fn mend(&mut self) -> Result<Instant> {
        self.stage.mend()?;
        let url = self.stage.deployment.superuser_url().to_owned();
        let mut connection = PgConnection::connect(&url).await?;
        let letters: Vec<(String, i64)> =
            sqlx::query_as("SELECT tenant_id, letter_id FROM dead_letters WHERE state = 'open'")
                .fetch_all(&mut connection)
                .await?;
        ensure!(!letters.is_empty(), "there is no dead letter: the row tries nothing");
        for (tenant, letter) in &letters {
            let (tenant, letter) = (tenant.as_str(), letter.to_string());
            for _ in 0..2 {
                let options = ["--tenant", tenant, "--by", "fate", &letter];
                // One that is closed already cannot be retried.
                let _ = self.stage.deployment.run(&["dlq", "retry"], &options).await;
            }
        }
        self.kill_at_random(self.times(2)).await
    }

    async fn remove(&mut self, count: usize) -> Result<Instant> {
        let mut known: Vec<_> = self.stage.world(&World::new()).into_iter().collect();
        known.retain(|(_, truth)| !truth.poisoned);
        for _ in 0..count {
            let bound = u32::try_from(known.len()).unwrap_or(u32::MAX);
            let (id, mut truth) = known.swap_remove(usize::try_from(self.dice.below(bound)).unwrap_or(0));
            // It has changed since, maybe.
            let history = self.stage.simulator.history(&id).into_iter();
            truth.versions = history.map(|version| version.state_version_id).collect();
            self.stage.simulator.remove_workspace(&id)?;
            truth.removed = true;
            self.removed.insert(id, truth);
            self.pause(100, 800).await;
        }
        Ok(Instant::now())
    }
}
