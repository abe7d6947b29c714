//! The search for planted secrets in everything that left the engine: Postgres' rows, Kafka's segments, Redis, logs, metrics, feeds.
//!
//! Must never repeat a secret: a leak is told by its family and place.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use super::follow::Followed;
use crate::cluster::{Cluster, Replica, TenantAccess};
use crate::generator::Canary;
use crate::leak_search::LeakSearch;
use crate::{places, process_memory};

/// Look-ups that go through the cache, and some that do not.
const LOOK_UPS: [&str; 4] = ["/v1/workspaces", "/v1/resource-types", "/v1/entities?limit=1000", "/v1/status"];
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// What is looked through.
pub(super) struct Haystack<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) superuser_url: &'a str,
    /// Logs of the replicas are in it.
    pub(super) folder: &'a Path,
    pub(super) told: Told,
    pub(super) followed: &'a [Followed],
}

/// What replicas tell while they run.
pub(super) struct Told {
    metrics: Vec<String>,
    /// Of the API, beside the feed.
    answers: Vec<bytes::Bytes>,
}

/// Asks the replicas that run for their metrics and for what they answer to look-ups: the cache holds that from then on, in Redis.
pub(super) async fn told(replicas: &[Replica], tenants: &[TenantAccess]) -> Told {
    let http = reqwest::Client::new();
    let (mut metrics, mut answers) = (Vec::new(), Vec::new());
    for replica in replicas {
        metrics.extend(replica.metrics().await);
    }
    for (replica, tenant) in replicas.iter().flat_map(|it| tenants.iter().map(move |tenant| (it, tenant))) {
        for path in LOOK_UPS {
            let request = http.get(format!("{}{path}", replica.origin())).bearer_auth(&tenant.api_key);
            // A replica that was killed for good answers nothing.
            if let Ok(answer) = request.timeout(ANSWER_WAIT).send().await {
                answers.extend(answer.bytes().await.ok());
            }
        }
    }
    Told { metrics, answers }
}

/// Looks for all of them everywhere: a sentence for each that was found.
///
/// # Errors
/// When a place cannot be looked through: then the search is not whole.
pub(super) async fn search(canaries: &[Canary], haystack: Haystack<'_>) -> Result<Vec<String>> {
    let mut search = LeakSearch::new(canaries);
    let cluster = haystack.cluster;
    let pg_dump = cluster.postgres.program("pg_dump");
    places::rows(&mut search, &pg_dump, haystack.superuser_url).await?;
    places::postgres_files(&mut search, cluster.postgres.data_dir())?;
    places::files(&mut search, cluster.kafka.data_dir(), ".log", "Kafka's segments")?;
    places::files(&mut search, haystack.folder, ".log", "the replicas' logs")?;
    places::redis(&mut search, &cluster.redis.address(), haystack.folder).await?;
    for metrics in &haystack.told.metrics {
        search.look(metrics.as_bytes(), "the metrics");
    }
    for answer in &haystack.told.answers {
        search.look(answer, "the API's answers");
    }
    for followed in haystack.followed {
        search.look(&followed.bytes, "the feed");
    }
    Ok(search.leaks().iter().map(ToString::to_string).collect())
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
