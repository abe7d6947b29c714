//! The search for planted secrets in everything that left the engine (invariant 1): Postgres' rows and files, Kafka's
//! records, the log, the metrics, the feed and the API's other answers.
//!
//! Must never print a secret: a leak is told by its family and where it was found.

use std::collections::BTreeSet;

use anyhow::Context;
use terrasift_load_tests::generator::Canary;
use terrasift_load_tests::leak_search::{Leak, LeakSearch};
use terrasift_load_tests::places;
use terrasift_schemas::feed::ChangesPage;

use super::world::World;

/// Beside the feed: first pages, and problems of each kind that a reader can cause.
const ANSWERS: [&str; 16] = [
    "/v1/snapshot?limit=1000",
    "/v1/entities?limit=1000",
    "/v1/workspaces",
    "/v1/resources?limit=1000",
    "/v1/resource-types",
    "/v1/status",
    "/v1/runs?limit=1000",
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

/// Searches everywhere.
pub async fn search(world: &World, canaries: &[Canary]) -> anyhow::Result<BTreeSet<Leak>> {
    if canaries.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut search = LeakSearch::new(canaries);
    let pg_dump = world.postgres.program("pg_dump");
    places::rows(&mut search, &pg_dump, &world.postgres.superuser_url()).await?;
    places::postgres_files(&mut search, world.postgres.data_dir())?;
    search.look(&std::fs::read(&world.log).context("cannot read the log")?, "the log");
    places::records(&mut search, &world.kafka.bootstrap).await?;
    let metrics = world.http.get(format!("{}/metrics", world.origin)).send().await?;
    places::answer(&mut search, metrics, "the metrics").await?;
    for tenant in &world.tenants {
        feed(&mut search, world, tenant.api_key.expose()).await?;
        for path in ANSWERS {
            let request =
                world.http.get(format!("{}{path}", world.origin)).bearer_auth(tenant.api_key.expose());
            places::answer(&mut search, request.send().await?, path).await?;
        }
    }
    Ok(search.leaks())
}

/// Tells what was found, without the secret.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub fn report(leaks: &BTreeSet<Leak>) {
    for leak in leaks {
        eprintln!("LEAK: {leak}");
    }
}

/// The whole feed of a tenant, as its bytes come over the wire.
async fn feed(search: &mut LeakSearch, world: &World, api_key: &str) -> anyhow::Result<()> {
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000".to_owned())];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let request =
            world.http.get(format!("{}/v1/changes", world.origin)).query(&query).bearer_auth(api_key);
        let body = places::answer(search, request.send().await?.error_for_status()?, "the feed").await?;
        let page: ChangesPage =
            serde_json::from_slice(&body).context("a page of the feed is not as documented")?;
        if !page.has_more {
            return Ok(());
        }
        cursor = Some(page.next_cursor);
    }
}
