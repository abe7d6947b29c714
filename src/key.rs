//! `terrasift key`: API keys of a tenant.
//!
//! A key is shown once; only its digest is stored.

use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context;
use clap::{Args, Subcommand};
use terrasift_http::{CATALOG_READ, Grant, Permission, api_key_digest, mint_api_key};
use terrasift_postgres::{Store, TrailOutcome};
use terrasift_schemas::TenantId;
use terrasift_secrets::Secret;
use time::{Duration, OffsetDateTime};

use crate::cli::ConfigFile;
use crate::{config, trail};

/// Everything that a key can open.
#[must_use]
pub fn scopes() -> Vec<String> {
    Permission::ALL.map(|permission| permission.name().to_owned()).to_vec()
}

/// One of a key's scopes, if it opens anything.
fn scope(text: &str) -> Result<String, String> {
    let names = || Permission::ALL.map(Permission::name).join(", ");
    let known = Grant::parse(text).map(|_| text.to_owned());
    known.ok_or_else(|| format!("none of {}, nor one of the catalog's with @namespace", names()))
}

/// Arguments of `key`.
#[derive(Args)]
pub struct KeyArguments {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key of a tenant, and print it once
    Issue {
        #[command(flatten)]
        file: ConfigFile,
        /// Tenant id
        #[arg(long)]
        tenant: TenantId,
        /// What the key is for
        #[arg(long)]
        name: String,
        /// Days until it expires
        #[arg(long, default_value_t = 365)]
        days: u16,
        /// What it opens; admin is everything on its resource, and `catalog:read@acme-prod` is one namespace
        #[arg(long, value_delimiter = ',', default_value = CATALOG_READ.name(), value_parser = scope)]
        scopes: Vec<String>,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs a key command.
#[expect(clippy::print_stdout, reason = "the command line's own voice; the key is shown once, on purpose")]
pub fn run(arguments: &KeyArguments) -> anyhow::Result<ExitCode> {
    let KeyCommand::Issue { file, tenant, name, days, scopes, json } = &arguments.command;
    let config = config::load(&file.config)?;
    let url = config::secret("postgres.url", &config.postgres.url)?;
    let pepper = config::key("keys.api_key_pepper", &config.keys.api_key_pepper)?;
    let expires_at = OffsetDateTime::from(SystemTime::now()) + Duration::days(i64::from(*days));
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let key = runtime.block_on(async {
        let store = Store::connect(url.expose(), 2).await?;
        let issued = issue(&store, &pepper, tenant, name, scopes, Some(expires_at)).await;
        let outcome = if issued.is_ok() { TrailOutcome::Ok } else { TrailOutcome::Failed };
        let entry = trail::entry(tenant, "command line", "key issue", format!("api key {name}"), outcome);
        // A key that nobody could look up in the audit is shown to nobody.
        let recorded = trail::record(&config, &store, vec![entry]).await;
        let key = issued?;
        recorded.map(|()| key)
    })?;
    if *json {
        println!("{}", serde_json::json!({ "tenant": tenant, "name": name, "key": key.expose() }));
    } else {
        println!("{}", key.expose());
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a key and stores its digest.
pub async fn issue(
    store: &Store,
    pepper: &[u8; 32],
    tenant: &TenantId,
    name: &str,
    scopes: &[String],
    expires_at: Option<OffsetDateTime>,
) -> anyhow::Result<Secret> {
    let mut random = [0; 24];
    getrandom::fill(&mut random)
        .map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    let key = mint_api_key(random);
    let digest = api_key_digest(pepper, key.expose()).context("a new key is not valid")?;
    store.insert_api_key(tenant, digest, name, scopes, expires_at).await.context("cannot store the key")?;
    Ok(key)
}
