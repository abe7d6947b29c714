//! The search for planted secrets in everything that left the engine (invariant 1): Postgres' rows and files, Kafka's
//! records, the log, the metrics, the feed and the API's other answers.
//!
//! Must never print a secret: a leak is told by its family and where it was found.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use terrasift_kafka::{Consumer, IntakeEvent, KafkaConfig};
use terrasift_load_tests::generator::Canary;
use terrasift_load_tests::leak_search::{Leak, LeakSearch};
use terrasift_schemas::event::{SANITIZATION_FAILED_TOPIC, STATE_UPDATED_TOPIC, WORKSPACE_DISCOVERED_TOPIC};
use terrasift_schemas::feed::ChangesPage;

use super::world::World;

/// The topics are read to their end when nothing came for this long.
const TOPICS_QUIET: Duration = Duration::from_secs(2);

/// Beside the feed: first pages, and problems of each kind that a reader can cause.
const ANSWERS: [&str; 12] = [
    "/v1/snapshot?limit=1000",
    "/v1/entities?limit=1000",
    "/v1/workspaces",
    "/v1/audit?limit=1000",
    "/v1/dead-letters?state=all&limit=1000",
    "/v1/entities/by-ref/resource/none/none",
    "/v1/changes?cursor=none",
    "/v1/changes?limit=0",
    "/v1/audit/none",
    "/v1/nothing",
    "/healthz",
    "/readyz",
];

/// Searches everywhere. Each canary counts once.
pub async fn search(world: &World, canaries: &[Canary]) -> anyhow::Result<BTreeSet<Leak>> {
    if canaries.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut search = LeakSearch::new(canaries);
    search.look(&dump(world).await?, "Postgres' rows");
    look_below(&mut search, world.postgres.data_dir())?;
    search.look(&std::fs::read(&world.log).context("cannot read the log")?, "the log");
    search.look(&topics(&world.kafka).await?, "Kafka's records");
    let metrics = world.http.get(format!("{}/metrics", world.origin)).send().await?.bytes().await?;
    search.look(&metrics, "the metrics");
    for tenant in &world.tenants {
        search.look(&feed(world, tenant.api_key.expose()).await?, "the feed");
        for path in ANSWERS {
            let request =
                world.http.get(format!("{}{path}", world.origin)).bearer_auth(tenant.api_key.expose());
            search.look(&request.send().await?.bytes().await?, path);
        }
    }
    Ok(search.leaks())
}

/// Tells what was found, without the secret.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub fn report(leaks: &BTreeSet<Leak>) {
    for leak in leaks {
        eprintln!("LEAK: a planted {} ({}) was found in {}", leak.family, leak.planted, leak.found);
    }
}

/// Looks into all files below a folder: tables, indexes, write-ahead log, server log.
fn look_below(search: &mut LeakSearch, folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            look_below(search, &entry.path())?;
        } else if kind.is_file() {
            // Postgres removes files while it runs.
            if let Ok(bytes) = std::fs::read(entry.path()) {
                search.look(&bytes, &format!("Postgres' file {}", entry.path().display()));
            }
        }
    }
    Ok(())
}

/// All rows of the database as text, as the superuser sees them: what is compressed in the files is plain here.
async fn dump(world: &World) -> anyhow::Result<Vec<u8>> {
    let output = tokio::process::Command::new(world.postgres.program("pg_dump"))
        .arg("--data-only")
        .arg("--dbname")
        .arg(world.postgres.superuser_url())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run pg_dump")?;
    if !output.status.success() || output.stdout.is_empty() {
        bail!("pg_dump failed: the search for leaks is not whole");
    }
    Ok(output.stdout)
}

/// Keys, headers and values of all records of all topics.
async fn topics(kafka: &KafkaConfig) -> anyhow::Result<Vec<u8>> {
    let config = KafkaConfig { group: "terrasift-leak-search".to_owned(), ..kafka.clone() };
    let topics = [WORKSPACE_DISCOVERED_TOPIC, STATE_UPDATED_TOPIC, SANITIZATION_FAILED_TOPIC];
    let (consumer, mut events) = Consumer::start(&config, &topics, 8).context("cannot read the topics")?;
    let mut bytes = Vec::new();
    let mut assigned = false;
    loop {
        let wait = if assigned { TOPICS_QUIET } else { Duration::from_secs(30) };
        match tokio::time::timeout(wait, events.recv()).await {
            Ok(Some(IntakeEvent::Batch(records))) => {
                for record in records {
                    let parts = [record.key, record.value].into_iter().flatten();
                    for part in parts.chain(record.headers.into_iter().map(|(_, value)| value)) {
                        bytes.extend_from_slice(&part);
                        bytes.push(b'\n');
                    }
                }
            }
            Ok(Some(IntakeEvent::Assigned(_))) => assigned = true,
            Ok(Some(IntakeEvent::Revoked(_))) => (),
            Ok(Some(IntakeEvent::Fault(error))) => return Err(error).context("cannot read the topics"),
            Ok(None) => bail!("cannot read the topics: the consumer ended"),
            Err(_) if assigned => break,
            Err(_) => bail!("cannot read the topics: no partition was assigned"),
        }
    }
    consumer.stop().await;
    Ok(bytes)
}

/// The whole feed of a tenant, as its bytes come over the wire.
async fn feed(world: &World, api_key: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000".to_owned())];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let request =
            world.http.get(format!("{}/v1/changes", world.origin)).query(&query).bearer_auth(api_key);
        let body = request.send().await?.error_for_status()?.bytes().await?;
        bytes.extend_from_slice(&body);
        let page: ChangesPage =
            serde_json::from_slice(&body).context("a page of the feed is not as documented")?;
        if !page.has_more {
            return Ok(bytes);
        }
        cursor = Some(page.next_cursor);
    }
}
