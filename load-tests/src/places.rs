//! The places where a planted secret is looked for: what each is read by, and under what name a leak in it is told.
//!
//! One search for the demo, the fault matrix and their tests (`tests/planted_leaks.rs` plants in each place and has it found). Must never
//! leave a place out without saying so: what cannot be read is an error.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Headers as _;
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

use crate::leak_search::LeakSearch;

/// All rows, as the superuser sees them: what is compressed in the files is plain here.
pub const ROWS: &str = "Postgres' rows";
/// What Postgres did last, and what it removed since.
pub const WRITE_AHEAD_LOG: &str = "Postgres' write-ahead log";
/// Tables and indexes, and what stands in them though no row shows it.
pub const TABLES: &str = "Postgres' files";
/// Keys, headers and values of all records.
pub const RECORDS: &str = "Kafka's records";
/// Keys and values.
pub const REDIS: &str = "Redis";

/// Longest wait for a broker's answer.
const BROKER_WAIT: Duration = Duration::from_secs(30);
const POLL_WAIT: Duration = Duration::from_millis(100);

/// Looks through all rows of a database. `pg_dump` is the program.
///
/// # Errors
/// When the database cannot be read.
pub async fn rows(search: &mut LeakSearch, pg_dump: &Path, superuser_url: &str) -> Result<()> {
    let dump = run(&pg_dump.display().to_string(), &["--data-only", "--dbname", superuser_url]).await?;
    ensure!(!dump.is_empty(), "pg_dump says nothing: the search is not whole");
    search.look(&dump, ROWS);
    Ok(())
}

/// Looks through the files of a Postgres: tables, indexes, write-ahead log, server log.
///
/// # Errors
/// When a folder cannot be listed.
pub fn postgres_files(search: &mut LeakSearch, data_dir: &Path) -> Result<()> {
    let log = data_dir.join("pg_wal");
    ensure!(log.is_dir(), "there is no write-ahead log in this folder: the search is not whole");
    below(search, data_dir, &|path| Some(if path.starts_with(&log) { WRITE_AHEAD_LOG } else { TABLES }))
}

/// Looks through all files below a folder whose names end so. Servers remove files while they run: what is gone holds nothing.
///
/// # Errors
/// When a folder that is there cannot be listed.
pub fn files(search: &mut LeakSearch, folder: &Path, ending: &str, place: &str) -> Result<()> {
    let wanted = |path: &Path| path.to_string_lossy().ends_with(ending).then_some(place);
    below(search, folder, &wanted)
}

fn below<'p>(
    search: &mut LeakSearch,
    folder: &Path,
    place_of: &impl Fn(&Path) -> Option<&'p str>,
) -> Result<()> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        listed => listed.with_context(|| format!("cannot list {}", folder.display()))?,
    };
    for entry in listed.flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        if kind.as_ref().is_ok_and(std::fs::FileType::is_dir) {
            below(search, &path, place_of)?;
        } else if kind.is_ok_and(|kind| kind.is_file())
            && let Some(place) = place_of(&path)
            && let Ok(bytes) = std::fs::read(&path)
        {
            search.look(&bytes, place);
        }
    }
    Ok(())
}

/// Looks through all keys and values of a Redis on this machine that dumps without compression. The dump stands in `scratch` for as long as it
/// takes.
///
/// # Errors
/// When it cannot be dumped, or would compress what is looked for.
pub async fn redis(search: &mut LeakSearch, address: &str, scratch: &Path) -> Result<()> {
    let port = address.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
    let asked = run("redis-cli", &["-p", port, "config", "get", "rdbcompression"]).await?;
    ensure!(
        String::from_utf8_lossy(&asked).trim_end().ends_with("no"),
        "redis compresses its dump: start it with --rdbcompression no, or the search is not whole"
    );
    let dump = scratch.join("redis.rdb");
    run("redis-cli", &["-p", port, "--rdb", &dump.display().to_string()]).await?;
    search.look(&std::fs::read(&dump)?, REDIS);
    std::fs::remove_file(&dump)?;
    Ok(())
}

/// Looks through all records that a Kafka has now, of whatever topics.
///
/// # Errors
/// When one cannot be read.
pub async fn records(search: &mut LeakSearch, bootstrap: &str) -> Result<()> {
    let bootstrap = bootstrap.to_owned();
    let read = tokio::task::spawn_blocking(move || all_records(&bootstrap)).await?;
    search.look(&read.context("cannot read the topics: the search is not whole")?, RECORDS);
    Ok(())
}

fn all_records(bootstrap: &str) -> Result<Vec<u8>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", "terrasift-leak-search").set("log_level", "0");
    config.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
    let consumer: BaseConsumer = config.create()?;
    let mut list = TopicPartitionList::new();
    let mut ends = Vec::new();
    for topic in consumer.fetch_metadata(None, BROKER_WAIT)?.topics() {
        // What a broker keeps for itself holds positions of groups.
        for partition in topic.partitions().iter().filter(|_| !topic.name().starts_with("__")) {
            let (first, end) = consumer.fetch_watermarks(topic.name(), partition.id(), BROKER_WAIT)?;
            if first < end {
                list.add_partition_offset(topic.name(), partition.id(), Offset::Offset(first))?;
                ends.push((topic.name().to_owned(), partition.id(), end));
            }
        }
    }
    consumer.assign(&list)?;
    let (mut bytes, mut heard) = (Vec::new(), Instant::now());
    while !ends.is_empty() {
        let Some(record) = consumer.poll(POLL_WAIT) else {
            ensure!(heard.elapsed() < BROKER_WAIT, "the broker sends no more records before their end");
            continue;
        };
        let record = record?;
        heard = Instant::now();
        let headers = record.headers().into_iter().flat_map(|headers| headers.iter());
        let parts = headers.flat_map(|header| [Some(header.key.as_bytes()), header.value]);
        for part in [record.key(), record.payload()].into_iter().chain(parts).flatten() {
            bytes.extend_from_slice(part);
            bytes.push(b'\n');
        }
        ends.retain(|(topic, partition, end)| {
            record.topic() != topic || record.partition() != *partition || record.offset() + 1 < *end
        });
    }
    Ok(bytes)
}

/// Looks through an answer: status line's words apart, all that came, its headers and its body. The body.
///
/// # Errors
/// When it does not come whole.
pub async fn answer(
    search: &mut LeakSearch,
    response: reqwest::Response,
    place: &str,
) -> Result<bytes::Bytes> {
    for (name, value) in response.headers() {
        search.look(name.as_str().as_bytes(), place);
        search.look(value.as_bytes(), place);
    }
    let body = response.bytes().await.with_context(|| format!("no whole answer of {place}"))?;
    search.look(&body, place);
    Ok(body)
}

async fn run(program: &str, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("{program} failed: the search for secrets is not whole");
    }
    Ok(output.stdout)
}
