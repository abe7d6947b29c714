//! What a row runs on: the servers, the simulator behind a proxy, a deployment and its replicas.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use super::catalog;
use super::oracle::{Truth, World};
use super::rows::{Act, Row};
use super::run::RunPlan;
use crate::cluster::{Cluster, Deployment, DeploymentPlan, FaultProxy, Replica};
use crate::generator::{StateSize, StateSpec, mix};
use crate::simulator::{OrganizationSpec, Simulator, SimulatorConfig, StateSource, WorkspaceSpec};

/// Partitions of the topics.
pub(super) const PARTITIONS: u16 = 8;
/// Tenants, and workspaces of each.
const TENANTS: u64 = 4;
const WORKSPACES: u64 = 12;
const WORKSPACES_SHORT: u64 = 4;
/// A sync without progress for so long is stuck; short, so that a row sees it end.
const STUCK_AFTER_S: u32 = 5;
/// Debian's library, installed by the Makefile.
const FAKETIME: &str = "faketime/libfaketimeMT.so.1";

/// Everything that runs.
pub(super) struct Stage {
    pub(super) simulator: Arc<Simulator>,
    pub(super) upstream: FaultProxy,
    pub(super) deployment: Deployment,
    pub(super) replicas: Vec<Replica>,
    /// Offset of the last replica's clock, where the row jumps it.
    pub(super) clock: Option<PathBuf>,
    poisoned: Vec<String>,
}

impl Stage {
    pub(super) async fn set(
        cluster: &Cluster,
        run: &RunPlan,
        folder: &Path,
        row: &Row,
        seed: u64,
    ) -> Result<Self> {
        let workspaces = if run.short { WORKSPACES_SHORT } else { WORKSPACES };
        let name = format!("{}_{seed}", row.name.replace('-', "_"));
        std::fs::create_dir_all(folder).context("cannot make the run's folder")?;
        let bad = folder.join("unreadable.json");
        std::fs::write(&bad, "{\"version\": 4, \"serial\": 1, \"resources\": \"none\"}")?;
        let organizations: Vec<_> =
            (0..TENANTS).map(|at| organization(seed, at, workspaces, row.poisoned, &bad)).collect();
        let simulator = Simulator::start(SimulatorConfig::new(seed, organizations)).await?;
        let port = simulator.api_origin().rsplit(':').next().and_then(|port| port.parse().ok());
        let upstream = FaultProxy::start(port.context("the simulator has no port")?).await?;
        let deployment = cluster.deploy(plan(&run.binary, folder, &name, row, &upstream), &simulator).await?;
        catalog::record(deployment.superuser_url()).await?;
        let simulator = Arc::new(simulator);
        let poisoned = simulator.workspaces().into_iter().filter(|it| it.name.starts_with("unreadable"));
        let poisoned = poisoned.map(|it| it.id).collect();
        let mut stage = Self { simulator, upstream, deployment, replicas: Vec::new(), clock: None, poisoned };
        stage.replicas.push(stage.deployment.replica("a")?);
        let last = if row.act == Act::ClockJump {
            stage.with_clock(folder)?
        } else {
            stage.deployment.replica("b")?
        };
        stage.replicas.push(last);
        Ok(stage)
    }

    /// A replica whose clock can be moved.
    fn with_clock(&mut self, folder: &Path) -> Result<Replica> {
        let library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
            .into_iter()
            .map(|place| Path::new(place).join(FAKETIME))
            .find(|path| path.exists())
            .context("the package faketime is missing: `make faults-packages` installs it")?;
        let clock = folder.join("clock");
        std::fs::write(&clock, "+0")?;
        let variables = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        self.clock = Some(clock);
        self.deployment.replica_with("b", &variables)
    }

    /// Configures a notification of each workspace, sent to the first replica.
    pub(super) async fn subscribe(&self) -> Result<()> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let origin = self.replicas.first().map(Replica::origin).unwrap_or_default();
        for tenant in self.deployment.tenants() {
            let token = self.simulator.organizations().into_iter().find(|it| it.name == tenant.id);
            let token = token.map(|it| it.token).unwrap_or_default();
            for workspace in self.simulator.workspaces().iter().filter(|it| it.organization == tenant.id) {
                let body = serde_json::json!({"data": {"type": "notification-configurations", "attributes": {
                    "destination-type": "generic", "enabled": true, "name": "terrasift",
                    "url": format!("{origin}/v1/webhooks/terraform-cloud/{}", tenant.id),
                    "token": tenant.webhook_secret, "triggers": ["run:completed"]
                }}});
                let path = format!("/api/v2/workspaces/{}/notification-configurations", workspace.id);
                let url = format!("{}{path}", self.simulator.api_origin());
                // The simulator keeps Terraform Cloud's limit of requests, also for people.
                loop {
                    let asked = http.post(&url).bearer_auth(&token).body(body.to_string());
                    let answer = asked.header("content-type", "application/vnd.api+json").send().await?;
                    if answer.status().as_u16() != 429 {
                        answer.error_for_status().context("cannot subscribe to a workspace")?;
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        Ok(())
    }

    /// What upstream holds now; of what was removed, what it held before.
    pub(super) fn world(&self, removed: &World) -> World {
        let mut world = removed.clone();
        for it in self.simulator.workspaces() {
            let versions = self.simulator.history(&it.id).into_iter().map(|version| version.state_version_id);
            let truth = Truth {
                tenant: it.organization,
                versions: versions.collect(),
                removed: false,
                poisoned: self.poisoned.contains(&it.id),
            };
            world.insert(it.id, truth);
        }
        world
    }
}

fn plan(binary: &Path, folder: &Path, name: &str, row: &Row, upstream: &FaultProxy) -> DeploymentPlan {
    let mut plan = DeploymentPlan::new(binary.to_owned(), folder.to_owned(), name);
    plan.partitions = PARTITIONS;
    plan.upstream = Some(format!("http://127.0.0.1:{}", upstream.port()));
    plan.limits = [
        "tenant_requests_per_second: 25".to_owned(),
        "tenant_burst: 25".to_owned(),
        format!("reconcile_every_s: {}", row.reconcile_s),
        format!("stuck_after_s: {STUCK_AFTER_S}"),
    ]
    .to_vec();
    plan
}

fn organization(seed: u64, at: u64, workspaces: u64, poisoned: usize, bad: &Path) -> OrganizationSpec {
    let name = format!("tenant-{at}");
    let workspace = |number: u64| WorkspaceSpec {
        name: format!("workspace-{number}"),
        state: Some(StateSource::Generated(StateSpec::new(
            mix(seed, at * 1000 + number, 71),
            StateSize::Resources(u32::try_from(4 + mix(seed, at * 1000 + number, 72) % 12).unwrap_or(4)),
        ))),
        repository: None,
        tags: Vec::new(),
    };
    let unreadable = |number: usize| WorkspaceSpec {
        name: format!("unreadable-{number}"),
        state: Some(StateSource::File(bad.to_owned())),
        repository: None,
        tags: Vec::new(),
    };
    OrganizationSpec {
        workspaces: (0..workspaces).map(workspace).chain((0..poisoned).map(unreadable)).collect(),
        token: format!("token-of-{name}-{seed}"),
        user: format!("user-of-{name}"),
        name,
    }
}
