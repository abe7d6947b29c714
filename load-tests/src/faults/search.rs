//! The search for planted secrets in everything that left the engine: Postgres' rows, Kafka's segments, Redis, logs, metrics, feeds.
//!
//! Must never repeat a secret: a leak is told by its family and place.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::follow::Followed;
use crate::cluster::{Cluster, Replica};
use crate::generator::Canary;
use crate::leak_search::LeakSearch;
use crate::process_memory;

/// What is looked through.
pub(super) struct Haystack<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) superuser_url: &'a str,
    /// Logs of the replicas are in it.
    pub(super) folder: &'a Path,
    pub(super) metrics: Vec<String>,
    pub(super) followed: &'a [Followed],
}

/// Looks for all of them everywhere: a sentence for each that was found.
///
/// # Errors
/// When a place cannot be looked through: then the search is not whole.
pub(super) async fn search(canaries: &[Canary], haystack: Haystack<'_>) -> Result<Vec<String>> {
    let mut search = LeakSearch::new(canaries);
    let cluster = haystack.cluster;
    let pg_dump = cluster.postgres.program("pg_dump").display().to_string();
    let dump = run(pg_dump, &["--data-only", "--dbname", haystack.superuser_url]).await?;
    search.look(&dump, "Postgres' rows");
    search.look(&std::fs::read(cluster.postgres.log_file())?, "Postgres' log");
    look_below(&mut search, cluster.kafka.data_dir(), ".log", "Kafka's segments")?;
    look_below(&mut search, haystack.folder, ".log", "the replicas' logs")?;
    let port = cluster.redis.address();
    let port = port.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
    let rdb = haystack.folder.join("redis.rdb");
    run("redis-cli".to_owned(), &["-p", port, "--rdb", &rdb.display().to_string()]).await?;
    search.look(&std::fs::read(&rdb)?, "Redis");
    std::fs::remove_file(&rdb)?;
    for metrics in &haystack.metrics {
        search.look(metrics.as_bytes(), "the metrics");
    }
    for followed in haystack.followed {
        search.look(&followed.bytes, "the feed");
    }
    let told = search.leaks().into_iter();
    Ok(told
        .map(|leak| format!("a planted {} ({}) was found in {}", leak.family, leak.planted, leak.found))
        .collect())
}

/// Looks through the memory of the replicas that run: a sentence for each planted secret that is held there.
///
/// # Errors
/// When it is not whole: `held`, which each of them works with, has to be found by the same search.
pub(super) fn memory(canaries: &[Canary], held: &str, replicas: &[Replica]) -> Result<Vec<String>> {
    let known = Canary { text: held.to_owned(), family: "token", category: "credential", place: "held" };
    let all: Vec<Canary> = canaries.iter().cloned().chain([known]).collect();
    let mut told = Vec::new();
    for (pid, replica) in replicas.iter().filter_map(|replica| Some((replica.process_id()?, replica))) {
        let mut search = LeakSearch::new(&all);
        let looked = process_memory::look(&mut search, pid, "memory")?;
        let (known, leaks): (Vec<_>, Vec<_>) =
            search.leaks().into_iter().partition(|leak| leak.canary == canaries.len());
        if known.is_empty() {
            bail!(
                "the memory of {} does not show what it must hold: the search is not whole",
                replica.origin()
            );
        }
        told.extend(leaks.into_iter().map(|leak| {
            format!("a planted {} ({}) among {looked} bytes of memory", leak.family, leak.planted)
        }));
    }
    Ok(told)
}

async fn run(program: String, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = tokio::process::Command::new(&program)
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

fn look_below(search: &mut LeakSearch, folder: &Path, ending: &str, place: &str) -> Result<()> {
    // Kafka deletes segments and folders while it runs.
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        listed => listed.with_context(|| format!("cannot list {place}"))?,
    };
    for entry in listed.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            look_below(search, &entry.path(), ending, place)?;
        } else if entry.file_name().to_string_lossy().ends_with(ending)
            && let Ok(bytes) = std::fs::read(entry.path())
        {
            search.look(&bytes, place);
        }
    }
    Ok(())
}
