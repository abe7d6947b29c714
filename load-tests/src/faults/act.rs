//! What is done to the engine and its servers: each fault with its end.
//!
//! Must never leave a fault standing: what it breaks it mends, before it returns.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
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
/// Partitions after the topic has grown.
const GROWN: usize = 12;
/// Files that Postgres' processes may write beyond nothing while the disk is full.
const FULL_BYTES: u64 = 8 * 1024;

/// Who acts.
pub(super) struct Fate<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) stage: &'a mut Stage,
    pub(super) broker: &'a BrokerClient,
    pub(super) dice: Dice,
    /// What was removed upstream, and what it was.
    pub(super) removed: World,
}

impl Fate<'_> {
    /// Does it, mends it, and tells when it ended.
    pub(super) async fn act(&mut self, act: Act) -> Result<Instant> {
        self.pause(500, 2000).await;
        match act {
            Act::Nothing => Ok(Instant::now()),
            Act::DieAt(point, times) => self.die(point, times, 5).await,
            Act::DieSoonAt(point, times) => self.die(point, times, 2).await,
            Act::PanicAt(point) => self.again_with(&["panic:2", "panic:5", "panic:6"], point).await,
            Act::HangAt(point) => self.again_with(&["hang:2", "hang:5"], point).await,
            Act::LateAt(point) => self.late(point).await,
            Act::KillAtRandom(times) => self.kill_at_random(times).await,
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
            Act::Remove(count) => self.remove(count).await,
        }
    }

    /// A seeded wait.
    async fn pause(&mut self, low_ms: u32, high_ms: u32) {
        sleep(Duration::from_millis(u64::from(self.dice.between(low_ms, high_ms)))).await;
    }

    /// The last replica, started anew with an armed point, until it dies there; so often.
    async fn die(&mut self, point: &str, times: u32, passages: u32) -> Result<Instant> {
        let mut died = Instant::now();
        for round in 0..times {
            let on = self.dice.between(1, passages);
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

    async fn late(&mut self, point: &str) -> Result<Instant> {
        let replica = self.stage.replicas.last_mut().context("no replica")?;
        ensure!(replica.stop().await, "a replica did not drain");
        replica.start(&["--failpoint".to_owned(), format!("{point}=late:1")])?;
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
        let proxies = &self.cluster.proxies;
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

    /// Files of Postgres' processes cannot grow beyond a few pages: it panics, as on a full disk, and recovers.
    async fn fill_the_disk(&mut self) -> Result<Instant> {
        let end = Instant::now() + Duration::from_secs(4);
        while Instant::now() < end {
            for pid in self.postgres_processes()? {
                let limit = Rlimit { current: Some(FULL_BYTES), maximum: None };
                // One that ends meanwhile writes nothing any more.
                let _ = prlimit(Some(pid), Resource::Fsize, limit);
            }
            sleep(Duration::from_millis(100)).await;
        }
        for pid in self.postgres_processes()? {
            let _ = prlimit(Some(pid), Resource::Fsize, Rlimit { current: None, maximum: None });
        }
        Ok(Instant::now())
    }

    /// The server's children; the server itself stays able to start new ones.
    fn postgres_processes(&self) -> Result<Vec<Pid>> {
        let file = self.cluster.postgres.data_dir().join("postmaster.pid");
        let text = std::fs::read_to_string(file).context("Postgres does not run")?;
        let server = text.lines().next().unwrap_or_default().trim().to_owned();
        let children = std::fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
        let children = children.context("Postgres does not run")?;
        Ok(children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect())
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
        for round in 0..4 {
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

    async fn remove(&mut self, count: usize) -> Result<Instant> {
        let mut known: Vec<_> = self.stage.world(&World::new()).into_iter().collect();
        known.retain(|(_, truth)| !truth.poisoned);
        for _ in 0..count {
            let bound = u32::try_from(known.len()).unwrap_or(u32::MAX);
            let (id, mut truth) = known.swap_remove(usize::try_from(self.dice.below(bound)).unwrap_or(0));
            self.stage.simulator.remove_workspace(&id)?;
            truth.removed = true;
            self.removed.insert(id, truth);
            self.pause(100, 800).await;
        }
        Ok(Instant::now())
    }
}
