//! One large tenant's feed as a new Backstage reads it: all of it as a snapshot, then pages of changes behind places in it.
//!
//! Must never take a page for read that lacks an entity.

use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use axum::http::StatusCode;
use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::answer::{self, Page, Wrong};
use super::connection::Connection;
use super::mix::status;
use super::seed::Seeded;
use super::timetable::histogram;

/// Most entries that the API gives at once.
const PAGE_LIMIT_MAX: u64 = 1_000;
/// Places in the feed that deltas are read behind: as many as a snapshot has pages.
const PLACES: u64 = 100;
/// Entries of a page of changes.
const DELTA_LIMIT: u64 = 500;
/// How often each place is read behind.
const DELTA_ROUNDS: usize = 3;

/// What reading came to.
pub(super) struct Read {
    pub(super) snapshot: Duration,
    pub(super) snapshot_pages: usize,
    pub(super) delta_us: Histogram<u64>,
}

/// Reads a tenant's feed from its beginning to its end, then full pages of it.
pub(super) async fn read(port: u16, key: &str, tenant: &Seeded) -> Result<Read> {
    let mut connection = Connection::open(port, key).await?;
    let limit = (tenant.entities / PLACES).clamp(1, PAGE_LIMIT_MAX);
    let begin = Instant::now();
    let (mut cursor, mut places, mut entities) = (String::new(), Vec::new(), 0);
    loop {
        let path = format!("/v1/snapshot?limit={limit}{cursor}");
        let page = page(&mut connection, &path, tenant).await?;
        entities += page.entities;
        let next = page.next_cursor.unwrap_or_default();
        cursor = format!("&cursor={next}");
        places.push((page.positions.last().copied().unwrap_or_default(), next));
        if !page.has_more {
            break;
        }
    }
    let snapshot = begin.elapsed();
    ensure!(u64::try_from(entities).ok() == Some(tenant.entities), "the snapshot is not whole");
    let mut delta_us = histogram()?;
    let snapshot_pages = places.len();
    for _ in 0..DELTA_ROUNDS {
        for (place, cursor) in &places {
            let due = tenant.entities.saturating_sub(*place).min(DELTA_LIMIT);
            // Behind the last place nothing is left: the shorter pages before it would make the figure better than it is.
            if due < DELTA_LIMIT.min(tenant.entities / 2) {
                continue;
            }
            let asked = Instant::now();
            let path = format!("/v1/changes?limit={DELTA_LIMIT}&cursor={cursor}");
            let page = page(&mut connection, &path, tenant).await?;
            delta_us.record(u64::try_from(asked.elapsed().as_micros())?.max(1))?;
            let first = page.positions.first().copied();
            ensure!(u64::try_from(page.entities).ok() == Some(due), "a page of changes is not whole");
            ensure!(first == Some(place + 1), "a page of changes does not go on at its cursor");
        }
    }
    Ok(Read { snapshot, snapshot_pages, delta_us })
}

async fn page(connection: &mut Connection, path: &str, tenant: &Seeded) -> Result<Page> {
    let wrong = |wrong: Wrong| anyhow!("a page of the feed is wrong: {}", wrong.name());
    let answer = connection.get(path, None).await.map_err(wrong)?;
    let answer = status(answer, StatusCode::OK).map_err(wrong)?;
    answer::changes(&answer.body, &tenant.id).map_err(wrong)
}
