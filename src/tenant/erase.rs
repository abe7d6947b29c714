//! `terrasift tenant erase`: a tenant goes, in Postgres and in Redis, and its tombstone stays.
//!
//! What is in Kafka ends with its topics' retention. Must never begin what could not be recorded.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use terrasift_postgres::{Erasure, Store, TrailOutcome};
use terrasift_redis::forget_tenant;
use terrasift_schemas::TenantSlug;
use terrasift_schemas::config::Config;

use super::{ChangeArguments, say};
use crate::{config, secrets};

const ACTION: &str = "tenant erase";

/// Arguments of `tenant erase`.
#[derive(Args)]
pub struct EraseArguments {
    #[command(flatten)]
    whose: ChangeArguments,
    /// The tenant's slug, so that nobody is erased by a slip
    #[arg(long, value_name = "SLUG")]
    confirm: TenantSlug,
}

/// Erases a tenant, or goes on.
pub async fn run(arguments: &EraseArguments) -> anyhow::Result<ExitCode> {
    let whose = &arguments.whose;
    let config = config::load(&whose.file.config)?;
    let app = secrets::one(&config, "postgres.url", &config.postgres.url)?;
    let store = Store::connect(app.expose(), 2).await?;
    // First, so that nothing is erased where it could not be recorded.
    whose.record(&config, &store, ACTION, "tenant, asked for".to_owned(), TrailOutcome::Ok).await?;
    let erased = erase(&config, arguments).await;
    let (resource, outcome) = match &erased {
        Ok(Some(rows)) => (format!("tenant, ended: {rows} rows"), TrailOutcome::Ok),
        Ok(None) => ("tenant, erased before".to_owned(), TrailOutcome::Ok),
        Err(_) => ("tenant, not ended".to_owned(), TrailOutcome::Failed),
    };
    let recorded = whose.record(&config, &store, ACTION, resource, outcome).await;
    store.close().await;
    let rows = erased?;
    recorded?;
    let tenant = &whose.tenant;
    say(&match rows {
        _ if whose.json => {
            serde_json::json!({"tenant": tenant, "state": "erased", "changed": rows.is_some(), "rows": rows.unwrap_or(0)})
                .to_string()
        }
        Some(rows) => format!("{tenant} is erased: {rows} rows"),
        None => format!("{tenant} is erased, as before"),
    });
    if config.tenants.iter().any(|declared| declared.id == *tenant) {
        super::tell(&format!(
            "{tenant} stands in the configuration still: take it out, it is not started again"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Rows that were removed; none where it was erased before.
async fn erase(config: &Config, arguments: &EraseArguments) -> anyhow::Result<Option<u64>> {
    let whose = &arguments.whose;
    let owner = secrets::one(config, "postgres.owner_url", &config.postgres.owner_url)?;
    let begun = Erasure::begin(owner.expose(), &whose.tenant, &arguments.confirm, &whose.actor()).await?;
    let rows = match begun {
        Some(erasure) => {
            Some(to_its_end(erasure).await.context("the erasure stopped: ask again, it goes on")?)
        }
        None => None,
    };
    if let Some(reference) = &config.redis.url {
        let url = secrets::one(config, "redis.url", reference)?;
        let forgotten = forget_tenant(url.expose().trim(), &config.redis.prefix, &whose.tenant).await;
        forgotten.context("postgres holds nothing of the tenant any more; redis.url")?;
    }
    Ok(rows)
}

async fn to_its_end(mut erasure: Erasure) -> anyhow::Result<u64> {
    let bar = super::progress(None);
    while erasure.step().await? {
        bar.set_position(erasure.removed().values().sum());
    }
    bar.finish_and_clear();
    Ok(erasure.removed().values().sum())
}
