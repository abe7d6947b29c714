//! The stream of events: open loop, seeded, over workspaces of several tenants of which a few are hot.
//!
//! Must never slow down because the engine or a server does: what cannot be sent now is sent later, and the next change comes all
//! the same.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::oracle::World;
use crate::cluster::{BrokerClient, STATE_UPDATED};
use crate::generator::Dice;
use crate::simulator::{BumpedState, Simulator};

/// Of a tenant's workspaces so many are hot, and get this part of all changes: what coalesces.
const HOT: usize = 2;
const HOT_PERCENT: u32 = 40;
/// From one event to the next while the stream is longer than planned.
const MORE_EVERY: Duration = Duration::from_secs(1);
/// How late a reordered record comes, at most.
const REORDERED_MS: u32 = 1_500;

/// What makes a row's stream special: parts of a hundred.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mix {
    /// Records that are sent three times.
    pub duplicates: u32,
    /// Records that come up to 1.5 s late, behind newer ones.
    pub reordered: u32,
    /// Further records that fit nobody.
    pub poison: u32,
    /// Changes that no event tells of.
    pub silent: u32,
    /// Changes that begin a new lineage.
    pub lineages: u32,
    /// Events by signed webhook instead of a record.
    pub webhooks: u32,
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SentKind {
    /// A change and its record.
    Change,
    /// The same record again.
    Duplicate,
    /// A record that fits nobody.
    Poison,
    /// A change of which nothing told.
    Silent,
    /// A change and its notification.
    Webhook,
}

/// A line of `sent.jsonl`.
#[derive(Debug, Clone, Serialize)]
pub struct Sent {
    /// Milliseconds since the stream began: when the change happened.
    pub at_ms: u128,
    /// What.
    pub kind: SentKind,
    /// Whose.
    pub tenant: String,
    /// Workspace.
    pub workspace: String,
    /// State version that upstream has since.
    pub state_version: Option<String>,
    /// Its lineage.
    pub lineage: Option<String>,
    /// Its serial.
    pub serial: Option<u64>,
    /// Where the record stands.
    pub topic: Option<&'static str>,
    /// Where the record stands.
    pub partition: Option<i32>,
    /// Where the record stands.
    pub offset: Option<i64>,
}

impl Sent {
    /// Partition and offset, where it is a record.
    #[must_use]
    pub fn place(&self) -> Option<(i32, i64)> {
        self.partition.zip(self.offset)
    }
}

/// Writes `sent.jsonl`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(sent: &[Sent], path: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for line in sent {
        writeln!(out, "{}", serde_json::to_string(line)?)?;
    }
    Ok(out.flush()?)
}

/// How many events in which time.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Events.
    pub events: u32,
    /// From the first to the last.
    pub during: Duration,
}

/// Who sends. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    /// Changes states.
    pub simulator: Arc<Simulator>,
    /// Writes records.
    pub broker: Arc<BrokerClient>,
    /// What was sent so far, for who looks meanwhile.
    pub log: Arc<std::sync::Mutex<Vec<Sent>>>,
}

impl Sender {
    /// A copy of what was sent so far.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn note(&self, sent: Sent) {
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(sent);
    }

    /// Runs the stream to its end, and until all records are written. The stream goes on while `awaited` has a
    /// sender, who holds it until the fault has struck: on a machine full of builds a replica may need longer to start than a
    /// short stream takes.
    ///
    /// # Errors
    /// When a record could not be written within a minute.
    pub async fn run(
        &self,
        seed: u64,
        pace: Pace,
        mix: Mix,
        world: &World,
        awaited: &watch::Receiver<()>,
    ) -> Result<()> {
        let mut dice = Dice::new(seed, 61, 0, 0);
        let mut tenants: Vec<Vec<String>> = Vec::new();
        for (id, truth) in world {
            match tenants.iter_mut().find(|of| world.get(&of[0]).is_some_and(|it| it.tenant == truth.tenant))
            {
                Some(of) => of.push(id.clone()),
                None => tenants.push(vec![id.clone()]),
            }
        }
        let begin = Instant::now();
        let gap = pace.during / pace.events.max(1);
        let mut sends = JoinSet::new();
        for number in 0u32.. {
            let more = number.saturating_sub(pace.events);
            if number >= pace.events && awaited.has_changed().is_err() {
                break;
            }
            tokio::time::sleep_until(begin + gap * (number - more) + MORE_EVERY * more).await;
            let of = dice.pick(&tenants);
            let hot = dice.below(100) < HOT_PERCENT;
            let workspace = if hot { dice.pick(&of[..HOT.min(of.len())]) } else { dice.pick(of) }.clone();
            let tenant = world.get(&workspace).map(|truth| truth.tenant.clone()).unwrap_or_default();
            let new_lineage = dice.below(100) < mix.lineages;
            let way = Way::draw(&mut dice, mix);
            let bumped = match new_lineage {
                true => self.simulator.bump_to_new_lineage(&workspace),
                false => self.simulator.bump(&workspace),
            };
            // It was removed upstream meanwhile.
            let Ok(bumped) = bumped else { continue };
            let sender = self.clone();
            let at_ms = begin.elapsed().as_millis();
            sends.spawn(async move { sender.tell(number, at_ms, &tenant, &bumped, way).await });
        }
        while let Some(sent) = sends.join_next().await {
            sent.context("a sender crashed")??;
        }
        Ok(())
    }

    async fn tell(
        &self,
        number: u32,
        at_ms: u128,
        tenant: &str,
        bumped: &BumpedState,
        way: Way,
    ) -> Result<()> {
        let sent = |kind| Sent {
            at_ms,
            kind,
            tenant: tenant.to_owned(),
            workspace: bumped.workspace_id.clone(),
            state_version: Some(bumped.state_version_id.clone()),
            lineage: Some(bumped.lineage.clone()),
            serial: Some(bumped.serial),
            topic: None,
            partition: None,
            offset: None,
        };
        tokio::time::sleep(way.late).await;
        if way.poison {
            let place = self.broker.send(STATE_UPDATED, tenant, &[], b"not json").await?;
            self.note(Sent {
                state_version: None,
                lineage: None,
                serial: None,
                topic: Some(STATE_UPDATED),
                partition: Some(place.partition),
                offset: Some(place.offset),
                ..sent(SentKind::Poison)
            });
        }
        if way.silent {
            self.note(sent(SentKind::Silent));
            return Ok(());
        }
        // Where nobody was there to take it, a record tells: what nothing tells of is another row's business.
        if way.webhook && self.notify(bumped).await? {
            self.note(sent(SentKind::Webhook));
            return Ok(());
        }
        for copy in 0..way.copies {
            let place = self.record(number, tenant, bumped).await?;
            let kind = if copy == 0 { SentKind::Change } else { SentKind::Duplicate };
            let (partition, offset) = (Some(place.partition), Some(place.offset));
            self.note(Sent { topic: Some(STATE_UPDATED), partition, offset, ..sent(kind) });
        }
        Ok(())
    }

    /// A record as the contract documents it.
    async fn record(
        &self,
        number: u32,
        tenant: &str,
        bumped: &BumpedState,
    ) -> Result<crate::cluster::SentRecord> {
        let now = OffsetDateTime::now_utc().format(&Rfc3339)?;
        let id = format!("fault-{number}");
        let value = json!({
            "tenant": tenant,
            "workspace": bumped.workspace_id,
            "run": bumped.run_id,
            "time": now,
            "priority": "normal",
        });
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", &id),
            ("ce_source", "/faults"),
            ("ce_type", "io.terrasift.state.updated.v1"),
            ("ce_time", &now),
            ("content-type", "application/json"),
        ];
        let key = format!("{tenant}/{}", bumped.workspace_id);
        self.broker.send(STATE_UPDATED, &key, &headers, value.to_string().as_bytes()).await
    }

    /// A notification, sent once, as Terraform Cloud does: whether somebody took it.
    async fn notify(&self, bumped: &BumpedState) -> Result<bool> {
        let (workspace, run) = (&bumped.workspace_id, Some(bumped.run_id.as_str()));
        let deliveries = self.simulator.send_notification(workspace, run, "run:completed", "applied").await?;
        Ok(deliveries.iter().any(crate::simulator::Delivery::accepted))
    }
}

/// How one change is told.
struct Way {
    late: Duration,
    copies: u32,
    poison: bool,
    silent: bool,
    webhook: bool,
}

impl Way {
    fn draw(dice: &mut Dice, mix: Mix) -> Self {
        let mut of_hundred = |part: u32| dice.below(100) < part;
        let (poison, silent, webhook) =
            (of_hundred(mix.poison), of_hundred(mix.silent), of_hundred(mix.webhooks));
        let copies = if of_hundred(mix.duplicates) { 3 } else { 1 };
        let late = if of_hundred(mix.reordered) { dice.below(REORDERED_MS) } else { 0 };
        Self { late: Duration::from_millis(u64::from(late)), copies, poison, silent, webhook }
    }
}
