//! `terrasift audit`: what the sanitizer found in a tenant's states, by rule, path and count; and, as commands below it, the security audit.
//!
//! Reads as the application's role, so that the policies hold here too. There is no value to show: none is stored.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use terrasift_http::AuditBody;
use terrasift_postgres::{AuditFilter, AuditRow, Store};
use terrasift_schemas::detection::Category;
use terrasift_schemas::{TenantId, WorkspaceId};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::trail::{self, TrailCommand};
use crate::{config, secrets};

/// Records that one call asks the database for.
const PAGE: u32 = 500;
/// Pointers of a finding that are shown to people.
const POINTERS_SHOWN: usize = 20;

/// Arguments of `audit`: the sanitizer's findings, or a command of the security audit.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct AuditArguments {
    #[command(subcommand)]
    trail: Option<TrailCommand>,
    #[command(flatten)]
    findings: FindingsArguments,
}

#[derive(Args)]
struct FindingsArguments {
    /// Configuration file; keys that it leaves out have their defaults
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    /// Tenant id
    #[arg(long, required = true)]
    tenant: Option<TenantId>,
    /// Of this workspace
    #[arg(long, value_name = "WS-ID")]
    workspace: Option<WorkspaceId>,
    /// With a finding of this rule
    #[arg(long, value_name = "RULE-ID")]
    rule: Option<String>,
    /// With a detection of this category
    #[arg(long, value_enum)]
    category: Option<CategoryArgument>,
    /// Committed at this time or later, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    since: Option<OffsetDateTime>,
    /// Committed before this time
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    until: Option<OffsetDateTime>,
    /// Most records, newest first
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// One record with its pointers
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["workspace", "rule", "category", "since", "until", "limit"])]
    id: Option<i64>,
    /// One line of JSON a record
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum CategoryArgument {
    Pii,
    Credential,
    Infrastructure,
}

fn time_of(text: &str) -> Result<OffsetDateTime, &'static str> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "expected a time such as 2026-01-31T12:00:00Z")
}

/// Reads and prints.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn run(arguments: &AuditArguments) -> anyhow::Result<ExitCode> {
    if let Some(command) = &arguments.trail {
        return trail::run(command);
    }
    let arguments = &arguments.findings;
    let (Some(file), Some(tenant)) = (&arguments.config, &arguments.tenant) else {
        bail!("--config and --tenant are missing");
    };
    let config = config::load(file)?;
    let url = secrets::one(&config, "postgres.url", &config.postgres.url)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let rows = runtime.block_on(async {
        let store = Store::connect(url.expose(), 2).await?;
        let rows = read(&store, tenant, arguments).await;
        store.close().await;
        rows
    })?;
    for row in rows {
        if arguments.json {
            println!("{}", serde_json::to_string(&AuditBody::from(row))?);
        } else {
            print!("{}", text(&row));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(
    store: &Store,
    tenant: &TenantId,
    arguments: &FindingsArguments,
) -> anyhow::Result<Vec<AuditRow>> {
    if let Some(id) = arguments.id {
        return match store.audit_record(tenant, id).await? {
            Some(row) => Ok(vec![row]),
            None => bail!("no audit record of tenant {tenant} has this id"),
        };
    }
    let filter = AuditFilter {
        workspace: arguments.workspace.clone(),
        rule: arguments.rule.clone(),
        category: arguments.category.map(|category| match category {
            CategoryArgument::Pii => Category::Pii,
            CategoryArgument::Credential => Category::Credential,
            CategoryArgument::Infrastructure => Category::Infrastructure,
        }),
        since: arguments.since,
        until: arguments.until,
    };
    let (mut rows, mut left) = (Vec::new(), arguments.limit);
    while left > 0 {
        let before = rows.last().map(|row: &AuditRow| row.id);
        let asked = left.min(PAGE);
        let page = store.audit(tenant, &filter, before, asked).await?;
        let got = u32::try_from(page.len()).unwrap_or(asked);
        rows.extend(page);
        left -= got;
        if got < asked {
            break;
        }
    }
    Ok(rows)
}

/// A record for people.
fn text(row: &AuditRow) -> String {
    let counts: Vec<String> = row.counts.iter().map(|(c, count)| format!("{count} {}", c.as_str())).collect();
    let found = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
    let at = row.at.format(&Rfc3339).unwrap_or_default();
    let mut out = format!(
        "{} {at} {} serial {} rule set {}: {found}\n",
        row.id,
        row.workspace,
        row.version.serial,
        row.version.pipeline.rule_set()
    );
    for finding in &row.findings {
        out.push_str(&format!("  {} × {} ({})\n", finding.count, finding.rule, finding.category.as_str()));
        for pointer in finding.pointers.iter().take(POINTERS_SHOWN) {
            let shown: String = pointer.chars().flat_map(char::escape_debug).collect();
            out.push_str(&format!("    {shown}\n"));
        }
        let more = finding.pointers.len().saturating_sub(POINTERS_SHOWN);
        if more > 0 {
            out.push_str(&format!("    and {more} more: --json shows all\n"));
        }
    }
    if row.truncated > 0 {
        out.push_str(&format!("  {} more are counted, not listed\n", row.truncated));
    }
    out
}
