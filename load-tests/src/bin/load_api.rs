//! Owns the command line of `terrasift-load-api`. `make load-api` calls it.
//!
//! Must never print a key.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use terrasift_load_tests::api_load::{Plan, Report, run};

/// Holds many connections to the API of the program open, asks on a timetable, and looks at every answer.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  terrasift-load-api                                       10,000 connections, 1,000 requests a second, 1,000,000 entities
  terrasift-load-api --connections 500 --entities 20000 --tenants 50 --seconds 10

Starts a Postgres and the program of its own. Ends with one line of JSON; with 1 when a figure is not what it must be, with 2
when it could not be measured."
)]
struct Cli {
    /// Connections that are held open
    #[arg(long, default_value_t = 10_000)]
    connections: u32,
    /// Requests a second
    #[arg(long, default_value_t = 1_000)]
    rps: u32,
    /// How long
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Tenants, with a key each
    #[arg(long, default_value_t = 1_000)]
    tenants: u32,
    /// Entities of all tenants together; the first one has a tenth of them
    #[arg(long, default_value_t = 1_000_000)]
    entities: u32,
    /// Draws who asks what
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program; beside this one unless it is named
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Where configuration and log go
    #[arg(long, value_name = "DIR", default_value = "target/load-api")]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    match load(Cli::parse()).await {
        Ok(report) if report.met => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to tell it to when standard error is closed.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn load(cli: Cli) -> Result<Report> {
    let binary = match cli.binary {
        Some(binary) => binary,
        None => std::env::current_exe()?.with_file_name("terrasift"),
    };
    ensure!(binary.is_file(), "{} is missing: build it, or name it with --binary", binary.display());
    let plan = Plan {
        binary: std::path::absolute(&binary).context("there is no such program")?,
        folder: std::path::absolute(&cli.out).context("there is no such folder")?,
        connections: cli.connections,
        rps: cli.rps,
        seconds: cli.seconds,
        tenants: cli.tenants,
        entities: cli.entities,
        largest: cli.entities / 10,
        seed: cli.seed,
    };
    // Hidden by itself where nobody looks.
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} · {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    let step = |what: &str| bar.set_message(what.to_owned());
    let report = tokio::select! {
        report = run(&plan, &step) => report?,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
    };
    bar.finish_and_clear();
    writeln!(io::stdout(), "{}", report.line)?;
    Ok(report)
}
