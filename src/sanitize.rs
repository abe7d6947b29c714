//! `terrasift sanitize`: a Unix filter around the engine's redactor.
//!
//! A file is read twice: the first pass learns what is secret (and refuses a bad file before a byte is written), the
//! second redacts. Standard input is spooled in memory for the same, up to a bound. Must never write raw bytes.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Read, Write, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terrasift_engine::detect::{HashKey, RuleSet};
use terrasift_engine::refusal::Refusal;
use terrasift_engine::sift::{Redactor, Survey, TaintPass};
use terrasift_schemas::detection::Report;
use terrasift_secrets::SecretRef;

use crate::{config, rule_file};

/// Read at once: large enough to amortise system calls, small enough for the cache.
const CHUNK_BYTES: usize = 256 * 1024;
/// Most of standard input that is spooled for the two passes (`design.md`).
const SPOOL_BYTES_MAX: usize = 256 * 1024 * 1024;
const BAD_INPUT: u8 = 2;
const BAD_RULES: u8 = 3;

/// Arguments of `sanitize`.
#[derive(Args)]
pub struct SanitizeArguments {
    /// State file; `-` or nothing reads standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Write the findings as JSON: rule, category, action, pointer into the output, bytes; never a value
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Own rules on top of the built-in ones
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// How copies of a secret are found that stand before what marks it
    #[arg(long, value_enum, default_value_t = TaintMode::TwoPass)]
    taint: TaintMode,
    /// Key of the `hash` action, 64 hex digits: env:NAME or file:/path; without it, hashes differ from run to run
    #[arg(long, value_name = "REF")]
    hash_key: Option<String>,
    /// Say on standard error how much was read, found, and how fast
    #[arg(long)]
    stats: bool,
    /// With --stats: one line of JSON
    #[arg(long, requires = "stats")]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TaintMode {
    /// Learn first, then redact: finds every copy
    TwoPass,
    /// One pass, for endless input: misses copies before the first mark
    Forward,
}

/// Why the filter ends early.
enum Stop {
    Input(String),
    Other(anyhow::Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Input(refusal.to_string())
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Runs the filter.
pub fn run(arguments: &SanitizeArguments) -> anyhow::Result<ExitCode> {
    let rules = match rule_file::compile(arguments.rules.as_deref()) {
        Ok(rules) => Arc::new(rules),
        Err(error) => {
            crate::cli::complain(&error.into());
            return Ok(ExitCode::from(BAD_RULES));
        }
    };
    match filter(arguments, &rules) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Stop::Input(what)) => {
            crate::cli::complain(&anyhow::anyhow!("{}: {what}", name(arguments)));
            Ok(ExitCode::from(BAD_INPUT))
        }
        Err(Stop::Other(error)) => Err(error),
    }
}

fn name(arguments: &SanitizeArguments) -> String {
    if arguments.file.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        arguments.file.display().to_string()
    }
}

fn filter(arguments: &SanitizeArguments, rules: &Arc<RuleSet>) -> Result<(), Stop> {
    let hash_key = match &arguments.hash_key {
        Some(reference) => {
            let place = "--hash-key";
            let reference = SecretRef::parse(reference).context(place)?;
            config::key(place, &terrasift_secrets::resolve(&reference).context(place)?)?
        }
        None => random()?,
    };
    let hash_key = HashKey::new(hash_key);
    let taint_key: [u8; 16] = random()?;
    let started = Instant::now();
    let mut output = BufWriter::with_capacity(CHUNK_BYTES, stdout().lock());
    let from_stdin = arguments.file.as_os_str() == "-";
    let (bytes, report) = match (arguments.taint, from_stdin) {
        (TaintMode::Forward, true) => {
            redact(Redactor::forward(rules, taint_key, hash_key), stdin().lock(), &mut output, None)?
        }
        (TaintMode::Forward, false) => {
            let (file, bar) = open(arguments, 1)?;
            redact(Redactor::forward(rules, taint_key, hash_key), file, &mut output, Some(&bar))?
        }
        (TaintMode::TwoPass, true) => {
            let spool = spool()?;
            let taint = learn(rules, taint_key, spool.as_slice(), None)?;
            redact(Redactor::new(rules, taint, hash_key), spool.as_slice(), &mut output, None)?
        }
        (TaintMode::TwoPass, false) => {
            let (file, bar) = open(arguments, 2)?;
            let taint = learn(rules, taint_key, file, Some(&bar))?;
            let (file, _) = open(arguments, 0)?;
            redact(Redactor::new(rules, taint, hash_key), file, &mut output, Some(&bar))?
        }
    };
    output.flush().context("cannot write to standard output")?;
    if let Some(path) = &arguments.report {
        let text = serde_json::to_vec_pretty(&report).context("cannot write the report as JSON")?;
        std::fs::write(path, text)
            .with_context(|| format!("cannot write the report to {}", path.display()))?;
    }
    if arguments.stats {
        stats(arguments, bytes, &report, started.elapsed())?;
    }
    Ok(())
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    Ok(bytes)
}

/// Opens the file, with a progress bar over `passes` times its length on a terminal.
fn open(arguments: &SanitizeArguments, passes: u64) -> Result<(File, ProgressBar), Stop> {
    let unreadable = |_| Stop::Input("cannot be read: check the path and its permissions".to_owned());
    let file = File::open(&arguments.file).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(Stop::Input("is a directory: name a state file".to_owned()));
    }
    let bar = ProgressBar::with_draw_target(Some(metadata.len() * passes), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        bar.set_style(style);
    }
    Ok((file, bar))
}

/// Reads chunk by chunk; `step` sees each.
fn chunks(
    mut input: impl Read,
    bar: Option<&ProgressBar>,
    mut step: impl FnMut(&[u8]) -> Result<(), Stop>,
) -> Result<u64, Stop> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut total = 0;
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Stop::Input(format!("cannot be read to its end: {}", error.kind()))),
        };
        total += u64::try_from(read).unwrap_or(u64::MAX);
        if let Some(bar) = bar {
            bar.inc(u64::try_from(read).unwrap_or(0));
        }
        step(buffer.get(..read).unwrap_or_default())?;
    }
}

fn learn(
    rules: &Arc<RuleSet>,
    key: [u8; 16],
    input: impl Read,
    bar: Option<&ProgressBar>,
) -> Result<Survey, Stop> {
    let mut pass = TaintPass::new(rules, key);
    chunks(input, bar, |chunk| Ok(pass.push(chunk)?))?;
    Ok(pass.finish()?)
}

fn redact(
    mut redactor: Redactor,
    input: impl Read,
    output: &mut impl Write,
    bar: Option<&ProgressBar>,
) -> Result<(u64, Report), Stop> {
    let mut redacted = Vec::with_capacity(CHUNK_BYTES * 2);
    let bytes = chunks(input, bar, |chunk| {
        redactor.push(chunk, &mut redacted)?;
        output.write_all(&redacted).context("cannot write to standard output")?;
        redacted.clear();
        Ok(())
    })?;
    let report = redactor.finish(&mut redacted)?;
    output.write_all(&redacted).context("cannot write to standard output")?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok((bytes, report))
}

fn spool() -> Result<Vec<u8>, Stop> {
    let mut spool = Vec::new();
    chunks(stdin().lock(), None, |chunk| {
        if spool.len() + chunk.len() > SPOOL_BYTES_MAX {
            let what = "longer than 256 MiB: name a file instead, or pass --taint=forward";
            return Err(Stop::Input(what.to_owned()));
        }
        spool.extend_from_slice(chunk);
        Ok(())
    })?;
    Ok(spool)
}

#[expect(clippy::print_stderr, reason = "the command line's own voice")]
fn stats(
    arguments: &SanitizeArguments,
    bytes: u64,
    report: &Report,
    elapsed: Duration,
) -> anyhow::Result<()> {
    let found: u64 = report.counts.values().sum();
    let megabytes = precise(bytes) / 1e6;
    let rate = megabytes / elapsed.as_secs_f64().max(1e-9);
    if arguments.json {
        let line = serde_json::json!({
            "bytes": bytes, "seconds": elapsed.as_secs_f64(), "mb_per_s": rate, "detections": found, "counts": report.counts,
        });
        eprintln!("{line}");
        return Ok(());
    }
    let categories: Vec<String> =
        report.counts.iter().map(|(category, count)| format!("{count} {}", category.as_str())).collect();
    let passes = if arguments.taint == TaintMode::TwoPass { ", two passes" } else { "" };
    let bold = if std::io::stderr().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    eprintln!(
        "{}{found} redactions{} ({}) in {megabytes:.1} MB, {rate:.0} MB/s{passes}",
        bold.0,
        bold.1,
        if categories.is_empty() { "nothing found".to_owned() } else { categories.join(", ") },
    );
    if report.truncated > 0 && arguments.report.is_some() {
        eprintln!("the report lists the first findings only; {} more are counted", report.truncated);
    }
    Ok(())
}

/// A byte count as a float: exact below 2^53, far beyond any state.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "figures for people")]
fn precise(bytes: u64) -> f64 {
    bytes as f64
}
