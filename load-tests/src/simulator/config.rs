//! Owns what a simulated Terraform Cloud consists of at its start. It must never hold anything that changes later.

use crate::generator::{CanaryDensity, StateSize, StateSpec};
use crate::generator::{Dice, mix};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most workspaces of an organization that `--states` fills.
const WORKSPACES_PER_ORGANIZATION: usize = 50;

/// Where a state's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateSource {
    /// Made up from a seed.
    Generated(StateSpec),
    /// Served as it is, whatever it is.
    File(PathBuf),
}

/// A workspace at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceSpec {
    /// Name in its organization.
    pub name: String,
    /// Current state; `None`: nothing was ever applied.
    pub state: Option<StateSource>,
    /// Repository as `owner/name`, and branch.
    pub repository: Option<(String, String)>,
    /// Flat tags.
    pub tags: Vec<String>,
}

/// An organization at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationSpec {
    /// Its name, which is its id.
    pub name: String,
    /// Its workspaces.
    pub workspaces: Vec<WorkspaceSpec>,
    /// A bearer token that reaches it.
    pub token: String,
    /// The user behind the token. Organizations of one user share the rate limit, and each other's tokens.
    pub user: String,
}

/// A simulated Terraform Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorConfig {
    /// Seed of ids and of URL signatures.
    pub seed: u64,
    /// What it holds.
    pub organizations: Vec<OrganizationSpec>,
    /// Requests in any sliding second a user (30, as HashiCorp documents).
    pub requests_per_second: usize,
    /// How long a download URL lives (25 h, as HashiCorp documents).
    pub url_lifetime: Duration,
    /// Leaves `total-count` and `total-pages` out of lists.
    pub without_totals: bool,
    /// Port of the API on the loopback address; 0 for a free one.
    pub port: u16,
}

impl SimulatorConfig {
    /// These organizations, everything else as documented.
    #[must_use]
    pub fn new(seed: u64, organizations: Vec<OrganizationSpec>) -> Self {
        Self {
            seed,
            organizations,
            requests_per_second: 30,
            url_lifetime: Duration::from_secs(25 * 3600),
            without_totals: false,
            port: 0,
        }
    }

    /// The demo: so many organizations with so many workspaces each, states of mostly 20 to 200 KB with the usual canaries.
    #[must_use]
    pub fn demo(tenants: usize, workspaces_per_tenant: usize, seed: u64) -> Self {
        let organizations = (0..tenants)
            .map(|tenant| {
                let mut organization = organization(seed, tenant);
                organization.workspaces = (0..workspaces_per_tenant)
                    .map(|at| {
                        let salt = u64::try_from(tenant * 1_000_003 + at).unwrap_or(u64::MAX);
                        let spec = StateSpec::new(mix(seed, salt, 21), size(mix(seed, salt, 22)));
                        workspace(&organization.name, at, StateSource::Generated(spec))
                    })
                    .collect();
                organization
            })
            .collect();
        Self::new(seed, organizations)
    }

    /// Every file below a folder becomes a workspace, in the order of the paths, dealt out to `tenants` organizations (more, if
    /// these would hold over 50 workspaces each).
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn from_states_dir(dir: &Path, tenants: usize) -> io::Result<Self> {
        let mut files = Vec::new();
        collect_files(dir, &mut files, 0)?;
        files.sort_unstable();
        let count = tenants.max(files.len().div_ceil(WORKSPACES_PER_ORGANIZATION)).max(1);
        let mut organizations: Vec<_> = (0..count).map(|at| organization(1, at)).collect();
        for (at, file) in files.into_iter().enumerate() {
            let organization = &mut organizations[at % count];
            let name = organization.name.clone();
            organization.workspaces.push(workspace(&name, at, StateSource::File(file)));
        }
        Ok(Self::new(1, organizations))
    }

    /// Replaces the canary density of all generated states.
    #[must_use]
    pub fn with_canaries(mut self, density: CanaryDensity) -> Self {
        for workspace in self.organizations.iter_mut().flat_map(|it| &mut it.workspaces) {
            if let Some(StateSource::Generated(spec)) = &mut workspace.state {
                spec.canaries = density;
            }
        }
        self
    }
}

fn collect_files(dir: &Path, out: &mut Vec<PathBuf>, depth: usize) -> io::Result<()> {
    // A bound against links in a circle; no sane corpus is deeper.
    if depth > 32 {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_files(&path, out, depth + 1)?;
        } else if path.is_file() {
            out.push(path);
        }
    }
    Ok(())
}

fn organization(seed: u64, at: usize) -> OrganizationSpec {
    const NAMES: &[&str] = &[
        "acme",
        "borealis",
        "cobalt",
        "deltaworks",
        "evergreen",
        "foxglove",
        "granite",
        "harbor",
        "ironwood",
        "juniper",
    ];
    let salt = u64::try_from(at).unwrap_or(u64::MAX);
    let mut dice = Dice::new(seed, 31, salt, 0);
    let base62 = crate::generator::BASE62;
    // Terraform Cloud's own token format; it opens only this simulator.
    let token = format!("{}.atlasv1.{}", dice.text(base62, 14), dice.text(base62, 67));
    let name = format!("{}-{:02}", NAMES[at % NAMES.len()], at + 1);
    OrganizationSpec { user: format!("{name}-engine"), name, workspaces: Vec::new(), token }
}

fn workspace(organization: &str, at: usize, state: StateSource) -> WorkspaceSpec {
    const SERVICES: &[&str] = &["network", "orders", "billing", "search", "platform", "identity", "data"];
    const STAGES: &[&str] = &["prod", "stage", "dev"];
    let (service, stage) = (SERVICES[at % SERVICES.len()], STAGES[at / SERVICES.len() % STAGES.len()]);
    WorkspaceSpec {
        name: format!("{service}-{stage}-{at:03}"),
        state: Some(state),
        repository: (at % 4 != 3).then(|| {
            (format!("{organization}/{service}"), if at.is_multiple_of(2) { "main" } else { "" }.to_owned())
        }),
        tags: vec![service.to_owned(), stage.to_owned()],
    }
}

/// Nine in ten between 20 and 200 KB, the rest up to 1 MB.
fn size(draw: u64) -> StateSize {
    let spread = draw >> 8;
    StateSize::Bytes(match draw % 20 {
        0 => 400_000 + spread % 600_000,
        1 => 200_000 + spread % 200_000,
        2..=6 => 80_000 + spread % 120_000,
        _ => 20_000 + spread % 60_000,
    })
}
