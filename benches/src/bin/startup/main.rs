//! How long `terrasift sanitize` takes to start: the program itself, over a tiny state, many times.
//!
//! Prints one line of JSON. `program` is the same program asked for its version: what the system takes for any process,
//! and no rule is built. Must never count the first runs: they read the program from the disk.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::json;
use terrasift_engine::detect::RuleSet;

/// Runs that are not counted.
const WARM_UP: usize = 5;

/// What is measured.
#[derive(Parser)]
struct Arguments {
    /// The program; without it the one beside this, built with the same profile
    #[arg(long)]
    program: Option<PathBuf>,
    /// Runs that are counted
    #[arg(long, default_value_t = 200)]
    runs: usize,
    /// Fail when the middle run of `sanitize` takes longer, in milliseconds
    #[arg(long, default_value_t = 50)]
    most: u64,
}

const STATE: &str =
    r#"{"version":4,"terraform_version":"1.11.0","serial":1,"lineage":"l","outputs":{},"resources":[]}"#;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let program = match arguments.program {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("terrasift"),
    };
    ensure!(program.is_file(), "{} is missing: build it with the same profile", program.display());
    ensure!(arguments.runs > 0, "no runs");
    let folder = std::env::temp_dir().join(format!("terrasift-startup-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let state = folder.join("tiny.tfstate");
    std::fs::File::create(&state)?.write_all(STATE.as_bytes())?;
    let run = |arguments: &[&str]| -> anyhow::Result<Duration> {
        let begin = Instant::now();
        let status = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .context("cannot run the program")?;
        ensure!(status.success(), "the program failed: {arguments:?}");
        Ok(begin.elapsed())
    };
    let state_text = state.to_string_lossy();
    let mut sanitize = Vec::new();
    let mut version = Vec::new();
    // By turns, so that both meet the same machine.
    for turn in 0..WARM_UP + arguments.runs {
        let (a, b) = (run(&["sanitize", &state_text])?, run(&["--version"])?);
        if turn >= WARM_UP {
            sanitize.push(a);
            version.push(b);
        }
    }
    let rules = (0..arguments.runs).map(|_| {
        let begin = Instant::now();
        std::hint::black_box(RuleSet::builtin());
        begin.elapsed()
    });
    let rules = rules.collect();
    std::fs::remove_dir_all(&folder)?;
    let (sanitize, version, rules) = (figures(sanitize), figures(version), figures(rules));
    print(&json!({
        "figure": "startup", "runs": arguments.runs, "sanitize_ms": sanitize, "program_ms": version,
        "builtin_rules_ms": rules,
    }));
    let middle = sanitize.get("median").and_then(serde_json::Value::as_f64).unwrap_or(f64::MAX);
    let most = Duration::from_millis(arguments.most).as_secs_f64() * 1e3;
    ensure!(middle <= most, "`sanitize` takes {middle:.1} ms to start, {most:.0} are allowed");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's own voice")]
fn print(line: &serde_json::Value) {
    println!("{line}");
}

/// Milliseconds: the middle, the best, one in twenty, the worst.
fn figures(mut times: Vec<Duration>) -> serde_json::Value {
    times.sort_unstable();
    let at = |part: usize| times.get((times.len() * part / 100).min(times.len().saturating_sub(1)));
    let ms = |time: Option<&Duration>| time.map_or(0.0, |time| (time.as_secs_f64() * 1e5).round() / 100.0);
    json!({ "median": ms(at(50)), "best": ms(times.first()), "p95": ms(at(95)), "worst": ms(times.last()) })
}
