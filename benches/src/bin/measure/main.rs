//! `make measure`: issue 4's table of measures, one line of JSON a row.
//!
//! Must never print a figure that was not measured in this run.

mod cluster;
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
  measure                          all rows; an hour and a half
  measure --row unchanged          one row
  measure --row idle --workspaces 100000
  measure --row soak --minutes 5
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
    /// The program, for rows with replicas; without it the one beside this
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Where replicas have their configuration and logs
    #[arg(long, value_name = "DIR", default_value = "target/measure")]
    folder: PathBuf,
    /// Length of `soak` and `budget`; the figures that count are those of 30
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Length of a phase of `latency` and `noisy`
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
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
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("terrasift"),
    };
    let places = cluster::Places {
        binary: std::path::absolute(binary)?,
        kafka_libs: std::path::absolute(libs)?,
        folder: std::path::absolute(&arguments.folder)?,
    };
    match row.name {
        "one-partition" => consumption::one_partition(libs).await,
        "unchanged" => consumption::unchanged(libs, arguments.records).await,
        "entities" => entities::entities(libs, arguments.states).await,
        "latency" => cluster::latency(&places, arguments.seconds).await,
        "failover" => cluster::failover(&places).await,
        "noisy" => cluster::noisy(&places, arguments.seconds).await,
        "soak" => cluster::soak(&places, arguments.minutes).await,
        "budget" => cluster::budget(&places, arguments.minutes).await,
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
