//! `terrasift tenant export`: everything that the database holds of a tenant, as JSON lines.
//!
//! The first line says what this is, each further one is a row, the last one counts them: a file that was cut has none. Nobody but
//! its owner may read a file that is written here, and it has its name only when it is whole. Must never write what opens something.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use terrasift_postgres::{Store, TenantExport, TrailOutcome};
use time::OffsetDateTime;

use super::ChangeArguments;
use crate::{config, secrets};

const ACTION: &str = "tenant export";
/// Raised when a reader of the version before would misread a line.
const FORMAT_VERSION: u32 = 1;
const BUFFER_BYTES: usize = 256 * 1024;

/// Arguments of `tenant export`.
#[derive(Args)]
pub struct ExportArguments {
    #[command(flatten)]
    whose: ChangeArguments,
    /// Where to write it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

impl ExportArguments {
    fn to_stdout(&self) -> bool {
        self.out.as_os_str() == "-"
    }
}

/// The first line.
#[derive(Serialize)]
struct Head<'a> {
    format: &'static str,
    version: u32,
    tenant: &'a str,
    slug: &'a str,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    terrasift: &'static str,
    schema: i64,
    rows: u64,
    /// Columns that are never written: digests of what is secret.
    left_out: Vec<String>,
}

/// The last line.
#[derive(Serialize)]
struct End {
    end: bool,
    rows: u64,
    tables: BTreeMap<&'static str, u64>,
}

/// Writes an export.
pub async fn run(arguments: &ExportArguments) -> anyhow::Result<ExitCode> {
    let whose = &arguments.whose;
    if !arguments.force && !arguments.to_stdout() && arguments.out.exists() {
        bail!("{} is there already: name another file, or pass --force", arguments.out.display());
    }
    let config = config::load(&whose.file.config)?;
    let app = secrets::one(&config, "postgres.url", &config.postgres.url)?;
    let store = Store::connect(app.expose(), 2).await?;
    // First: what is handed out is looked up in the audit, and stands in the export itself.
    whose.record(&config, &store, ACTION, "tenant, asked for".to_owned(), TrailOutcome::Ok).await?;
    let written = write(arguments, app.expose()).await;
    let (resource, outcome) = match &written {
        Ok(end) => (format!("tenant, ended: {} rows", end.rows), TrailOutcome::Ok),
        Err(_) => ("tenant, not ended".to_owned(), TrailOutcome::Failed),
    };
    let recorded = whose.record(&config, &store, ACTION, resource, outcome).await;
    store.close().await;
    let end = written?;
    recorded?;
    let said = if whose.json {
        serde_json::json!({"tenant": whose.tenant, "rows": end.rows, "tables": end.tables}).to_string()
    } else {
        format!("{} rows of {} are written", end.rows, whose.tenant)
    };
    // Standard output may be the export's.
    if arguments.to_stdout() {
        super::tell(&said)
    } else {
        super::say(&said)
    }
    Ok(ExitCode::SUCCESS)
}

async fn write(arguments: &ExportArguments, app_url: &str) -> anyhow::Result<End> {
    let mut export = TenantExport::begin(app_url, &arguments.whose.tenant).await?;
    let tenant = arguments.whose.tenant.as_str();
    if arguments.to_stdout() {
        return lines(&mut export, tenant, std::io::stdout())
            .await
            .context("cannot write to standard output");
    }
    let folder = arguments.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let out = arguments.out.display();
    // Nobody else may read it; dropped, it is gone.
    let file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .with_context(|| format!("cannot write beside {out}"))?;
    let end =
        lines(&mut export, tenant, file.as_file()).await.with_context(|| format!("cannot write {out}"))?;
    file.as_file().sync_all().with_context(|| format!("cannot write {out}"))?;
    let kept =
        if arguments.force { file.persist(&arguments.out) } else { file.persist_noclobber(&arguments.out) };
    kept.map_err(|error| error.error).with_context(|| format!("cannot write {out}"))?;
    Ok(end)
}

async fn lines(export: &mut TenantExport, tenant: &str, out: impl Write) -> anyhow::Result<End> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let head = export.head().clone();
    let first = Head {
        format: "terrasift-tenant-export",
        version: FORMAT_VERSION,
        tenant,
        slug: head.slug.as_str(),
        at: head.at,
        terrasift: env!("CARGO_PKG_VERSION"),
        schema: head.schema,
        rows: head.rows,
        left_out: TenantExport::left_out().collect(),
    };
    writeln!(out, "{}", serde_json::to_string(&first)?)?;
    let bar = super::progress(Some(head.rows));
    let mut end =
        End { end: true, rows: 0, tables: TenantExport::tables().map(|table| (table, 0)).collect() };
    while let Some(page) = export.next().await? {
        for row in &page.rows {
            writeln!(out, "{{\"table\":\"{}\",\"row\":{row}}}", page.table)?;
        }
        let rows = u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
        end.rows += rows;
        *end.tables.entry(page.table).or_default() += rows;
        bar.set_position(end.rows);
    }
    writeln!(out, "{}", serde_json::to_string(&end)?)?;
    out.flush()?;
    bar.finish_and_clear();
    Ok(end)
}
