//! Which events are on their way, and when the feed shows them.
//!
//! A workspace's feed shows a state version; that answers for the event of that version and for all before it, which it
//! coalesced. Must never count an event twice.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::target::Target;

/// Seconds that the server may hold a poll.
const WAIT_S: u32 = 10;
const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// A failed poll is tried again after this long, with the next replica.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// An event on its way.
pub(super) struct Pending {
    pub(super) state_version: String,
    pub(super) intended: Instant,
    pub(super) phase: usize,
    pub(super) tenant: usize,
}

/// An event that the feed shows.
pub(super) struct Arrived {
    pub(super) phase: usize,
    pub(super) tenant: usize,
    pub(super) intended: Instant,
    pub(super) seen: Instant,
}

/// What is on its way, by workspace, and what has arrived since it was last asked for.
#[derive(Default)]
pub(super) struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    pending: HashMap<String, VecDeque<Pending>>,
    shown: HashSet<String>,
    arrived: Vec<Arrived>,
}

impl Ledger {
    /// An event goes out. Before it is sent: it can be seen at once.
    pub(super) fn expect(&self, workspace: &str, pending: Pending) {
        self.inner().pending.entry(workspace.to_owned()).or_default().push_back(pending);
    }

    /// The event was not sent after all.
    pub(super) fn give_up(&self, workspace: &str, state_version: &str) {
        if let Some(pending) = self.inner().pending.get_mut(workspace) {
            pending.retain(|one| one.state_version != state_version);
        }
    }

    /// The feed shows this version of the workspace.
    pub(super) fn shown(&self, workspace: &str, state_version: &str, seen: Instant) {
        let mut inner = self.inner();
        inner.shown.insert(workspace.to_owned());
        let Some(pending) = inner.pending.get_mut(workspace) else { return };
        let Some(at) = pending.iter().position(|one| one.state_version == state_version) else { return };
        let done: Vec<Pending> = pending.drain(..=at).collect();
        inner.arrived.extend(done.into_iter().map(|one| Arrived {
            phase: one.phase,
            tenant: one.tenant,
            intended: one.intended,
            seen,
        }));
    }

    /// What has arrived since the last time.
    pub(super) fn take_arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.inner().arrived)
    }

    /// Workspaces that the feed has shown.
    pub(super) fn workspaces_shown(&self) -> usize {
        self.inner().shown.len()
    }

    /// Events on their way.
    pub(super) fn waiting(&self) -> usize {
        self.inner().pending.values().map(VecDeque::len).sum()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows a tenant's feed as Backstage does, by cursor with long-poll, for as long as it is let.
pub(super) async fn follow(target: &Target, tenant: usize, ledger: &Ledger) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WAIT).build()?;
    let key = target.tenants.get(tenant).map(|tenant| tenant.key.as_str()).unwrap_or_default();
    let mut cursor: Option<String> = None;
    let mut replica = tenant;
    loop {
        let origin =
            target.api.get(replica % target.api.len().max(1)).map(String::as_str).unwrap_or_default();
        match page(&http, origin, key, cursor.as_deref()).await {
            Ok(page) => {
                take(&page, ledger, Instant::now());
                cursor = page["next_cursor"].as_str().map(str::to_owned);
            }
            Err(_) => {
                replica = replica.wrapping_add(1);
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}

async fn page(
    http: &reqwest::Client,
    origin: &str,
    key: &str,
    cursor: Option<&str>,
) -> reqwest::Result<Value> {
    let wait = WAIT_S.to_string();
    let mut query = vec![("limit", "1000"), ("wait", wait.as_str())];
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    let request = http.get(format!("{origin}/v1/changes")).query(&query).bearer_auth(key);
    request.send().await?.error_for_status()?.json().await
}

fn take(page: &Value, ledger: &Ledger, seen: Instant) {
    for change in page["changes"].as_array().into_iter().flatten() {
        let entity = &change["entity"];
        let annotation = |name: &str| entity["metadata"]["annotations"][name].as_str();
        if entity["kind"] == "TerraformWorkspace"
            && let Some(workspace) = annotation("terraform.io/workspace-id")
        {
            ledger.shown(workspace, annotation("terraform.io/state-version").unwrap_or_default(), seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_version_answers_for_what_it_coalesced_and_once() {
        let ledger = Ledger::default();
        let begin = Instant::now();
        for version in ["sv-1", "sv-2", "sv-3"] {
            let (state_version, intended) = (version.to_owned(), begin);
            ledger.expect("ws-1", Pending { state_version, intended, phase: 0, tenant: 0 });
        }
        ledger.shown("ws-1", "sv-2", begin);
        assert_eq!((ledger.take_arrived().len(), ledger.waiting()), (2, 1));
        ledger.shown("ws-1", "sv-2", begin);
        ledger.shown("ws-1", "sv-0", begin);
        ledger.shown("ws-2", "sv-3", begin);
        assert_eq!((ledger.take_arrived().len(), ledger.waiting()), (0, 1));
        ledger.give_up("ws-1", "sv-3");
        assert_eq!((ledger.waiting(), ledger.workspaces_shown()), (0, 2));
    }
}
