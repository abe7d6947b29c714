//! Owns the simulated Terraform Cloud as one thing to start, steer and stop: an API origin and an archive origin on free loopback
//! ports. It must never listen anywhere but on the loopback address.

mod api;
mod archive;
mod bodies;
mod config;
mod configurations;
mod control;
mod faults;
mod limit;
mod notify;
mod world;

pub use config::{OrganizationSpec, SimulatorConfig, StateSource, WorkspaceSpec};
pub use faults::{Fault, FaultKind};
pub use notify::{Delivery, SIGNATURE_HEADER, sign};

use crate::generator::{Canary, StateStream};
use axum::Router;
use axum::routing::{any, get};
use notify::Subject;
use std::collections::HashSet;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use world::World;

/// How long open connections may take to end at shutdown.
const DRAIN: Duration = Duration::from_secs(2);

/// What all handlers share.
pub(crate) struct Shared {
    pub(crate) config: SimulatorConfig,
    pub(crate) api_origin: String,
    pub(crate) archive_origin: String,
    pub(crate) http: reqwest::Client,
    world: Mutex<World>,
}

impl Shared {
    /// The world; a handler's panic does not take the others down.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an order to the simulator was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The id is not known.
    #[error("no workspace {0} in the simulator: list them at /_sim/workspaces")]
    NoWorkspace(String),
    /// The name is not known.
    #[error("no organization {0} in the simulator")]
    NoOrganization(String),
    /// Nothing was applied yet.
    #[error("workspace {0} has no state to change: give it one when it is added")]
    NoState(String),
}

/// A workspace as the simulator knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceInfo {
    /// `ws-` and 16 characters.
    pub id: String,
    /// Name in its organization.
    pub name: String,
    /// Name of the organization.
    pub organization: String,
    /// Serial of the current state, if there is one.
    pub serial: Option<u64>,
}

/// A new current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BumpedState {
    /// Whose.
    pub workspace_id: String,
    /// `sv-` and 16 characters.
    pub state_version_id: String,
    /// Its serial.
    pub serial: u64,
    /// Its lineage.
    pub lineage: String,
    /// The run that applied it, for [`Simulator::send_notification`].
    pub run_id: String,
}

/// A running simulator. Dropping it stops its servers at once; [`Simulator::shutdown`] drains them.
pub struct Simulator {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<io::Result<()>>>,
}

impl Simulator {
    /// Binds both origins and serves.
    ///
    /// # Errors
    /// When a port cannot be bound.
    pub async fn start(config: SimulatorConfig) -> io::Result<Self> {
        let api = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let archive = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // The process may have chosen its provider already; any will do for plain HTTP on loopback.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            api_origin: format!("http://{}", api.local_addr()?),
            archive_origin: format!("http://{}", archive.local_addr()?),
            http,
            world: Mutex::new(World::new(&config)),
            config,
        });
        let (stop, stopped) = watch::channel(false);
        let api_routes =
            control::router().route("/api/v2/{*rest}", any(api::serve)).with_state(Arc::clone(&shared));
        let archive_routes = Router::new()
            .route("/v1/object/{workspace}/{version}/{expires}/{proof}", get(archive::download))
            .with_state(Arc::clone(&shared));
        let servers = vec![serve(api, api_routes, stopped.clone()), serve(archive, archive_routes, stopped)];
        Ok(Self { shared, stop, servers })
    }

    /// Scheme, host and port of the API; paths start with `/api/v2`.
    #[must_use]
    pub fn api_origin(&self) -> &str {
        &self.shared.api_origin
    }

    /// Scheme, host and port of the archive.
    #[must_use]
    pub fn archive_origin(&self) -> &str {
        &self.shared.archive_origin
    }

    /// The organizations with token and user (their workspaces left out).
    #[must_use]
    pub fn organizations(&self) -> Vec<OrganizationSpec> {
        self.shared.world().organizations.iter().map(|it| it.spec.clone()).collect()
    }

    /// All workspaces, in the order of organizations and lists.
    #[must_use]
    pub fn workspaces(&self) -> Vec<WorkspaceInfo> {
        Self::list(&self.shared)
    }

    fn list(shared: &Shared) -> Vec<WorkspaceInfo> {
        let world = shared.world();
        let ids = world.organizations.iter().flat_map(|it| &it.workspaces);
        ids.filter_map(|id| world.workspaces.get(id))
            .map(|it| WorkspaceInfo {
                id: it.id.clone(),
                name: it.spec.name.clone(),
                organization: it.organization.clone(),
                serial: it.current().map(|version| version.serial),
            })
            .collect()
    }

    /// Applies a changed state: next serial, some resources changed, added, removed. Files keep their bytes.
    ///
    /// # Errors
    /// When there is no such workspace, or it has no state.
    pub fn bump(&self, workspace: &str) -> Result<BumpedState, SimulatorError> {
        Self::bump_in(&self.shared, workspace, false)
    }

    /// As [`Simulator::bump`], as a new lineage at serial 1 (a state made anew).
    ///
    /// # Errors
    /// When there is no such workspace, or it has no state.
    pub fn bump_to_new_lineage(&self, workspace: &str) -> Result<BumpedState, SimulatorError> {
        Self::bump_in(&self.shared, workspace, true)
    }

    fn bump_in(shared: &Shared, workspace: &str, new_lineage: bool) -> Result<BumpedState, SimulatorError> {
        let mut world = shared.world();
        let found = world.workspaces.get_mut(workspace);
        let found = found.ok_or_else(|| SimulatorError::NoWorkspace(workspace.to_owned()))?;
        let version = found.bump(new_lineage).ok_or_else(|| SimulatorError::NoState(workspace.to_owned()))?;
        Ok(BumpedState {
            workspace_id: workspace.to_owned(),
            state_version_id: version.id.clone(),
            serial: version.serial,
            lineage: version.lineage.clone(),
            run_id: version.run_id.clone(),
        })
    }

    /// All states that a workspace ever had, oldest first; nothing when there is no such workspace.
    #[must_use]
    pub fn history(&self, workspace: &str) -> Vec<BumpedState> {
        let world = self.shared.world();
        let versions =
            world.workspaces.get(workspace).map(|found| found.versions.clone()).unwrap_or_default();
        let told = versions.into_iter().map(|version| BumpedState {
            workspace_id: workspace.to_owned(),
            state_version_id: version.id,
            serial: version.serial,
            lineage: version.lineage,
            run_id: version.run_id,
        });
        told.collect()
    }

    /// Adds a workspace and answers its id.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn add_workspace(&self, organization: &str, spec: WorkspaceSpec) -> Result<String, SimulatorError> {
        let added = self.shared.world().add_workspace(organization, spec);
        added.ok_or_else(|| SimulatorError::NoOrganization(organization.to_owned()))
    }

    /// Removes a workspace with its notification configurations.
    ///
    /// # Errors
    /// When there is no such workspace.
    pub fn remove_workspace(&self, workspace: &str) -> Result<(), SimulatorError> {
        let removed = self.shared.world().remove_workspace(workspace);
        removed.then_some(()).ok_or_else(|| SimulatorError::NoWorkspace(workspace.to_owned()))
    }

    /// Sends a notification to the workspace's enabled configurations that ask for the trigger. `run:…` triggers go out as version 1 with
    /// `run_status` for `run_id` (a new run when `None`), all others as version 2.
    ///
    /// # Errors
    /// When there is no such workspace.
    pub async fn send_notification(
        &self,
        workspace: &str,
        run_id: Option<&str>,
        trigger: &str,
        run_status: &str,
    ) -> Result<Vec<Delivery>, SimulatorError> {
        Self::notify_in(&self.shared, workspace, run_id, trigger, run_status).await
    }

    async fn notify_in(
        shared: &Shared,
        workspace: &str,
        run_id: Option<&str>,
        trigger: &str,
        run_status: &str,
    ) -> Result<Vec<Delivery>, SimulatorError> {
        let outgoing: Vec<_> = {
            let mut world = shared.world();
            let found = world.workspaces.get_mut(workspace);
            let found = found.ok_or_else(|| SimulatorError::NoWorkspace(workspace.to_owned()))?;
            let known = run_id.and_then(|id| found.runs.iter().find(|run| run.id == id).cloned());
            let mut run = known.unwrap_or_else(|| found.record_run(run_status));
            run_status.clone_into(&mut run.status);
            let (organization, name) = (found.organization.clone(), found.spec.name.clone());
            let user = world.organization(&organization).map(|it| it.spec.user.clone()).unwrap_or_default();
            let subject = Subject {
                origin: &shared.api_origin,
                organization: &organization,
                workspace,
                workspace_name: &name,
                user: &user,
            };
            let wanted = world.notifications.values().filter(|it| {
                it.workspace == workspace && it.enabled && it.triggers.iter().any(|other| other == trigger)
            });
            wanted
                .map(|it| {
                    let payload = if trigger.starts_with("run:") {
                        notify::run_payload(&it.id, &subject, &run, trigger)
                    } else {
                        notify::version_2_payload(&it.id, &subject, trigger)
                    };
                    (it.clone(), payload)
                })
                .collect()
        };
        let mut deliveries = Vec::with_capacity(outgoing.len());
        for (configuration, payload) in outgoing {
            let (delivery, record) = notify::deliver(&shared.http, &configuration, &payload).await;
            if let Some(known) = shared.world().notifications.get_mut(&configuration.id) {
                known.responses = vec![record];
            }
            deliveries.push(delivery);
        }
        Ok(deliveries)
    }

    /// Orders a fault.
    pub fn inject(&self, fault: Fault) {
        self.shared.world().faults.add(fault);
    }

    /// How many ordered faults still wait for their requests.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.shared.world().faults.left()
    }

    /// Takes all ordered faults back.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// Most requests of a user, refused ones included, that fell into one sliding second.
    #[must_use]
    pub fn max_requests_in_any_second(&self, user: &str) -> usize {
        self.shared.world().limiter.busiest_second(user)
    }

    /// All requests of a user so far.
    #[must_use]
    pub fn request_count(&self, user: &str) -> usize {
        self.shared.world().limiter.requests(user)
    }

    /// Every secret in every state that was ever current, once each. Generates all of them anew: some seconds for gigabytes.
    /// Files count as holding none.
    #[must_use]
    pub fn canaries(&self) -> Vec<Canary> {
        Self::canaries_in(&self.shared)
    }

    fn canaries_in(shared: &Shared) -> Vec<Canary> {
        let sources: Vec<_> = {
            let world = shared.world();
            let live =
                world.workspaces.values().flat_map(|it| it.versions.iter().map(|version| &version.source));
            live.chain(&world.retired).cloned().collect()
        };
        let mut seen = HashSet::new();
        let mut canaries = Vec::new();
        for source in sources {
            let StateSource::Generated(spec) = source else { continue };
            let mut state = StateStream::new(spec).recording();
            while state.next().is_some() {
                for canary in state.take_canaries() {
                    if seen.insert(canary.text.clone()) {
                        canaries.push(canary);
                    }
                }
            }
        }
        canaries
    }

    /// Stops taking connections and waits up to two seconds for the open ones.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for mut server in std::mem::take(&mut self.servers) {
            if tokio::time::timeout(DRAIN, &mut server).await.is_err() {
                server.abort();
            }
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

fn serve(
    listener: TcpListener,
    routes: Router,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<io::Result<()>> {
    tokio::spawn(async move {
        axum::serve(listener, routes)
            .with_graceful_shutdown(async move {
                // An error means that the simulator is gone: stop as well.
                let _gone = stopped.wait_for(|stop| *stop).await;
            })
            .await
    })
}
