//! `ratios`: one JSON line a figure, each beside serde_json skipping the same bytes in the same round.
//! Only ratios travel from machine to machine; must never say whether one is good.

mod memory;
mod speed;

use std::io::{self, Write};

use anyhow::Result;
use clap::Parser;
use terrasift_benches::figure::{machine, parse_bytes};
use terrasift_load_tests::generator::CanaryDensity;

use memory::Way;

/// Measures the engine on generated states.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:
  cargo run --release -p terrasift-benches --bin ratios -- --bytes 100MB --seed 1"
)]
struct Options {
    /// Size of the state whose throughput is measured, with KB, MB or GB (powers of ten).
    #[arg(long, default_value = "100MB", value_parser = parse_bytes)]
    bytes: u64,
    /// Seed of the states.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rounds; each measures everything once, figures are medians over them.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Size of the state whose memory is compared with that of a state of 1 MB.
    #[arg(long, default_value = "500MB", value_parser = parse_bytes)]
    memory_bytes: u64,
    /// Child process: goes one way and prints its peak memory.
    #[arg(long, hide = true)]
    peak_of: Option<Way>,
    /// Child process: resources with planted secrets in a hundred.
    #[arg(long, hide = true, default_value_t = 25)]
    density: u32,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut out = io::stdout().lock();
    if let Some(way) = options.peak_of {
        let canaries = CanaryDensity { per_hundred: options.density };
        let peak = memory::peak_kib(way, options.bytes, options.seed, canaries)?;
        writeln!(out, "{peak}")?;
        return Ok(());
    }
    writeln!(out, "{}", machine())?;
    speed::report(&mut out, options.bytes, options.seed, options.rounds)?;
    memory::report(&mut out, options.memory_bytes, options.seed)
}
