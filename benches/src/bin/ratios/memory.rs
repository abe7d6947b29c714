//! Peak memory of a process that streams a state of which it never has more than a chunk.
//! Must never measure two ways in one process: a peak does not come down.

use std::fs;
use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde_json::json;
use terrasift_benches::input::{self, DENSITIES};
use terrasift_benches::ways;
use terrasift_load_tests::generator::{CanaryDensity, StateStream};

/// The small state that the big one is compared with: what it needs is what any needs.
const SMALL_BYTES: u64 = 1_000_000;

/// Between the two that speed is measured with: what a big state may hold without meeting the bound on known secrets.
const SPARSE: (&str, CanaryDensity) = ("sparse", CanaryDensity { per_hundred: 1 });

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// Nothing but the generator: its share of the peak.
    Generator,
    TwoPass,
    Forward,
    Sift,
}

/// Streams a state one way and tells the process' peak resident memory.
pub fn peak_kib(way: Way, bytes: u64, seed: u64, canaries: CanaryDensity) -> Result<u64> {
    let spec = input::spec(bytes, seed, canaries);
    let stream = || StateStream::new(spec.clone());
    let pipeline = input::pipeline();
    match way {
        Way::Generator => {
            for chunk in stream() {
                std::hint::black_box(chunk);
            }
        }
        Way::TwoPass => ways::two_pass(&pipeline.rules, stream)?,
        Way::Forward => ways::forward(&pipeline.rules, stream())?,
        Way::Sift => drop(ways::sift(&pipeline, input::job()?, stream())?),
    }
    let status = fs::read_to_string("/proc/self/status").context("cannot read the peak: this needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

pub fn report(out: &mut impl Write, bytes: u64, seed: u64) -> Result<()> {
    ensure!(bytes > SMALL_BYTES, "--memory-bytes must be above 1MB");
    for (density, canaries) in DENSITIES.into_iter().chain([SPARSE]) {
        for way in Way::value_variants() {
            let small = child(*way, SMALL_BYTES, seed, canaries)?;
            let mut line = match child(*way, bytes, seed, canaries) {
                Ok(large) => json!({
                    "peak_kib_of_1mb": small,
                    "peak_kib": large,
                    "growth_kib": large.saturating_sub(small),
                }),
                // A refusal is a figure too: the bound was met.
                Err(error) => json!({"peak_kib_of_1mb": small, "error": error.to_string()}),
            };
            line["figure"] = json!(format!("memory-{}", name(*way)));
            line["canaries"] = json!(density);
            line["bytes"] = json!(bytes);
            line["seed"] = json!(seed);
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn name(way: Way) -> String {
    way.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn child(way: Way, bytes: u64, seed: u64, canaries: CanaryDensity) -> Result<u64> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let output = Command::new(program)
        .args(["--peak-of", &name(way)])
        .args(["--bytes", &bytes.to_string(), "--seed", &seed.to_string()])
        .args(["--density", &canaries.per_hundred.to_string()])
        .output()
        .context("cannot start this program again")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.lines().next().unwrap_or("the child failed and said nothing"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}
