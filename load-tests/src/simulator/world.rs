//! Owns everything that the simulated Terraform Cloud knows, and how it changes. It must never speak HTTP.

use super::config::{OrganizationSpec, SimulatorConfig, StateSource, WorkspaceSpec};
use super::faults::Faults;
use super::limit::Limiter;
use crate::generator::{BASE62, Dice, StateSize, StateSpec, StateSummary, measure};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use time::OffsetDateTime;

/// Above this a generated state is not measured before it is served: its size stays unknown, as Terraform Cloud's may.
const MEASURED_BYTES: u64 = 4 * 1024 * 1024;

pub(crate) struct Organization {
    pub(crate) spec: OrganizationSpec,
    pub(crate) external_id: String,
    pub(crate) user_id: String,
    /// Ids, in the order of the list.
    pub(crate) workspaces: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct StateVersion {
    pub(crate) id: String,
    pub(crate) serial: u64,
    pub(crate) lineage: String,
    pub(crate) terraform_version: String,
    pub(crate) source: StateSource,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) run_id: String,
    pub(crate) summary: Option<StateSummary>,
}

#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) message: String,
    pub(crate) created_at: OffsetDateTime,
}

pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) organization: String,
    pub(crate) spec: WorkspaceSpec,
    pub(crate) created_at: OffsetDateTime,
    /// Oldest first; the last is the current one.
    pub(crate) versions: Vec<StateVersion>,
    /// Newest first.
    pub(crate) runs: Vec<Run>,
    /// Changes of this workspace's identity seed.
    ids: Dice,
}

#[derive(Clone)]
pub(crate) struct NotificationConfiguration {
    pub(crate) id: String,
    pub(crate) workspace: String,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) destination: String,
    pub(crate) triggers: Vec<String>,
    pub(crate) responses: Vec<Value>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

pub(crate) struct World {
    pub(crate) organizations: Vec<Organization>,
    pub(crate) workspaces: HashMap<String, Workspace>,
    pub(crate) notifications: BTreeMap<String, NotificationConfiguration>,
    pub(crate) faults: Faults,
    pub(crate) limiter: Limiter,
    /// Specifications of removed workspaces' states: their secrets were served.
    pub(crate) retired: Vec<StateSource>,
    seed: u64,
    made: u64,
    notification_ids: Dice,
}

fn id(dice: &mut Dice, prefix: &str) -> String {
    format!("{prefix}{}", dice.text(BASE62, 16))
}

impl World {
    pub(crate) fn new(config: &SimulatorConfig) -> Self {
        let mut world = Self {
            organizations: Vec::new(),
            workspaces: HashMap::new(),
            notifications: BTreeMap::new(),
            faults: Faults::default(),
            limiter: Limiter::new(config.requests_per_second),
            retired: Vec::new(),
            seed: config.seed,
            made: 0,
            notification_ids: Dice::new(config.seed, 43, 0, 0),
        };
        for (at, spec) in config.organizations.iter().enumerate() {
            let mut dice = Dice::new(config.seed, 41, u64::try_from(at).unwrap_or(u64::MAX), 0);
            let known = world.organizations.iter().find(|other| other.spec.user == spec.user);
            let user_id = known.map_or_else(|| id(&mut dice, "user-"), |other| other.user_id.clone());
            world.organizations.push(Organization {
                spec: OrganizationSpec { workspaces: Vec::new(), ..spec.clone() },
                external_id: id(&mut dice, "org-"),
                user_id,
                workspaces: Vec::new(),
            });
            for workspace in &spec.workspaces {
                world.add_workspace(&spec.name, workspace.clone());
            }
        }
        world
    }

    pub(crate) fn organization(&self, name: &str) -> Option<&Organization> {
        self.organizations.iter().find(|organization| organization.spec.name == name)
    }

    /// The user that a bearer token belongs to.
    pub(crate) fn user_of(&self, token: &str) -> Option<String> {
        let found = self.organizations.iter().find(|organization| organization.spec.token == token);
        found.map(|organization| organization.spec.user.clone())
    }

    /// A workspace, if the user may see it.
    pub(crate) fn visible(&self, user: &str, workspace: &str) -> Option<&Workspace> {
        let found = self.workspaces.get(workspace)?;
        let organization = self.organization(&found.organization)?;
        (organization.spec.user == user).then_some(found)
    }

    /// Adds a workspace; `None` when there is no such organization.
    pub(crate) fn add_workspace(&mut self, organization: &str, spec: WorkspaceSpec) -> Option<String> {
        let at = self.organizations.iter().position(|other| other.spec.name == organization)?;
        self.made += 1;
        let mut ids = Dice::new(self.seed, 42, self.made, 0);
        let mut workspace = Workspace {
            id: id(&mut ids, "ws-"),
            organization: organization.to_owned(),
            created_at: OffsetDateTime::now_utc(),
            versions: Vec::new(),
            runs: Vec::new(),
            spec,
            ids,
        };
        if let Some(source) = workspace.spec.state.clone() {
            workspace.apply(source, None);
        }
        let made = workspace.id.clone();
        self.organizations[at].workspaces.push(made.clone());
        self.workspaces.insert(made.clone(), workspace);
        Some(made)
    }

    pub(crate) fn remove_workspace(&mut self, id: &str) -> bool {
        let Some(gone) = self.workspaces.remove(id) else { return false };
        self.retired.extend(gone.versions.into_iter().map(|version| version.source));
        self.notifications.retain(|_, configuration| configuration.workspace != id);
        for organization in &mut self.organizations {
            organization.workspaces.retain(|other| other != id);
        }
        true
    }

    pub(crate) fn notification_id(&mut self) -> String {
        id(&mut self.notification_ids, "nc-")
    }
}

impl Workspace {
    pub(crate) fn current(&self) -> Option<&StateVersion> {
        self.versions.last()
    }

    /// The state version before the current one, or the current one if there is none.
    pub(crate) fn stale(&self) -> Option<&StateVersion> {
        self.versions.iter().rev().nth(1).or_else(|| self.current())
    }

    /// Makes `source` the current state, by a run of its own.
    pub(crate) fn apply(&mut self, source: StateSource, serial: Option<u64>) -> &StateVersion {
        let run_id = id(&mut self.ids, "run-");
        let created_at = OffsetDateTime::now_utc();
        let (told, lineage, terraform_version) = match &source {
            StateSource::Generated(spec) => (spec.serial, spec.lineage(), spec.terraform_version.clone()),
            StateSource::File(path) => told_by_file(path),
        };
        let run = Run {
            id: run_id.clone(),
            status: "applied".to_owned(),
            message: "Triggered by the simulator".to_owned(),
            created_at,
        };
        self.runs.insert(0, run);
        self.versions.push(StateVersion {
            id: id(&mut self.ids, "sv-"),
            serial: serial.unwrap_or(told),
            lineage,
            terraform_version,
            source,
            created_at,
            run_id,
            summary: None,
        });
        &self.versions[self.versions.len() - 1]
    }

    /// The next state: a part of the resources differs. A file stays as it is and only gets the next serial.
    pub(crate) fn bump(&mut self, new_lineage: bool) -> Option<&StateVersion> {
        let current = self.current()?.clone();
        match current.source {
            StateSource::File(path) => Some(self.apply(StateSource::File(path), Some(current.serial + 1))),
            StateSource::Generated(mut spec) => {
                spec.generation += 1;
                spec.serial += 1;
                if new_lineage {
                    spec.serial = 1;
                    spec.lineage = Some(String::from_utf8_lossy(&self.ids.uuid()).into_owned());
                }
                Some(self.apply(StateSource::Generated(spec), None))
            }
        }
    }

    pub(crate) fn record_run(&mut self, status: &str) -> Run {
        let run = Run {
            id: id(&mut self.ids, "run-"),
            status: status.to_owned(),
            message: "Triggered by the simulator".to_owned(),
            created_at: OffsetDateTime::now_utc(),
        };
        self.runs.insert(0, run.clone());
        run
    }

    /// Fills in what the current state comes to, where that is cheap to know.
    pub(crate) fn measure_states(&mut self) {
        for version in self.versions.iter_mut().rev().take(2) {
            version.measure();
        }
    }
}

impl StateVersion {
    fn measure(&mut self) {
        if self.summary.is_some() {
            return;
        }
        self.summary = match &self.source {
            StateSource::Generated(spec) if is_measured(spec) => Some(measure(spec)),
            StateSource::Generated(_) => None,
            StateSource::File(path) => std::fs::metadata(path).ok().map(|meta| StateSummary {
                bytes: meta.len(),
                resources: 0,
                instances: 0,
            }),
        };
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        self.summary.map(|summary| summary.bytes)
    }
}

fn is_measured(spec: &StateSpec) -> bool {
    match spec.size {
        StateSize::Bytes(bytes) => bytes <= MEASURED_BYTES,
        StateSize::Resources(count) => count <= 1_000,
    }
}

/// Serial, lineage and version that a file tells, as far as it is a state at all.
fn told_by_file(path: &std::path::Path) -> (u64, String, String) {
    let value: Value =
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
    let text = |key: &str, default: &str| value[key].as_str().unwrap_or(default).to_owned();
    (
        value["serial"].as_u64().unwrap_or(1),
        text("lineage", "00000000-0000-4000-8000-000000000000"),
        text("terraform_version", "1.13.4"),
    )
}
