//! One run: set the stage, send, break, mend, wait, judge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::act::Fate;
use super::catalog::{Catalog, KnownEntity};
use super::follow::{self, Followed};
use super::oracle::{self, World};
use super::report::Report;
use super::rows::{Act, Row};
use super::sample;
use super::search::{self, Haystack};
use super::stage::Stage;
use super::traffic::{self, Pace, Sender, SentKind};
use crate::cluster::{Cluster, ClusterPlan, DeploymentPlan};
use crate::generator::{Canary, Dice};

/// Longest first sync: seconds on a free machine.
const FIRST_WAIT_MAX: Duration = Duration::from_secs(120);
/// Longest wait until nothing is left to do: three retries of a state and a reconciliation take some twenty seconds. What
/// is lost stays lost however long one waits, and a machine full of builds is no loss.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longest wait until idle connections are closed and their buffers wiped: they are kept for 10 s.
const IDLE_WAIT_MAX: Duration = Duration::from_secs(40);
const IDLE_LOOK_EVERY: Duration = Duration::from_secs(2);

/// How to run rows.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The program, built with its failpoints (any debug build).
    pub binary: PathBuf,
    /// The folder with Kafka's jars.
    pub kafka_libs: PathBuf,
    /// Below it each run has a folder of its own.
    pub folder: PathBuf,
    /// How many events in which time.
    pub pace: Pace,
    /// Fewer workspaces, and no twin.
    pub short: bool,
}

/// Runs rows, one after the other, on one set of servers.
pub struct Runner {
    plan: RunPlan,
    cluster: Option<Cluster>,
    /// Databases have names of their own.
    runs: usize,
}

impl Runner {
    /// Nothing runs yet.
    #[must_use]
    pub fn new(plan: RunPlan) -> Self {
        Self { plan, cluster: None, runs: 0 }
    }

    /// Runs a row with a seed; `say` is told each step.
    ///
    /// # Errors
    /// When the run itself fails, so that it says nothing about the engine.
    pub async fn run(&mut self, row: &'static Row, seed: u64, say: &dyn Fn(&str)) -> Result<Report> {
        let mut cluster = match self.cluster.take() {
            Some(cluster) => cluster,
            None => {
                say("starting Kafka, Postgres and Redis");
                Cluster::start(&ClusterPlan::new(self.plan.kafka_libs.clone())).await?
            }
        };
        self.runs += 1;
        let folder = self.plan.folder.join(format!("{}-{seed}", row.name));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("cannot empty the run's folder")?;
        }
        let run = Run { plan: &self.plan, row, seed, folder, number: self.runs, say };
        let report = run.go(&mut cluster).await;
        match report {
            // What failed may have left anything behind.
            Err(error) => {
                cluster.stop().await;
                Err(error)
            }
            Ok(report) => {
                cluster.heal();
                self.cluster = Some(cluster);
                Ok(report)
            }
        }
    }

    /// Stops the servers.
    pub async fn stop(self) {
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

struct Run<'a> {
    plan: &'a RunPlan,
    row: &'static Row,
    seed: u64,
    folder: PathBuf,
    number: usize,
    say: &'a dyn Fn(&str),
}

/// Who looks on while events run.
struct Watchers {
    stop: watch::Sender<bool>,
    followers: Vec<JoinHandle<Result<Followed>>>,
    sampler: JoinHandle<(BTreeSet<(i32, i64)>, usize)>,
}

impl Run<'_> {
    async fn go(&self, cluster: &mut Cluster) -> Result<Report> {
        (self.say)("starting two replicas, and waiting for their first sync");
        let mut stage = Stage::set(cluster, self.plan, &self.folder, self.row, self.seed).await?;
        for replica in &mut stage.replicas {
            replica.start(&[])?;
        }
        for replica in &mut stage.replicas {
            replica.ready().await?;
        }
        let simulator = Arc::clone(&stage.simulator);
        stage.deployment.issue_keys(&simulator).await?;
        let broker = Arc::new(cluster.broker_client(stage.deployment.group())?);
        let log = Arc::default();
        let sender = Sender { simulator, broker: Arc::clone(&broker), log };
        let first = stage.world(&World::new());
        let url = stage.deployment.superuser_url().to_owned();
        // What cannot be read is judged at the end: whether it becomes a dead letter is not taken for granted.
        let mut readable = first.clone();
        readable.retain(|_, truth| !truth.poisoned);
        self.until_quiet(&url, &readable, FIRST_WAIT_MAX).await.context("the first sync")?;
        if self.row.mix.webhooks > 0 {
            stage.subscribe().await?;
        }
        let watchers = watch(&stage, &broker, &sender);

        (self.say)(self.row.about);
        let dice = Dice::new(self.seed, 62, 0, 0);
        let mut fate = Fate {
            cluster,
            stage: &mut stage,
            broker: &broker,
            dice,
            short: self.plan.short,
            removed: World::new(),
        };
        // A file's document stays the same: once it can be read, a further state of it changes nothing.
        let mut targets = first.clone();
        targets.retain(|_, truth| self.row.act != Act::Mend || !truth.poisoned);
        let (awaiting, awaited) = watch::channel(());
        let awaiting = self.row.act.needs_events().then_some(awaiting);
        let traffic = sender.run(self.seed, self.plan.pace, self.row.mix, &targets, &awaited);
        let fault = async {
            let ended = fate.act(self.row.act).await;
            drop(awaiting);
            let ended = ended?;
            let recovered = self.recovered(&url, &sender, &fate, ended).await;
            anyhow::Ok(recovered)
        };
        let (sent, recovered) = tokio::join!(traffic, fault);
        sent?;
        let (recovered_s, removed) = (recovered?, std::mem::take(&mut fate.removed));
        cluster.heal();
        stage.simulator.clear_faults();
        self.judge(cluster, stage, sender, watchers, removed, recovered_s).await
    }

    async fn judge(
        &self,
        cluster: &Cluster,
        mut stage: Stage,
        sender: Sender,
        watchers: Watchers,
        removed: World,
        recovered_s: f64,
    ) -> Result<Report> {
        (self.say)("waiting until nothing is left to do");
        let (url, world) = (stage.deployment.superuser_url().to_owned(), stage.world(&removed));
        let quiet = self.until_quiet(&url, &world, QUIET_WAIT_MAX).await;
        let (followed, (above, looks)) = watchers.end().await?;
        anyhow::ensure!(looks > 0, "the offsets were never looked at");
        let told = search::told(&stage.replicas, stage.deployment.tenants()).await;
        let (canaries, in_memory) = self.in_memory(&stage).await?;
        for replica in &mut stage.replicas {
            replica.stop().await;
        }
        let mut catalog = Catalog::read(&url).await?;
        if quiet.is_ok() {
            // Nothing waited; a replica that lists upstream since then marks dead letters anew: work to come, no loss.
            catalog.marks.clear();
        }
        let twin = if self.plan.short {
            None
        } else {
            (self.say)("comparing with a program that sees no faults");
            Some(self.twin(cluster, &stage, &world).await?)
        };
        let sent = sender.sent();
        traffic::write(&sent, &self.folder.join("sent.jsonl"))?;
        catalog.write(&self.folder.join("catalog.jsonl"))?;
        let mut findings = oracle::judge(&world, &sent, &catalog, twin.as_deref(), &followed);
        if let Err(error) = quiet {
            findings.lost.push(format!("{error:#}"));
        }
        (self.say)("looking for planted secrets");
        let haystack =
            Haystack { cluster, superuser_url: &url, folder: &self.folder, told, followed: &followed };
        let leaks = search::search(&canaries, haystack).await?;
        let above: Vec<_> = above
            .into_iter()
            .map(|(partition, offset)| format!("{partition}:{offset} was committed before its work"))
            .collect();
        let none = Vec::new();
        let all = [
            ("lost", &findings.lost),
            ("doubled", &findings.doubled),
            ("stale", &findings.stale),
            ("canary", &leaks),
            ("in_memory", in_memory.as_ref().unwrap_or(&none)),
            ("offset_above_work", &above),
        ];
        let lines = all.iter().flat_map(|(kind, of)| of.iter().map(move |it| format!("{kind}: {it}\n")));
        std::fs::write(self.folder.join("findings.txt"), lines.collect::<String>())?;
        Ok(Report {
            row: self.row.name,
            seed: self.seed,
            events: sent.len(),
            lost: findings.lost.len(),
            doubled: findings.doubled.len(),
            stale: findings.stale.len(),
            canaries: leaks.len(),
            in_memory: in_memory.map(|held| held.len()),
            offset_above_work: above.len(),
            recovered_s,
        })
    }

    /// All planted secrets, and what workers still hold of them when they have had no work for a while; looked at where nothing was done to them.
    async fn in_memory(&self, stage: &Stage) -> Result<(Vec<Canary>, Option<Vec<String>>)> {
        let simulator = Arc::clone(&stage.simulator);
        let canaries = tokio::task::spawn_blocking(move || simulator.canaries()).await?;
        if self.row.name != "calm" {
            return Ok((canaries, None));
        }
        (self.say)("looking through the memory of the replicas");
        let organizations = stage.simulator.organizations();
        let held = organizations.first().map(|it| it.token.as_str()).context("there is no organization")?;
        let begun = Instant::now();
        loop {
            let found = search::memory(&canaries, held, &stage.replicas)?;
            if found.is_empty() || begun.elapsed() > IDLE_WAIT_MAX {
                return Ok((canaries, Some(found)));
            }
            sleep(IDLE_LOOK_EVERY).await;
        }
    }

    /// Seconds from the fault's end until all is visible that was told of before.
    async fn recovered(&self, url: &str, sender: &Sender, fate: &Fate<'_>, ended: Instant) -> f64 {
        let world = fate.stage.world(&fate.removed);
        let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
        for sent in sender.sent() {
            let told = matches!(sent.kind, SentKind::Change | SentKind::Webhook);
            let truth = world.get(&sent.workspace).filter(|truth| told && !truth.removed && !truth.poisoned);
            let place = truth.and_then(|truth| truth.place(sent.state_version.as_deref()));
            if let Some(place) = place {
                let known = wanted.entry(sent.workspace).or_default();
                *known = place.max(*known);
            }
        }
        let deadline = Instant::now() + QUIET_WAIT_MAX;
        while Instant::now() < deadline {
            let world = fate.stage.world(&fate.removed);
            let seen = |catalog: &Catalog| {
                wanted.iter().all(|(id, place)| {
                    let known = catalog.workspaces.get(id).and_then(|known| known.state_version.as_deref());
                    world.get(id).is_none_or(|truth| truth.removed || truth.place(known) >= Some(*place))
                })
            };
            if glance(url).await.is_some_and(|catalog| seen(&catalog)) {
                break;
            }
            sleep(LOOK_EVERY).await;
        }
        // Hundredths are all that looking ten times a second can tell.
        (ended.elapsed().as_secs_f64() * 100.0).round() / 100.0
    }

    /// Waits until every workspace shows its newest state and nothing waits.
    async fn until_quiet(&self, url: &str, world: &World, longest: Duration) -> Result<()> {
        let deadline = Instant::now() + longest;
        let quiet = |catalog: &Catalog| {
            catalog.marks.is_empty()
                && world.iter().all(|(id, truth)| {
                    let known = catalog.workspaces.get(id);
                    let served = known.and_then(|known| known.state_version.as_deref());
                    let letter = || catalog.letters.iter().any(|it| it.workspace.as_deref() == Some(id));
                    match (truth.removed, truth.poisoned) {
                        (true, _) => served.is_none(),
                        (_, true) => letter(),
                        _ => served == truth.versions.last().map(String::as_str),
                    }
                })
        };
        while Instant::now() < deadline {
            if glance(url).await.is_some_and(|catalog| quiet(&catalog)) {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
        anyhow::bail!("something was still to do after {longest:?}")
    }

    /// The entities that a program without faults makes of what upstream holds now.
    async fn twin(&self, cluster: &Cluster, stage: &Stage, world: &World) -> Result<Vec<KnownEntity>> {
        let mut plan = DeploymentPlan::new(
            self.plan.binary.clone(),
            self.folder.join("twin"),
            &format!("twin_{}", self.number),
        );
        plan.fresh_topics = false;
        plan.upstream = Some(format!("http://127.0.0.1:{}", stage.upstream.port()));
        plan.limits = vec!["tenant_requests_per_second: 25".to_owned(), "tenant_burst: 25".to_owned()];
        let deployment = cluster.deploy(plan, &stage.simulator).await?;
        super::catalog::record(deployment.superuser_url()).await?;
        let mut replica = deployment.replica("twin")?;
        replica.start(&[])?;
        replica.ready().await?;
        let present: World =
            world.iter().filter(|(_, it)| !it.removed).map(|(id, it)| (id.clone(), it.clone())).collect();
        let url = deployment.superuser_url();
        let deadline = Instant::now() + FIRST_WAIT_MAX;
        loop {
            let shown = glance(url).await.is_some_and(|catalog| {
                present.iter().filter(|(_, truth)| !truth.poisoned).all(|(id, truth)| {
                    let known = catalog.workspaces.get(id).and_then(|known| known.state_version.as_deref());
                    known == truth.versions.last().map(String::as_str)
                })
            });
            if shown {
                break;
            }
            anyhow::ensure!(Instant::now() < deadline, "the twin does not come to its end");
            sleep(LOOK_EVERY).await;
        }
        replica.kill();
        Ok(Catalog::read(url).await?.entities)
    }
}

fn watch(stage: &Stage, broker: &Arc<crate::cluster::BrokerClient>, sender: &Sender) -> Watchers {
    let (stop, stopped) = watch::channel(false);
    let origins: Vec<String> = stage.replicas.iter().map(crate::cluster::Replica::origin).collect();
    let followers = stage.deployment.tenants().iter();
    let followers = followers
        .map(|tenant| tokio::spawn(follow::follow(tenant.clone(), origins.clone(), stopped.clone())))
        .collect();
    let url = stage.deployment.superuser_url().to_owned();
    let sampler = tokio::spawn(sample::sample(Arc::clone(broker), url, sender.clone(), stopped));
    Watchers { stop, followers, sampler }
}

impl Watchers {
    async fn end(self) -> Result<(Vec<Followed>, (BTreeSet<(i32, i64)>, usize))> {
        self.stop.send_replace(true);
        let mut followed = Vec::new();
        for follower in self.followers {
            let one = tokio::time::timeout(Duration::from_secs(30), follower);
            followed.push(one.await.context("a follower does not come to the feed's end")???);
        }
        Ok((followed, self.sampler.await?))
    }
}

async fn glance(url: &str) -> Option<Catalog> {
    let look = async {
        let mut connection = PgConnection::connect(url).await.ok()?;
        let catalog = Catalog::glance(&mut connection, false).await.ok();
        let _ = connection.close().await;
        catalog
    };
    tokio::time::timeout(Duration::from_secs(5), look).await.ok()?
}
