//! Owns the command line of `terrasift-simulator`: `serve` and `generate`. It must never be needed by `terrasift` itself.

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use terrasift_load_tests::generator::{CanaryDensity, Layout, StateSize, StateSpec, StateStream};
use terrasift_load_tests::simulator::{Simulator, SimulatorConfig};

/// A Terraform Cloud on the loopback address, and the states that it serves.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  terrasift-simulator serve --tenants 3 --workspaces 10
  terrasift-simulator serve --states ./my-states
  terrasift-simulator generate --seed 7 --bytes 100MB --out state.json --canaries canaries.jsonl"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until Ctrl-C; prints one JSON line with origins and tokens.
    Serve(Serve),
    /// Write one state document.
    Generate(Generate),
}

#[derive(Args)]
#[command(after_help = "While it runs:
  curl -X POST $API/_sim/workspaces/ws-…/bump
  curl -X POST $API/_sim/workspaces/ws-…/notify
  curl -X POST $API/_sim/faults -H 'content-type: application/json' -d '{\"kind\":\"truncated\",\"times\":2}'")]
struct Serve {
    /// Organizations.
    #[arg(long, default_value_t = 3)]
    tenants: usize,
    /// Workspaces in each.
    #[arg(long, default_value_t = 10)]
    workspaces: usize,
    /// Seed of ids, tokens and states.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Serve the files below this folder instead of generated states.
    #[arg(long, value_name = "DIR")]
    states: Option<PathBuf>,
    /// Port of the API; 0 for a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Leave totals out of paged lists.
    #[arg(long)]
    without_totals: bool,
}

#[derive(Args)]
struct Generate {
    /// Seed: the same one gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Size, with KB, MB or GB (powers of ten).
    #[arg(long, default_value = "1MB", value_parser = parse_bytes)]
    bytes: u64,
    /// Resources with planted secrets in a hundred; 0 plants none.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(0..=100))]
    density: u32,
    /// How often the state was changed since it was made.
    #[arg(long, default_value_t = 0)]
    generation: u32,
    /// One line instead of Terraform's indentation.
    #[arg(long)]
    compact: bool,
    /// File to write; standard output if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File for the planted secrets, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    canaries: Option<PathBuf>,
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        _ => return Err("the unit must be B, KB, MB or GB".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "a size is a whole number and a unit, such as 100MB".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "the size is too large".to_owned())
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Serve(options) => serve(options),
        Command::Generate(options) => generate(&options),
    }
}

#[tokio::main]
async fn serve(options: Serve) -> Result<()> {
    let mut config = match &options.states {
        Some(dir) => SimulatorConfig::from_states_dir(dir, options.tenants)
            .with_context(|| format!("cannot list the states below {}", dir.display()))?,
        None => SimulatorConfig::demo(options.tenants, options.workspaces, options.seed),
    };
    config.port = options.port;
    config.without_totals = options.without_totals;
    let simulator = Simulator::start(config).await.context("cannot bind a loopback port")?;
    let organizations: Vec<_> = simulator
        .organizations()
        .into_iter()
        .map(|it| json!({"name": it.name, "token": it.token, "user": it.user}))
        .collect();
    let line = json!({
        "api_origin": simulator.api_origin(),
        "archive_origin": simulator.archive_origin(),
        "organizations": organizations,
    });
    writeln!(io::stdout(), "{line}")?;
    tokio::signal::ctrl_c().await.context("cannot listen for Ctrl-C")?;
    simulator.shutdown().await;
    Ok(())
}

fn generate(options: &Generate) -> Result<()> {
    if options.canaries.is_some() && options.canaries == options.out {
        bail!("--out and --canaries name the same file: give each its own");
    }
    let spec = StateSpec {
        canaries: CanaryDensity { per_hundred: options.density },
        generation: options.generation,
        serial: u64::from(options.generation) + 1,
        layout: if options.compact { Layout::Compact } else { Layout::Pretty },
        ..StateSpec::new(options.seed, StateSize::Bytes(options.bytes))
    };
    let create =
        |path: &PathBuf| File::create(path).with_context(|| format!("cannot write {}", path.display()));
    let mut out: Box<dyn Write> = match &options.out {
        Some(path) => Box::new(create(path)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut ledger = options.canaries.as_ref().map(create).transpose()?.map(BufWriter::new);
    let mut stream = StateStream::new(spec);
    if ledger.is_some() {
        stream = stream.recording();
    }
    while let Some(chunk) = stream.next() {
        out.write_all(&chunk)?;
        for canary in stream.take_canaries() {
            if let Some(ledger) = &mut ledger {
                writeln!(ledger, "{}", serde_json::to_string(&canary)?)?;
            }
        }
    }
    out.flush()?;
    if let Some(mut ledger) = ledger {
        ledger.flush()?;
    }
    Ok(())
}
