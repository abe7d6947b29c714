//! `make measure`: issue 4's table of measures, one line of JSON a row.
//!
//! Must never print a figure that was not measured in this run.

mod consumption;
mod entities;
mod row;
mod upstream;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use row::{Measured, ROWS, Row};

/// Measures the engine with durability on, one line of JSON a row.
#[derive(Parser)]
#[command(after_help = "Examples:
  measure                          all rows that take minutes
  measure --row unchanged          one row
  measure --row idle --workspaces 100000
  measure --list                   what there is")]
struct Arguments {
    /// Only this row; may be given several times
    #[arg(long, value_name = "NAME")]
    row: Vec<String>,
    /// List the rows
    #[arg(long)]
    list: bool,
    /// Folder of Kafka's jars (`make kafka-jars` fills it)
    #[arg(long, value_name = "DIR")]
    kafka_libs: PathBuf,
    /// File for the engine's log
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Records of `unchanged`
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
    /// States of `entities`
    #[arg(long, default_value_t = 1_000)]
    states: usize,
    /// Workspaces of `idle`
    #[arg(long, default_value_t = 1_000_000)]
    workspaces: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        return list();
    }
    for name in &arguments.row {
        let known = ROWS.iter().any(|row| row.name == name);
        anyhow::ensure!(known, "there is no row {name}: `--list` shows them");
    }
    if let Some(path) = &arguments.log {
        let file = std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        tracing_subscriber::fmt().json().with_writer(std::sync::Mutex::new(file)).init();
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let mut met = true;
    for row in ROWS
        .iter()
        .filter(|row| arguments.row.is_empty() || arguments.row.iter().any(|name| name == row.name))
    {
        let measured =
            runtime.block_on(measure(row, &arguments)).with_context(|| format!("row {}", row.name))?;
        met &= row.tell(measured)?;
    }
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(row: &Row, arguments: &Arguments) -> anyhow::Result<Measured> {
    let libs = &arguments.kafka_libs;
    match row.name {
        "one-partition" => consumption::one_partition(libs).await,
        "unchanged" => consumption::unchanged(libs, arguments.records).await,
        "entities" => entities::entities(libs, arguments.states).await,
        "idle" => consumption::idle(libs, arguments.workspaces).await,
        name => anyhow::bail!("the row {name} has no measurement"),
    }
}

#[expect(clippy::print_stdout, reason = "the command's own voice")]
fn list() -> anyhow::Result<ExitCode> {
    for row in ROWS {
        println!("{:<16} must {} aim {} {}: {}", row.name, row.must, row.aim, row.unit, row.about);
    }
    Ok(ExitCode::SUCCESS)
}
