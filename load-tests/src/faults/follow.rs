//! A reader of a tenant's feed, as Backstage is one: from the beginning, page by page, through whatever replica answers.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::cluster::TenantAccess;

const GAP: Duration = Duration::from_millis(150);
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// What a reader came to.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// Whose feed.
    pub tenant: String,
    /// What it holds: references and their places in the feed.
    pub held: BTreeMap<String, i64>,
    /// Places that came twice or out of order.
    pub disorder: Vec<String>,
    /// All pages as they came, to be searched for secrets.
    pub bytes: Vec<u8>,
    /// The last page was an end.
    pub at_end: bool,
}

/// Follows until it is told to stop; then once more to the end.
pub async fn follow(
    tenant: TenantAccess,
    origins: Vec<String>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Followed> {
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WAIT).build()?;
    let mut followed = Followed { tenant: tenant.id.clone(), ..Followed::default() };
    let (mut cursor, mut seen, mut last) = (None, HashSet::new(), 0);
    let mut turn = 0;
    loop {
        let stopping = *stop.borrow();
        turn += 1;
        let origin = &origins[turn % origins.len()];
        if let Some(page) = page(&http, origin, &tenant.api_key, cursor.as_deref(), &mut followed.bytes).await
        {
            take(&mut followed, &page, &mut seen, &mut last);
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            followed.at_end = page["has_more"] == false;
            if !followed.at_end {
                continue;
            }
            if stopping {
                return Ok(followed);
            }
        } else if stopping && turn > 10_000 {
            return Ok(followed);
        }
        tokio::select! {
            () = tokio::time::sleep(GAP) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn page(
    http: &reqwest::Client,
    origin: &str,
    key: &str,
    cursor: Option<&str>,
    bytes: &mut Vec<u8>,
) -> Option<Value> {
    let mut query = vec![("limit", "1000")];
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    let answer = http.get(format!("{origin}/v1/changes")).query(&query).bearer_auth(key).send().await.ok()?;
    let taken = answer.status().is_success();
    let body = answer.bytes().await.ok()?;
    bytes.extend_from_slice(&body);
    if taken { serde_json::from_slice(&body).ok() } else { None }
}

fn take(followed: &mut Followed, page: &Value, seen: &mut HashSet<i64>, last: &mut i64) {
    for change in page["changes"].as_array().into_iter().flatten() {
        let seq = change["seq"].as_i64().unwrap_or_default();
        let name = change["entity_ref"].as_str().unwrap_or_default().to_owned();
        if !seen.insert(seq) {
            followed.disorder.push(format!("{name}: place {seq} of the feed came twice"));
        } else if seq < *last {
            followed.disorder.push(format!("{name}: place {seq} of the feed came after {last}"));
        }
        *last = seq.max(*last);
        match change["change"].as_str() {
            Some("remove") => drop(followed.held.remove(&name)),
            _ => drop(followed.held.insert(name, seq)),
        }
    }
}
