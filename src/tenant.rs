//! `terrasift tenant`: the life of tenants, for operators.
//!
//! Lists as the auditor; suspends, resumes and erases as the owner: no role that serves may do any of it. Exports as the application,
//! whom the policies show that tenant alone. Each attempt is recorded in the security audit, also one that failed.

mod erase;
mod export;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use terrasift_postgres::{Store, TenantEntry, TrailOutcome, set_suspended};
use terrasift_schemas::TenantId;
use terrasift_schemas::config::Config;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::ConfigFile;
use crate::{config, secrets, trail};

/// Arguments of `tenant`.
#[derive(Args)]
pub struct TenantArguments {
    #[command(subcommand)]
    command: TenantCommand,
}

#[derive(Subcommand)]
enum TenantCommand {
    /// List all tenants: state, workspaces, entities
    List(ListArguments),
    /// Process nothing of a tenant and let nobody of it in, on every replica within seconds; nothing is lost
    Suspend(ChangeArguments),
    /// Lift a suspension: what waited goes on, and what was missed is found by a reconciliation
    Resume(ChangeArguments),
    /// Write everything that the database holds of a tenant, as JSON lines; hashes of keys are left out
    Export(export::ExportArguments),
    /// Delete everything of a suspended tenant, for ever; killed, it goes on when it is asked again
    Erase(erase::EraseArguments),
}

#[derive(Args)]
struct ListArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// One line of JSON a tenant
    #[arg(long)]
    json: bool,
}

/// Which tenant, and who asks.
#[derive(Args)]
struct ChangeArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Who asks for it: stands in the security audit
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    by: String,
    /// One line of JSON
    #[arg(long)]
    json: bool,
    /// Tenant id
    #[arg(value_name = "TENANT")]
    tenant: TenantId,
}

impl ChangeArguments {
    fn actor(&self) -> String {
        format!("command line {}", self.by)
    }

    async fn record(
        &self,
        config: &Config,
        store: &Store,
        action: &str,
        resource: String,
        outcome: TrailOutcome,
    ) -> anyhow::Result<()> {
        let entry = trail::entry(&self.tenant, &self.actor(), action, resource, outcome);
        trail::record(config, store, vec![entry]).await
    }
}

/// A tenant as a line of JSON.
#[derive(Serialize)]
struct TenantBody {
    tenant: TenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    state: &'static str,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    changed_at: Option<OffsetDateTime>,
    workspaces: i64,
    entities: i64,
}

/// Runs a tenant command.
pub fn run(arguments: &TenantArguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        match &arguments.command {
            TenantCommand::List(arguments) => list(arguments).await,
            TenantCommand::Suspend(arguments) => change(arguments, true).await,
            TenantCommand::Resume(arguments) => change(arguments, false).await,
            TenantCommand::Export(arguments) => export::run(arguments).await,
            TenantCommand::Erase(arguments) => erase::run(arguments).await,
        }
    })
}

async fn list(arguments: &ListArguments) -> anyhow::Result<ExitCode> {
    let config = config::load(&arguments.file.config)?;
    for entry in trail::auditor(&config)?.tenants().await? {
        let body = body(entry);
        say(&if arguments.json { serde_json::to_string(&body)? } else { text(&body) });
    }
    Ok(ExitCode::SUCCESS)
}

async fn change(arguments: &ChangeArguments, suspend: bool) -> anyhow::Result<ExitCode> {
    let config = config::load(&arguments.file.config)?;
    let owner = secrets::one(&config, "postgres.owner_url", &config.postgres.owner_url)?;
    let app = secrets::one(&config, "postgres.url", &config.postgres.url)?;
    let tenant = &arguments.tenant;
    // First, so that nothing is changed where it could not be recorded.
    let store = Store::connect(app.expose(), 2).await?;
    let changed = set_suspended(owner.expose(), tenant, suspend).await;
    let outcome = if changed.is_ok() { TrailOutcome::Ok } else { TrailOutcome::Failed };
    let (action, state) = if suspend { ("tenant suspend", "suspended") } else { ("tenant resume", "active") };
    let recorded = arguments.record(&config, &store, action, "tenant".to_owned(), outcome).await;
    store.close().await;
    let changed = changed?;
    recorded?;
    say(&if arguments.json {
        serde_json::json!({"tenant": tenant, "state": state, "changed": changed}).to_string()
    } else {
        format!("{tenant} is {state}{}", if changed { "" } else { ", as before" })
    });
    Ok(ExitCode::SUCCESS)
}

fn body(entry: TenantEntry) -> TenantBody {
    TenantBody {
        tenant: entry.id,
        slug: entry.slug.map(|slug| slug.as_str().to_owned()),
        state: entry.state.as_str(),
        changed_at: entry.changed_at,
        workspaces: entry.workspaces,
        entities: entry.entities,
    }
}

/// A tenant for people.
fn text(body: &TenantBody) -> String {
    let since = body.changed_at.and_then(|at| at.format(&Rfc3339).ok());
    let since = since.map_or_else(String::new, |at| format!(" since {at}"));
    let TenantBody { tenant, slug, state, workspaces, entities, .. } = body;
    let slug = slug.as_deref().unwrap_or("-");
    format!("{tenant:<24} {slug:<24} {state:<9} {workspaces} workspaces, {entities} entities{since}")
}

#[expect(clippy::print_stdout, reason = "the command line's own voice")]
fn say(line: &str) {
    println!("{line}");
}

/// What is no data goes to the other stream.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
fn tell(what: &str) {
    eprintln!("terrasift: {what}");
}

/// Rows so far, on a terminal.
fn progress(rows: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(rows, ProgressDrawTarget::stderr());
    let template = if rows.is_some() { "{bar:40} {pos}/{len} rows {eta}" } else { "{pos} rows" };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
