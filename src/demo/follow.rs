//! Followers: one task a tenant reads the feed as Backstage would, by cursor with long-poll.
//!
//! Must never look into the database: what counts is what the API shows.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use terrasift_schemas::feed::{ChangeKind, ChangesPage};
use terrasift_schemas::{EntityRef, TenantId};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::world::World;

/// Seconds that the server may hold a poll.
const WAIT_S: u32 = 20;
/// A failed poll is tried again after this long.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Pages on their way to the watcher.
const PAGES_MAX: usize = 64;

/// A page as the watcher needs it.
pub struct Seen {
    pub tenant: TenantId,
    pub at: Instant,
    /// Workspaces whose entity stands in the page.
    pub workspaces: Vec<String>,
    /// Upserts and removals in the page.
    pub upserts: usize,
    pub removals: usize,
    /// Live entities of the tenant after the page.
    pub entities: usize,
}

/// The running followers; dropped, they stop.
pub struct Followers {
    pub seen: mpsc::Receiver<Seen>,
    _tasks: JoinSet<()>,
}

/// Starts a follower for each tenant.
pub fn start(world: &World) -> Followers {
    let (sender, seen) = mpsc::channel(PAGES_MAX);
    let mut tasks = JoinSet::new();
    for tenant in &world.tenants {
        let follower = Follower {
            http: world.http.clone(),
            url: format!("{}/v1/changes", world.origin),
            api_key: tenant.api_key.expose().to_owned(),
            tenant: tenant.id.clone(),
            live: HashSet::new(),
            cursor: None,
        };
        tasks.spawn(follower.run(sender.clone()));
    }
    Followers { seen, _tasks: tasks }
}

struct Follower {
    http: reqwest::Client,
    url: String,
    api_key: String,
    tenant: TenantId,
    live: HashSet<EntityRef>,
    cursor: Option<String>,
}

impl Follower {
    async fn run(mut self, sender: mpsc::Sender<Seen>) {
        loop {
            match self.poll().await {
                Ok(page) => {
                    let seen = self.take_in(page);
                    if (seen.upserts + seen.removals > 0) && sender.send(seen).await.is_err() {
                        return;
                    }
                }
                Err(_) => tokio::time::sleep(RETRY_AFTER).await,
            }
        }
    }

    async fn poll(&self) -> reqwest::Result<ChangesPage> {
        let mut query = vec![("limit", "1000".to_owned()), ("wait", WAIT_S.to_string())];
        query.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        let request = self.http.get(&self.url).query(&query).bearer_auth(&self.api_key);
        request.timeout(Duration::from_secs(60)).send().await?.error_for_status()?.json().await
    }

    fn take_in(&mut self, page: ChangesPage) -> Seen {
        let at = Instant::now();
        let mut workspaces = Vec::new();
        let (mut upserts, mut removals) = (0, 0);
        for change in page.changes {
            match change.change {
                ChangeKind::Upsert => {
                    upserts += 1;
                    let entity = change.entity.unwrap_or_default();
                    if entity["kind"] == "TerraformWorkspace"
                        && let Some(id) =
                            entity["metadata"]["annotations"]["terraform.io/workspace-id"].as_str()
                    {
                        workspaces.push(id.to_owned());
                    }
                    self.live.insert(change.entity_ref);
                }
                ChangeKind::Remove => {
                    removals += 1;
                    self.live.remove(&change.entity_ref);
                }
            }
        }
        self.cursor = Some(page.next_cursor);
        Seen { tenant: self.tenant.clone(), at, workspaces, upserts, removals, entities: self.live.len() }
    }
}
