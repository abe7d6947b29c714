//! `peers`: how many times as fast as other programs `terrasift sanitize FILE` goes through a generated state.
//!
//! One JSON line a figure. Whole processes are compared, start included, on one core, by their processor time in user and
//! system mode; ours and the peer's by turns, and a ratio is one of neighbouring runs. Ours writes the sanitized state;
//! it reads the file twice. The peers' settings are the fastest with which they still apply all of their built-in rules:
//!
//! - rust-sanitize: its zero-configuration patterns, `--force-text` (no structured processors beside its scanner), one
//!   thread, sanitized output to a file.
//! - kingfisher: one job, `--no-validate` (no network), `--turbo` (no decoding of base64, no parsers: less than we do),
//!   its cache of compiled rules filled by a run that is not counted, report to the null device.
//! - gitleaks: `dir`, its default configuration, one processor, `--max-decode-depth 0` (no decoding, as above), no
//!   report. It gets a smaller state.
//!
//! A peer that finds nothing in a state with planted secrets fails the run: what does not look is no comparison.
//! Must never install a program: `make bench-peers` does.

mod peer;
mod process;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::{Value, json};
use terrasift_benches::clock::Sample;
use terrasift_benches::figure::{machine, median, megabytes, parse_bytes, tenth};
use terrasift_benches::input::DENSITIES;
use terrasift_load_tests::generator::CanaryDensity;

use peer::Peer;

/// What this takes is the start of a process: told beside the figures, not taken from them.
const SMALL_BYTES: u64 = 100_000;

/// Compares `terrasift sanitize` with other programs; fails where a ratio is below what it must be.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:
  make bench-peers
  make bench-peers ARGS='--bytes 20MB --rounds 1'
  peers --folder target/peers/run --kingfisher ~/bin/kingfisher"
)]
struct Options {
    /// Folder for states and for what the peers keep; made when missing, and left
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    /// The program `sanitize` of rust-sanitize; without it, no comparison
    #[arg(long, value_name = "FILE")]
    rust_sanitize: Option<PathBuf>,
    /// The program `kingfisher`; without it, no comparison
    #[arg(long, value_name = "FILE")]
    kingfisher: Option<PathBuf>,
    /// The program `gitleaks`; without it, no comparison
    #[arg(long, value_name = "FILE")]
    gitleaks: Option<PathBuf>,
    /// Size of the state, with KB, MB or GB (powers of ten)
    #[arg(long, default_value = "100MB", value_parser = parse_bytes)]
    bytes: u64,
    /// Most that a slow peer gets (gitleaks)
    #[arg(long, default_value = "10MB", value_parser = parse_bytes)]
    slow_bytes: u64,
    /// Seed of the states
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rounds, each ours and the peer's; figures are medians over them
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
}

/// A generated state on the disk.
struct State {
    path: PathBuf,
    bytes: u64,
}

/// Everything that a comparison needs beside the peer.
struct Bench {
    options: Options,
    folder: PathBuf,
    ours: PathBuf,
    simulator: PathBuf,
}

fn main() -> Result<()> {
    let bench = Bench::new(Options::parse())?;
    let peers = bench.peers()?;
    ensure!(!peers.is_empty(), "no peer is named, see --help");
    let mut out = io::stdout().lock();
    let mut machine = machine();
    machine["pinned_to_core"] = json!(process::confine()?);
    writeln!(out, "{machine}")?;
    let mut missed = Vec::new();
    for (density, canaries) in DENSITIES {
        for (peer, program) in &peers {
            let mut line = bench.compare(*peer, program, canaries)?;
            line["canaries"] = json!(density);
            writeln!(out, "{line}")?;
            if line["ratio"].as_f64().is_none_or(|ratio| ratio < f64::from(peer.targets().0)) {
                missed.push(format!("{} ({density}): {} of {}", peer.name(), line["ratio"], line["must"]));
            }
        }
    }
    ensure!(missed.is_empty(), "below what the ratio must be: {}", missed.join(", "));
    Ok(())
}

impl Bench {
    fn new(options: Options) -> Result<Self> {
        fs::create_dir_all(&options.folder)
            .with_context(|| format!("cannot make {}", options.folder.display()))?;
        // The peers run elsewhere.
        let folder = options.folder.canonicalize()?;
        let beside = |name: &str| -> Result<PathBuf> {
            let program = std::env::current_exe()?.with_file_name(name);
            ensure!(program.is_file(), "{} is missing: build it with the same profile", program.display());
            Ok(program)
        };
        Ok(Self { folder, ours: beside("terrasift")?, simulator: beside("terrasift-simulator")?, options })
    }

    fn peers(&self) -> Result<Vec<(Peer, PathBuf)>> {
        let options = &self.options;
        let named = [
            (Peer::RustSanitize, &options.rust_sanitize),
            (Peer::Kingfisher, &options.kingfisher),
            (Peer::Gitleaks, &options.gitleaks),
        ];
        let absolute = |(peer, program): (Peer, &Option<PathBuf>)| {
            let program = program.as_ref()?;
            Some(
                program
                    .canonicalize()
                    .map(|program| (peer, program))
                    .with_context(|| format!("no {}", program.display())),
            )
        };
        named.into_iter().filter_map(absolute).collect()
    }

    /// Rounds of ours and the peer's by turns, as a line without the density's name.
    fn compare(&self, peer: Peer, program: &Path, canaries: CanaryDensity) -> Result<Value> {
        let options = &self.options;
        let state = self.state(options.bytes, canaries)?;
        let bytes = if peer.is_slow() { options.bytes.min(options.slow_bytes) } else { options.bytes };
        let slice = self.state(bytes, canaries)?;
        let home = self.folder.join(peer.name());
        fs::create_dir_all(&home)?;
        let small = self.state(SMALL_BYTES, canaries)?;
        // The first run reads the programs from the disk and fills their caches.
        self.sanitize(&small)?;
        scan(peer, program, &home, &small)?;
        let (our_start, (their_start, _)) = (self.sanitize(&small)?, scan(peer, program, &home, &small)?);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            ours.push(Speed::of(self.sanitize(&state)?, state.bytes)?);
            let (taken, found) = scan(peer, program, &home, &slice)?;
            ensure!(found || canaries.per_hundred == 0, "{} found none of the planted secrets", peer.name());
            theirs.push(Speed::of(taken, slice.bytes)?);
        }
        let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours.cpu / theirs.cpu).collect();
        let middle = |speeds: &[Speed], of: fn(&Speed) -> f64| tenth(median(speeds.iter().map(of).collect()));
        let (must, aim) = peer.targets();
        Ok(json!({
            "figure": format!("peer-{}", peer.name()), "peer": peer.name(), "version": peer.version(program)?,
            "bytes": slice.bytes, "mb_per_s": middle(&theirs, |it| it.cpu),
            "mb_per_s_wall": middle(&theirs, |it| it.wall),
            "ours_bytes": state.bytes, "ours_mb_per_s": middle(&ours, |it| it.cpu),
            "ours_mb_per_s_wall": middle(&ours, |it| it.wall),
            "start_ms": tenth(their_start.cpu.as_secs_f64() * 1e3),
            "ours_start_ms": tenth(our_start.cpu.as_secs_f64() * 1e3),
            "ratio": tenth(median(ratios)), "must": must, "aim": aim,
            "seed": options.seed, "rounds": options.rounds,
        }))
    }

    fn sanitize(&self, state: &State) -> Result<Sample> {
        let (taken, code) = process::measure(Command::new(&self.ours).arg("sanitize").arg(&state.path))?;
        ensure!(code == 0, "`terrasift sanitize` ended with {code}");
        Ok(taken)
    }

    /// Asks the simulator for the state: the same bytes at each call.
    fn state(&self, bytes: u64, canaries: CanaryDensity) -> Result<State> {
        let (seed, density) = (self.options.seed, canaries.per_hundred);
        let path = self.folder.join(format!("seed-{seed}-density-{density}-{bytes}.tfstate"));
        let mut generate = Command::new(&self.simulator);
        generate.args(["generate", "--seed", &seed.to_string(), "--bytes", &bytes.to_string()]);
        generate.args(["--density", &density.to_string()]).arg("--out").arg(&path);
        let (_, code) = process::measure(&mut generate)?;
        ensure!(code == 0, "`terrasift-simulator generate` ended with {code}");
        Ok(State { bytes: fs::metadata(&path)?.len(), path })
    }
}

/// What the peer took, and whether it found something.
fn scan(peer: Peer, program: &Path, home: &Path, state: &State) -> Result<(Sample, bool)> {
    let (taken, code) = process::measure(&mut peer.scan(program, home, &state.path))?;
    let found = code == peer.found();
    ensure!(found || code == 0, "{} ended with {code}", peer.name());
    Ok((taken, found))
}

/// MB/s of one run.
struct Speed {
    cpu: f64,
    wall: f64,
}

impl Speed {
    fn of(taken: Sample, bytes: u64) -> Result<Self> {
        let megabytes = megabytes(bytes)?;
        Ok(Self { cpu: megabytes / taken.cpu.as_secs_f64(), wall: megabytes / taken.wall.as_secs_f64() })
    }
}
