//! Throughput of the ways through a state, in rounds that measure all of them one after the other.
//! Must never compare figures of different rounds: the machine changes between them.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use simd_json::Buffers;
use terrasift_benches::clock::{Sample, once, sample};
use terrasift_benches::figure::{median, megabytes, tenth};
use terrasift_benches::input::{self, CHUNK_BYTES, DENSITIES};
use terrasift_benches::ways;
use terrasift_engine::detect::RuleSet;
use terrasift_engine::sift::Pipeline;
use terrasift_load_tests::generator::measure;

/// The yardstick first: the others' ratios are to it.
const FIGURES: [&str; 8] =
    ["serde-json-skip", "simd-json-tape", "index", "taint-pass", "two-pass", "forward", "sift", "generator"];

pub fn report(out: &mut impl Write, bytes: u64, seed: u64, rounds: u16) -> Result<()> {
    let starts: Vec<f64> =
        (0..rounds).map(|_| sample(start).map(|taken| taken.wall.as_secs_f64())).collect::<Result<_>>()?;
    writeln!(out, "{}", json!({"figure": "rules-builtin", "ms": tenth(median(starts) * 1e3)}))?;
    let pipeline = input::pipeline();
    for (density, canaries) in DENSITIES {
        let spec = input::spec(bytes, seed, canaries);
        let (state, planted) = input::state(&spec)?;
        let mut copy = state.clone();
        let mut buffers = Buffers::new(state.len());
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); FIGURES.len()];
        for _ in 0..rounds {
            for (figure, samples) in FIGURES.iter().zip(&mut samples) {
                let taken = match *figure {
                    "generator" => sample(|| {
                        std::hint::black_box(measure(&spec));
                        Ok(())
                    }),
                    "simd-json-tape" => tape(&state, &mut copy, &mut buffers),
                    figure => sample(|| run(figure, &pipeline, &state)),
                };
                samples.push(taken.with_context(|| format!("{figure} refuses the state"))?);
            }
        }
        let size = u64::try_from(state.len())?;
        for (figure, taken) in FIGURES.iter().zip(&samples) {
            let mut line = line(figure, taken, &samples[0], megabytes(size)?);
            line["canaries"] = json!(density);
            line["planted"] = json!(planted.len());
            line["bytes"] = json!(size);
            line["seed"] = json!(seed);
            line["rounds"] = json!(rounds);
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// What a process does once before its first state.
fn start() -> Result<()> {
    std::hint::black_box(RuleSet::builtin());
    Ok(())
}

fn run(figure: &str, pipeline: &Arc<Pipeline>, state: &[u8]) -> Result<()> {
    let rules = &pipeline.rules;
    let chunks = || state.chunks(CHUNK_BYTES);
    match figure {
        "serde-json-skip" => ways::skip(state)?,
        "index" => drop(std::hint::black_box(ways::index(state, CHUNK_BYTES))),
        "taint-pass" => drop(ways::taint(rules, chunks())?),
        "two-pass" => ways::two_pass(rules, chunks)?,
        "forward" => ways::forward(rules, chunks())?,
        _ => drop(ways::sift(pipeline, input::job()?, chunks())?),
    }
    Ok(())
}

/// The tape is made in place: the copy that it needs is not its cost.
fn tape(state: &[u8], copy: &mut [u8], buffers: &mut Buffers) -> Result<Sample> {
    copy.copy_from_slice(state);
    once(|| {
        ways::tape(copy, buffers)?;
        Ok(())
    })
}

/// One figure: medians over the rounds; the ratio is the median of the rounds' ratios.
fn line(figure: &str, taken: &[Sample], yardstick: &[Sample], megabytes: f64) -> Value {
    let speed = |it: f64| tenth(megabytes / it);
    let ratios =
        taken.iter().zip(yardstick).map(|(it, skip)| skip.cpu.as_secs_f64() / it.cpu.as_secs_f64()).collect();
    json!({
        "figure": figure,
        "mb_per_s": speed(median(taken.iter().map(|it| it.cpu.as_secs_f64()).collect())),
        "mb_per_s_wall": speed(median(taken.iter().map(|it| it.wall.as_secs_f64()).collect())),
        "ratio_to_skip": (median(ratios) * 1e3).round() / 1e3,
    })
}
