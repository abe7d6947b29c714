//! Owns the command line of `terrasift-faults`: runs rows of the fault matrix. `make faults` calls it.
//!
//! Must never call a run clean that tried nothing: what could not be run is an error.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use futures_util::future::join_all;
use terrasift_load_tests::faults::{Pace, ROWS, Report, Row, RunPlan, Runner, find};

/// Runs the real program beside real servers, makes things go wrong, and judges from outside what became of every event.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  terrasift-faults --list                          every row with one line about it
  terrasift-faults --row kill-random --seed 3      one run; ends with one line of JSON
  terrasift-faults --short                         every row once, small
  terrasift-faults --seeds 1,2,3,4,5               the whole matrix, one line of JSON a run

Each run leaves sent.jsonl, catalog.jsonl, findings.txt and the replicas' logs in FOLDER/ROW-SEED.
It ends with 0 when nothing was lost, doubled, stale, leaked or committed too early, with 1 when something was,
with 2 when a run could not be made."
)]
struct Cli {
    /// List the rows and end
    #[arg(long)]
    list: bool,
    /// Rows to run; all when absent
    #[arg(long = "row", value_name = "NAME", value_delimiter = ',', conflicts_with = "list")]
    rows: Vec<String>,
    /// Seeds of each row
    #[arg(long = "seed", alias = "seeds", value_name = "N", value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Events of a run
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    events: u32,
    /// Few events and workspaces, and no twin to compare with: some ten seconds a row
    #[arg(long)]
    short: bool,
    /// Runs at once, each on servers of its own
    #[arg(long)]
    lanes: Option<usize>,
    /// Seconds from the first to the last event
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u64).range(2..=3600))]
    during: u64,
    /// End with the first run that is not clean
    #[arg(long)]
    until_caught: bool,
    /// The program, a debug build: release builds have no failpoints
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Folder with Kafka's jars, as `make kafka-jars` fills it
    #[arg(long, value_name = "DIR")]
    kafka_libs: Option<PathBuf>,
    /// Where runs leave what they saw
    #[arg(long, value_name = "DIR", default_value = "target/faults")]
    folder: PathBuf,
}

/// The stream of `--short`, and how many such runs go beside each other: most of each is waiting for sessions to time out.
const SHORT: Pace = Pace { events: 90, during: Duration::from_secs(5) };
const SHORT_LANES: usize = 3;
/// Findings of a run that the end of the log shows.
const TOLD_FINDINGS: usize = 10;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

async fn run(cli: Cli) -> Result<bool> {
    if cli.list {
        let mut out = io::stdout().lock();
        for row in ROWS {
            writeln!(out, "{:<22} {}", row.name, row.about)?;
        }
        return Ok(true);
    }
    let rows: Vec<&'static Row> = if cli.rows.is_empty() {
        ROWS.iter().collect()
    } else {
        let named = |name: &String| find(name).with_context(|| format!("no row {name}: --list shows them"));
        cli.rows.iter().map(named).collect::<Result<_>>()?
    };
    let beside = std::env::current_exe().context("where am I?")?;
    let beside = beside.parent().context("where am I?")?.to_owned();
    let plan = RunPlan {
        binary: cli.binary.unwrap_or_else(|| beside.join("terrasift")),
        kafka_libs: cli.kafka_libs.unwrap_or_else(|| beside.join("../kafka/libs")),
        folder: std::path::absolute(&cli.folder)?,
        pace: if cli.short {
            SHORT
        } else {
            Pace { events: cli.events, during: Duration::from_secs(cli.during) }
        },
        short: cli.short,
    };
    let lanes = cli.lanes.unwrap_or(if cli.short { SHORT_LANES } else { 1 });
    if !plan.binary.is_file() {
        bail!("{} is not there: `cargo build --package terrasift`", plan.binary.display());
    }
    let runs: Vec<(&'static Row, u64)> =
        rows.iter().flat_map(|row| cli.seeds.iter().map(move |seed| (*row, *seed))).collect();
    let queue = Queue { runs, next: AtomicUsize::new(0), until_caught: cli.until_caught };
    let mut runners: Vec<_> = (0..lanes).map(|_| Runner::new(plan.clone())).collect();
    let working = join_all(runners.iter_mut().map(|runner| work(runner, &queue)));
    let outcomes = tokio::select! {
        outcomes = working => Some(outcomes),
        _ = tokio::signal::ctrl_c() => None,
    };
    join_all(runners.into_iter().map(Runner::stop)).await;
    let outcomes: Vec<Tally> = outcomes.context("interrupted")?.into_iter().collect::<Result<_>>()?;
    let broken: usize = outcomes.iter().map(|tally| tally.broken).sum();
    let dirty: usize = outcomes.iter().map(|tally| tally.dirty.len()).sum();
    // Once more at the end, where whoever reads a long log looks first.
    for (row, seed) in outcomes.iter().flat_map(|tally| &tally.dirty) {
        tell_findings(row, *seed, &cli.folder);
    }
    if broken > 0 && !(cli.until_caught && dirty > 0) {
        bail!("{broken} runs could not be made");
    }
    Ok(dirty == 0)
}

/// What is to be run, by whichever runner is free.
struct Queue {
    runs: Vec<(&'static Row, u64)>,
    next: AtomicUsize,
    until_caught: bool,
}

#[derive(Default)]
struct Tally {
    dirty: Vec<(&'static str, u64)>,
    broken: usize,
}

/// Takes runs until none is left.
async fn work(runner: &mut Runner, queue: &Queue) -> Result<Tally> {
    let mut tally = Tally::default();
    while let Some((row, seed)) = queue.runs.get(queue.next.fetch_add(1, Ordering::Relaxed)) {
        let begin = tokio::time::Instant::now();
        let told = |step: &str| {
            if io::stderr().is_terminal() {
                say(&format!("{} {seed}: {:>3} s  {step}", row.name, begin.elapsed().as_secs()));
            }
        };
        let mut outcome = runner.run(row, *seed, &told).await;
        if let Err(error) = &outcome {
            // A machine that is too slow for a server to start says nothing of the engine: once more, and then it counts.
            say(&format!("{} {seed}: the run could not be made, once more: {error:#}", row.name));
            outcome = runner.run(row, *seed, &told).await;
        }
        match outcome {
            Ok(report) => {
                if !report.is_clean() {
                    tally.dirty.push((row.name, *seed));
                }
                print(&report)?;
                if queue.until_caught && !tally.dirty.is_empty() {
                    break;
                }
            }
            Err(error) => {
                tally.broken += 1;
                say(&format!("{} {seed}: the run failed: {error:#}", row.name));
            }
        }
    }
    Ok(tally)
}

/// The first of what a run found, from the file that it left.
fn tell_findings(row: &str, seed: u64, folder: &Path) {
    let file = folder.join(format!("{row}-{seed}/findings.txt"));
    let findings = std::fs::read_to_string(&file).unwrap_or_default();
    say(&format!("{row} {seed} is not clean, {} findings:", findings.lines().count()));
    for finding in findings.lines().take(TOLD_FINDINGS) {
        say(&format!("  {finding}"));
    }
}

fn print(report: &Report) -> Result<()> {
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(report)?)?)
}

fn say(text: &str) {
    // Nobody to tell is no reason to end.
    let _ = writeln!(io::stderr(), "{text}");
}
