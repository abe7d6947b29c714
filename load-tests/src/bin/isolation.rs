//! Owns the command line of `terrasift-isolation`. `make isolation` calls it.
//!
//! Must never print a row.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use terrasift_load_tests::isolation::{Plan, Report, judged_by, run};

/// Tries to reach other tenants' rows as the application role, in generated ways, and whether weakened schemas are noticed.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  terrasift-isolation --seed 7        thousands of attempts, then every weakened schema
  terrasift-isolation --every         each attempt on every kind of connection
  terrasift-isolation --no-mutants    the real schema only
  terrasift-isolation -- pgrls lint   somebody else judges the real schema, by DATABASE_URL

Starts a Postgres of its own. Ends with one line of JSON; with 1 when something was found, with 2 when it could not be tried."
)]
struct Cli {
    /// Draws tenants, rows, connections and the order
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Each attempt on every kind of connection instead of a drawn one
    #[arg(long)]
    every: bool,
    /// Leave the weakened schemas out
    #[arg(long)]
    no_mutants: bool,
    /// Only run this program over the real schema, with DATABASE_URL set
    #[arg(last = true, value_name = "PROGRAM")]
    judge: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.judge.split_first() {
        Some((program, arguments)) => judged_by(cli.seed, program, arguments).await,
        None => isolation(&cli).await.map(|report| report.findings.is_empty()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn isolation(cli: &Cli) -> Result<Report> {
    // Hidden by itself where nobody looks.
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    let step = |done: usize, of: usize, what: &str| {
        bar.set_length(u64::try_from(of).unwrap_or(0));
        bar.set_position(u64::try_from(done).unwrap_or(0));
        bar.set_message(what.to_owned());
    };
    let plan = Plan { seed: cli.seed, every: cli.every, mutants: !cli.no_mutants };
    let report = tokio::select! {
        report = run(plan, &step) => report?,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
    };
    bar.finish_and_clear();
    for finding in &report.findings {
        writeln!(io::stderr(), "{finding}")?;
    }
    writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?;
    Ok(report)
}
