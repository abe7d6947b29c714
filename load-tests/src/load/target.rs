//! What is loaded: brokers, API, the simulator behind it, and keys of tenants.
//!
//! Must never tell a key.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A tenant and a key of it with the scope `catalog:read`. No `Debug`.
#[derive(Clone, Deserialize)]
pub struct TenantKey {
    /// Its id, which is its organization's name in the simulator.
    pub tenant: String,
    /// The key.
    pub key: String,
}

/// What is loaded. No `Debug`: it holds keys.
#[derive(Clone)]
pub struct Target {
    /// `host:port` of brokers.
    pub broker: String,
    /// Origins of replicas of the API; whichever answers is asked.
    pub api: Vec<String>,
    /// Origin of the simulator's API: where states are changed.
    pub simulator: String,
    /// Whose feeds are read.
    pub tenants: Vec<TenantKey>,
    /// Workspaces of each tenant.
    pub workspaces: Vec<Vec<String>>,
}

impl Target {
    /// A target with the workspaces that the simulator tells.
    ///
    /// # Errors
    /// When the simulator does not answer, or a tenant has no workspace there.
    pub async fn new(
        broker: String,
        api: Vec<String>,
        simulator: String,
        tenants: Vec<TenantKey>,
    ) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WAIT).build()?;
        let listed = http.get(format!("{simulator}/_sim/workspaces")).send().await;
        let listed: Vec<Value> = listed.context("the simulator does not answer")?.json().await?;
        let mut by_tenant: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for workspace in &listed {
            if let (Some(organization), Some(id)) =
                (workspace["organization"].as_str(), workspace["id"].as_str())
            {
                by_tenant.entry(organization).or_default().push(id.to_owned());
            }
        }
        let mut workspaces = Vec::with_capacity(tenants.len());
        for tenant in &tenants {
            let of = by_tenant.remove(tenant.tenant.as_str()).unwrap_or_default();
            ensure!(!of.is_empty(), "the simulator has no workspaces of tenant {}", tenant.tenant);
            workspaces.push(of);
        }
        Ok(Self { broker, api, simulator, tenants, workspaces })
    }

    /// Reads keys: one JSON object a line, `{"tenant": …, "key": …}`, as `terrasift key issue --json` tells them.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is none.
    pub fn read_keys(path: &Path) -> Result<Vec<TenantKey>> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        // The parser's message would quote the line.
        lines
            .map(|line| {
                serde_json::from_str(line)
                    .map_err(|_| anyhow::anyhow!("a line of {} is no key", path.display()))
            })
            .collect()
    }
}
