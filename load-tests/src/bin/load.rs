//! Owns the command line of `terrasift-load`: runs a scenario and reports. `make load` calls it.
//!
//! Must never print a key.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use terrasift_load_tests::load::{Driver, Local, LocalPlan, Outcome, Scenario, Target, page, run};

/// Sends events on a timetable and tells how long each takes to stand in the feed.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  terrasift-load --list                                   the scenarios
  terrasift-load --scenario noisy-neighbour               everything is started on this machine
  terrasift-load --scenario ./mine.yaml --out ./report    a scenario of your own
  terrasift-load --scenario steady --broker kafka:9092 --api https://terrasift.example \\
      --simulator http://127.0.0.1:8090 --keys keys.jsonl an installation that runs, with the simulator as its Terraform Cloud

Leaves report.json and report.html (one file, no script) in the folder, and ends with one line of JSON."
)]
struct Cli {
    /// List the scenarios
    #[arg(long)]
    list: bool,
    /// A scenario's name, or a file
    #[arg(long, default_value = "steady")]
    scenario: String,
    /// Folder of the scenarios
    #[arg(long, value_name = "DIR", default_value = "load-tests/scenarios")]
    scenarios: PathBuf,
    /// Where the reports go, and what replicas log
    #[arg(long, value_name = "DIR", default_value = "target/load")]
    out: PathBuf,
    /// The program, where it is started here
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Folder with Kafka's jars, as `make kafka-jars` fills it
    #[arg(long, value_name = "DIR")]
    kafka_libs: Option<PathBuf>,
    /// Brokers of an installation that runs; with --api, --simulator and --keys
    #[arg(long, value_name = "HOST:PORT", requires_all = ["api", "simulator", "keys"])]
    broker: Option<String>,
    /// Origin of its API; may be given several times
    #[arg(long, value_name = "URL")]
    api: Vec<String>,
    /// Origin of the simulator that is its Terraform Cloud
    #[arg(long, value_name = "URL")]
    simulator: Option<String>,
    /// File with a line {"tenant": …, "key": …} for each tenant
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Seconds to wait for events that are still on their way
    #[arg(long, default_value_t = 60)]
    drain: u64,
}

/// Longest first sync.
const FIRST_SYNC_MAX: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> ExitCode {
    // The simulator would choose it; elsewhere there is none here. That one is chosen already is no error.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    match load(Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to tell it to when standard error is closed.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn load(cli: Cli) -> Result<bool> {
    if cli.list {
        return list(&cli.scenarios);
    }
    let named = cli.scenarios.join(format!("{}.yaml", cli.scenario));
    let path = if named.is_file() { named } else { PathBuf::from(&cli.scenario) };
    let scenario = Scenario::read(&path)?;
    let folder = cli.out.join(&scenario.name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} · {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    let (outcome, left) = match cli.broker.clone() {
        Some(broker) => elsewhere(&cli, broker, &scenario, &bar).await?,
        None => here(&cli, &scenario, &folder, &bar).await?,
    };
    bar.finish_and_clear();
    std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(&outcome)?)?;
    std::fs::write(folder.join("report.html"), page(&outcome))?;
    let line = json!({
        "scenario": scenario.name,
        "left": left,
        "phases": outcome.phases.iter().map(|phase| json!({
            "name": phase.name, "sent": phase.sent, "not_sent": phase.not_sent, "visible": phase.visible,
            "p50_ms": phase.latency_ms.p50, "p99_ms": phase.latency_ms.p99, "max_ms": phase.latency_ms.max,
        })).collect::<Vec<_>>(),
        "settings": outcome.settings,
        "report": folder.join("report.html"),
    });
    writeln!(io::stdout(), "{line}")?;
    Ok(left == 0)
}

async fn here(cli: &Cli, scenario: &Scenario, folder: &Path, bar: &ProgressBar) -> Result<(Outcome, usize)> {
    let binary = match &cli.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("terrasift"),
    };
    let libs =
        cli.kafka_libs.clone().context("--kafka-libs is missing: `make kafka-jars` fills the folder")?;
    if !binary.is_file() {
        bail!("{} is missing: build it, or name it with --binary", binary.display());
    }
    bar.set_message("starting servers and replicas");
    let plan = LocalPlan {
        binary: absolute(&binary)?,
        kafka_libs: absolute(&libs)?,
        folder: absolute(folder)?,
        limits: vec!["tenant_syncs_max: 8".to_owned()],
    };
    let mut local = Local::start(&plan, scenario).await?;
    let driver = Driver::start(local.target().await?, scenario.clone())?;
    bar.set_message("first sync");
    driver.first_sync(FIRST_SYNC_MAX).await?;
    bar.set_message(format!("{}: {}", scenario.name, scenario.about));
    run(&mut local, &driver, scenario).await?;
    bar.set_message("waiting for what is on its way");
    let left = driver.drain(Duration::from_secs(cli.drain)).await;
    let outcome = driver.outcome(local.settings().await?);
    local.stop().await;
    Ok((outcome, left))
}

async fn elsewhere(
    cli: &Cli,
    broker: String,
    scenario: &Scenario,
    bar: &ProgressBar,
) -> Result<(Outcome, usize)> {
    let keys = cli.keys.as_deref().context("--keys is missing")?;
    let simulator = cli.simulator.clone().context("--simulator is missing")?;
    let target = Target::new(broker, cli.api.clone(), simulator, Target::read_keys(keys)?).await?;
    let mut scenario = scenario.clone();
    scenario.tenants = target.tenants.len();
    let driver = Driver::start(target, scenario.clone())?;
    bar.set_message("reading the feeds");
    driver.first_sync(FIRST_SYNC_MAX).await?;
    bar.set_message(format!("{}: {}", scenario.name, scenario.about));
    for phase in 0..scenario.phases.len() {
        driver.run_phase(phase).await?;
    }
    let left = driver.drain(Duration::from_secs(cli.drain)).await;
    Ok((driver.outcome(Value::from("those of the installation")), left))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("there is no {}", path.display()))
}

fn list(folder: &Path) -> Result<bool> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    for path in paths {
        let scenario = Scenario::read(&path)?;
        writeln!(io::stdout(), "{:<18} {}", scenario.name, scenario.about)?;
    }
    Ok(true)
}
