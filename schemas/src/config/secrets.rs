//! `secrets:` where references lead, and how often what stands there is read again.

use serde::{Deserialize, Serialize};

/// Shortest time between two reads: sources outside this machine are asked for each secret.
const REFRESH_S_MIN: u64 = 5;
/// Longest: what was rotated is to be taken while the one before still works.
const REFRESH_S_MAX: u64 = 86_400;
/// Longest overlap: longer, and nothing was rotated.
const OVERLAP_S_MAX: u64 = 30 * 86_400;

/// `secrets:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Seconds between two reads of what stands outside this machine.
    pub refresh_s: u64,
    /// Seconds that a webhook secret is good for after another one was taken.
    pub overlap_s: u64,
    /// Google Secret Manager, where Google's defaults do not do.
    pub google: Option<GoogleSecretManager>,
    /// Vault; absent: `vault:` references are refused.
    pub vault: Option<Vault>,
}

/// `secrets.google:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleSecretManager {
    /// Instead of Google's own address, such as a regional or a private one.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Reference to credentials in Google's JSON; absent: the application's default credentials.
    #[serde(default)]
    pub credentials: Option<String>,
}

/// `secrets.vault:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// `https://host:port`; http only to this machine.
    pub address: String,
    /// Of Vault Enterprise, or OpenBao.
    #[serde(default)]
    pub namespace: Option<String>,
    /// File of the authorities of Vault's certificate; absent: the system's.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// Version of the KV engine behind the mounts that references name: 1 or 2.
    #[serde(default = "two")]
    pub kv_version: u8,
    /// Reference to a token that somebody else looks after.
    #[serde(default)]
    pub token: Option<String>,
    /// Log in as the pod's service account.
    #[serde(default)]
    pub kubernetes: Option<VaultKubernetes>,
    /// Log in as a machine.
    #[serde(default)]
    pub app_role: Option<VaultAppRole>,
}

/// `secrets.vault.kubernetes:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultKubernetes {
    /// Role in Vault.
    pub role: String,
    /// Where the method is mounted.
    #[serde(default = "kubernetes")]
    pub mount: String,
    /// File with the service account's token.
    #[serde(default = "service_account")]
    pub token_file: String,
}

/// `secrets.vault.app_role:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultAppRole {
    /// Id of the role.
    pub role_id: String,
    /// Reference to its secret id.
    pub secret_id: String,
    /// Where the method is mounted.
    #[serde(default = "approle")]
    pub mount: String,
}

fn two() -> u8 {
    2
}

fn kubernetes() -> String {
    "kubernetes".to_owned()
}

fn approle() -> String {
    "approle".to_owned()
}

fn service_account() -> String {
    "/var/run/secrets/kubernetes.io/serviceaccount/token".to_owned()
}

impl Secrets {
    pub(super) fn problems(&self, wrong: &mut impl FnMut(&str, &str)) {
        if !(REFRESH_S_MIN..=REFRESH_S_MAX).contains(&self.refresh_s) {
            wrong("secrets.refresh_s", "not within 5 and 86400");
        }
        if self.overlap_s > OVERLAP_S_MAX {
            wrong("secrets.overlap_s", "more than 30 days: what was replaced is to end");
        }
        let Some(vault) = &self.vault else { return };
        let logins = [vault.token.is_some(), vault.kubernetes.is_some(), vault.app_role.is_some()];
        if logins.iter().filter(|login| **login).count() != 1 {
            wrong("secrets.vault", "exactly one of token, kubernetes and app_role says who we are");
        }
        if !matches!(vault.kv_version, 1 | 2) {
            wrong("secrets.vault.kv_version", "not 1 or 2");
        }
    }
}
