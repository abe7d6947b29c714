//! `terrasift audit query|export|verify|retire|public-key`: the security audit, for those who have to answer for it.
//!
//! Reads as the auditor, whom nothing that serves is. Must never change a record; `retire` drops whole months, as the owner.

mod text;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use terrasift_postgres::{
    Auditor, Checkpoint, CheckpointKey, CheckpointSigner, Store, TrailEntry, TrailFilter, TrailOutcome,
    TrailRecord, TrailVerdict, record_alone, retire_trail,
};
use terrasift_schemas::TenantId;
use terrasift_schemas::config::Config;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::cli::ConfigFile;
use crate::{config, secrets};
use text::{text, verdict_text};

/// Stands for attempts of nobody who was proven.
const NOBODY: &str = "-";

/// What is asked of the security audit.
#[derive(Subcommand)]
pub enum TrailCommand {
    /// Who asked for what, and what came of it, newest first
    #[command(after_help = QUERY_EXAMPLES)]
    Query(QueryArguments),
    /// All records as JSON lines with their chains; or the signed checkpoints, to be kept elsewhere
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArguments),
    /// Recompute all chains: exit status 1 when a record was changed, removed, added or moved
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArguments),
    /// Make the partitions of the coming months and drop old ones, as the owner of the tables
    #[command(after_help = RETIRE_EXAMPLES)]
    Retire(RetireArguments),
    /// Print the public half of keys.audit_signing, for those who verify
    PublicKey(PublicKeyArguments),
}

const QUERY_EXAMPLES: &str = "\
Examples:
  terrasift audit query --config terrasift.yaml --outcome denied --since 24h
  terrasift audit query --config terrasift.yaml --tenant acme --actor 'api key 12 backstage' --json
  terrasift audit query --config terrasift.yaml --tenant - --since 2026-01-01T00:00:00Z     nobody who was proven";

const EXPORT_EXAMPLES: &str = "\
Examples:
  terrasift audit export --config terrasift.yaml > audit.jsonl
  terrasift audit export --config terrasift.yaml --tenant acme > acme.jsonl
  terrasift audit export --config terrasift.yaml --checkpoints > checkpoints.jsonl";

const VERIFY_EXAMPLES: &str = "\
Examples:
  terrasift audit verify --config terrasift.yaml
  terrasift audit verify --config terrasift.yaml --checkpoints checkpoints.jsonl     also what was kept elsewhere
  terrasift audit verify --config terrasift.yaml --public-key d75a98…1a

Exit status: 0 whole · 1 broken: segment and number say where";

const RETIRE_EXAMPLES: &str = "\
Examples:
  terrasift audit retire --config terrasift.yaml --keep-months 13     once a month";

/// Arguments of `audit query`.
#[derive(Args)]
pub struct QueryArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Of this tenant; `-` for attempts that proved none
    #[arg(long, allow_hyphen_values = true)]
    tenant: Option<String>,
    /// At this time or later: 2026-01-31T12:00:00Z, or 90m, 24h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    since: Option<OffsetDateTime>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    until: Option<OffsetDateTime>,
    /// That ended so
    #[arg(long, value_parser = TrailOutcome::ALL.map(TrailOutcome::as_str))]
    outcome: Option<String>,
    /// A method, such as POST, or a command, such as `key issue`
    #[arg(long)]
    action: Option<String>,
    /// By whom, such as `api key 12 backstage` or `webhook`
    #[arg(long)]
    actor: Option<String>,
    /// From this address
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,
    /// Most records
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// One line of JSON a record
    #[arg(long)]
    json: bool,
}

/// Arguments of `audit export`.
#[derive(Args)]
pub struct ExportArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Of this tenant only: then the chain cannot be recomputed, only compared
    #[arg(long, conflicts_with = "checkpoints", allow_hyphen_values = true)]
    tenant: Option<String>,
    /// The checkpoints instead of the records
    #[arg(long)]
    checkpoints: bool,
}

/// Arguments of `audit verify`.
#[derive(Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Who signs, in hex; several after a change of the key. Without it: the public half of keys.audit_signing
    #[arg(long, value_name = "HEX", value_parser = key_of)]
    public_key: Vec<CheckpointKey>,
    /// Checkpoints that were exported before
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `audit retire`.
#[derive(Args)]
pub struct RetireArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Whole months before this one that are kept
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=1200))]
    keep_months: i32,
}

/// Arguments of `audit public-key`.
#[derive(Args)]
pub struct PublicKeyArguments {
    #[command(flatten)]
    file: ConfigFile,
}

fn time_of(text: &str) -> Result<OffsetDateTime, &'static str> {
    let expected = "expected a time such as 2026-01-31T12:00:00Z, or an age such as 90m, 24h or 7d";
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(time);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(expected)?;
    let number: u32 = number.parse().map_err(|_| expected)?;
    let age = match unit {
        "m" => Duration::minutes(i64::from(number)),
        "h" => Duration::hours(i64::from(number)),
        "d" => Duration::days(i64::from(number)),
        _ => return Err(expected),
    };
    now().checked_sub(age).ok_or(expected)
}

fn key_of(text: &str) -> Result<CheckpointKey, &'static str> {
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|_| "expected 64 hex digits")?;
    Ok(CheckpointKey(key))
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from(SystemTime::now())
}

fn tenant_of(text: Option<&String>) -> Option<String> {
    text.map(|tenant| if tenant == NOBODY { String::new() } else { tenant.clone() })
}

/// Runs a command.
pub fn run(command: &TrailCommand) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        match command {
            TrailCommand::Query(arguments) => query(arguments).await,
            TrailCommand::Export(arguments) => export(arguments).await,
            TrailCommand::Verify(arguments) => verify(arguments).await,
            TrailCommand::Retire(arguments) => retire(arguments).await,
            TrailCommand::PublicKey(arguments) => public_key(arguments),
        }
    })
}

pub fn auditor(config: &Config) -> anyhow::Result<Auditor> {
    let Some(reference) = &config.postgres.auditor_url else {
        bail!("postgres.auditor_url: the audit is read as the auditor: set the address of terrasift_auditor");
    };
    let url = secrets::one(config, "postgres.auditor_url", reference)?;
    Auditor::new(url.expose()).context("postgres.auditor_url")
}

fn signer(config: &Config) -> anyhow::Result<Option<CheckpointSigner>> {
    let seed = config::audit_signing(config)?;
    seed.as_ref().map(CheckpointSigner::new).transpose().context("keys.audit_signing")
}

async fn query(arguments: &QueryArguments) -> anyhow::Result<ExitCode> {
    let auditor = auditor(&config::load(&arguments.file.config)?)?;
    let filter = TrailFilter {
        tenant: tenant_of(arguments.tenant.as_ref()),
        since: arguments.since,
        until: arguments.until,
        outcome: arguments.outcome.clone(),
        action: arguments.action.clone(),
        actor: arguments.actor.clone(),
        client: arguments.client.map(|address| address.to_canonical().to_string()),
    };
    for record in auditor.trail(&filter, arguments.limit).await? {
        if arguments.json {
            say(&serde_json::to_string(&RecordBody::from(record))?);
        } else {
            say(&text(&record));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(arguments: &ExportArguments) -> anyhow::Result<ExitCode> {
    let auditor = auditor(&config::load(&arguments.file.config)?)?;
    if arguments.checkpoints {
        for checkpoint in auditor.checkpoints().await? {
            say(&serde_json::to_string(&CheckpointBody::from(checkpoint))?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let tenant = tenant_of(arguments.tenant.as_ref());
    let mut failed = None;
    let each = |record| match serde_json::to_string(&RecordBody::from(record)) {
        Ok(line) => say(&line),
        Err(error) => failed = Some(error),
    };
    auditor.export_trail(tenant.as_deref(), each).await?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}

async fn verify(arguments: &VerifyArguments) -> anyhow::Result<ExitCode> {
    let config = config::load(&arguments.file.config)?;
    let mut keys = arguments.public_key.clone();
    if keys.is_empty() {
        keys.extend(signer(&config)?.map(|signer| signer.public()));
    }
    let anchors = match &arguments.checkpoints {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            anchors(&text).with_context(|| path.display().to_string())?
        }
        None => Vec::new(),
    };
    let verdict = auditor(&config)?.verify_trail(&keys, anchors).await?;
    say(&if arguments.json { verdict_json(&verdict) } else { verdict_text(&verdict) });
    Ok(if verdict.breaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn retire(arguments: &RetireArguments) -> anyhow::Result<ExitCode> {
    let config = config::load(&arguments.file.config)?;
    let url = secrets::one(&config, "postgres.owner_url", &config.postgres.owner_url)?;
    let retired = retire_trail(url.expose(), arguments.keep_months).await?;
    say(&format!("{retired} months were dropped"));
    Ok(ExitCode::SUCCESS)
}

fn public_key(arguments: &PublicKeyArguments) -> anyhow::Result<ExitCode> {
    let config = config::load(&arguments.file.config)?;
    let Some(signer) = signer(&config)? else {
        bail!("keys.audit_signing: no key is set, so nothing is signed")
    };
    say(&hex::encode(signer.public().0));
    Ok(ExitCode::SUCCESS)
}

/// Records what the command line did, in a segment of its own.
///
/// # Errors
/// When it is done and not recorded.
pub async fn record(config: &Config, store: &Store, entries: Vec<TrailEntry>) -> anyhow::Result<()> {
    let mut segment = [0; 16];
    getrandom::fill(&mut segment)
        .map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    let signer = signer(config)?;
    let recorded = record_alone(store, segment, signer.as_ref(), entries).await;
    recorded.context("it could not be recorded in the security audit: look what was done first")
}

/// What the command line did.
pub fn entry(
    tenant: &TenantId,
    by: &str,
    action: &str,
    resource: String,
    outcome: TrailOutcome,
) -> TrailEntry {
    TrailEntry {
        at: now(),
        tenant: Some(tenant.clone()),
        actor: by.to_owned(),
        action: action.to_owned(),
        resource,
        outcome,
        code: String::new(),
        trace: String::new(),
        client: String::new(),
    }
}

/// A record as a line of JSON; times to the microsecond, so that its hash can be recomputed.
#[derive(Serialize)]
struct RecordBody {
    segment: String,
    number: i64,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    tenant: String,
    actor: String,
    action: String,
    resource: String,
    outcome: String,
    code: String,
    trace: String,
    client: String,
    previous: String,
    hash: String,
}

impl From<TrailRecord> for RecordBody {
    fn from(record: TrailRecord) -> Self {
        Self {
            segment: record.segment,
            number: record.number,
            at: record.at,
            tenant: record.tenant,
            actor: record.actor,
            action: record.action,
            resource: record.resource,
            outcome: record.outcome,
            code: record.code,
            trace: record.trace,
            client: record.client,
            previous: hex::encode(record.previous),
            hash: hex::encode(record.hash),
        }
    }
}

/// A checkpoint as a line of JSON.
#[derive(Serialize, Deserialize)]
struct CheckpointBody {
    segment: String,
    number: i64,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    hash: String,
    closes: bool,
    signature: String,
}

impl From<Checkpoint> for CheckpointBody {
    fn from(checkpoint: Checkpoint) -> Self {
        let Checkpoint { segment, number, at, hash, closes, signature } = checkpoint;
        Self { segment, number, at, hash: hex::encode(hash), closes, signature: hex::encode(signature) }
    }
}

fn anchors(text: &str) -> anyhow::Result<Vec<Checkpoint>> {
    let line = |(number, line): (usize, &str)| {
        let wrong =
            || format!("line {}: not a checkpoint of `terrasift audit export --checkpoints`", number + 1);
        let CheckpointBody { segment, number: last, at, hash, closes, signature } =
            serde_json::from_str(line).map_err(|_| anyhow::anyhow!(wrong()))?;
        let (hash, signature) = (hex::decode(hash), hex::decode(signature));
        let (Ok(hash), Ok(signature)) = (hash, signature) else { bail!(wrong()) };
        Ok(Checkpoint { segment, number: last, at, hash, closes, signature })
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(line).collect()
}

fn verdict_json(verdict: &TrailVerdict) -> String {
    let breaks: Vec<_> = verdict
        .breaks
        .iter()
        .map(
            |found| serde_json::json!({"segment": found.segment, "number": found.number, "what": found.what}),
        )
        .collect();
    serde_json::json!({
        "whole": breaks.is_empty(), "records": verdict.records, "segments": verdict.segments, "open": verdict.open,
        "checkpoints": verdict.checkpoints, "gaps": verdict.gaps, "breaks": breaks,
    })
    .to_string()
}

#[expect(clippy::print_stdout, reason = "the command line's own voice")]
fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use terrasift_postgres::{PrivatePostgres, TenantRow, migrate};
    use terrasift_schemas::TenantSlug;

    use super::*;

    #[test]
    fn times_are_dates_or_ages() {
        for (text, fits) in [
            ("2026-01-31T12:00:00Z", true),
            ("24h", true),
            ("", false),
            ("-1h", false),
            ("24", false),
            ("24ü", false),
        ] {
            assert_eq!(time_of(text).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn what_was_recorded_verifies_with_the_checkpoints_that_were_exported() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("terrasift.yaml");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let postgres = runtime.block_on(PrivatePostgres::start(None)).expect("postgres");
        let mut text = String::from("postgres:\n");
        for (key, url) in [("url", postgres.app_url()), ("auditor_url", postgres.auditor_url())] {
            let file = folder.path().join(key);
            std::fs::write(&file, url).expect("written");
            text.push_str(&format!("  {key}: file:{}\n", file.display()));
        }
        let key = folder.path().join("key");
        std::fs::write(&key, "22".repeat(32)).expect("written");
        text.push_str(&format!("keys:\n  audit_signing: file:{}\n", key.display()));
        std::fs::write(&path, text).expect("written");
        let config = config::load(&path).expect("a configuration");
        runtime.block_on(async {
            migrate(&postgres.owner_url()).await.expect("migrated");
            let store = Store::connect(&postgres.app_url(), 2).await.expect("a store");
            let acme = TenantId::parse("acme").expect("a tenant");
            let row = TenantRow { id: acme.clone(), slug: TenantSlug::parse("acme").expect("a slug") };
            store.declare_tenants(&[row]).await.expect("declared");
            let entry = entry(&acme, "command line", "key issue", "api key one".into(), TrailOutcome::Ok);
            record(&config, &store, vec![entry]).await.expect("recorded");
            store.close().await;
            let auditor = auditor(&config).expect("an auditor");
            let exported: Vec<_> = auditor.checkpoints().await.expect("checkpoints");
            let lines = exported
                .iter()
                .cloned()
                .map(|one| serde_json::to_string(&CheckpointBody::from(one)).expect("json"));
            let kept = anchors(&lines.collect::<Vec<_>>().join("\n")).expect("checkpoints");
            assert_eq!(kept, exported, "they come back as they went");
            let keys = [signer(&config).expect("a key").expect("a key").public()];
            let verdict = auditor.verify_trail(&keys, kept).await.expect("verified");
            assert_eq!((verdict.records, verdict.checkpoints, verdict.open), (1, 1, 0));
            assert!(verdict_text(&verdict).ends_with("whole"));
            let strangers =
                auditor.verify_trail(&[CheckpointKey([1; 32])], Vec::new()).await.expect("verified");
            assert!(verdict_text(&strangers).contains("breaks at 1"));
        });
        runtime.block_on(postgres.stop());
    }
}
