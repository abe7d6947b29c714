//! `planted`: how many planted secrets the engine misses and how many look-alikes it takes for secrets.
//! The states and the judgement come from the load tests, which know nothing of the rules. Must never print a secret.

mod measure;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use terrasift_load_tests::planted::{Row, Tally};

use measure::{Cut, Measure, Ordinary};

/// Least share of right redactions among all.
const PRECISION_MIN: f64 = 0.99;

/// Plants secrets in states, redacts them, and judges what became of each.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  cargo run --release -p terrasift-benches --bin planted -- --secrets 100000 --seed 1
  cargo run --release -p terrasift-benches --bin planted -- --secrets 2000 --seed 7 --misses 50
  cargo run --release -p terrasift-benches --bin planted -- --secrets 100000 --json > planted.json

Ends with 1 when a secret was missed or precision is below 99 %."
)]
struct Options {
    /// Secrets, at least.
    #[arg(long, default_value_t = 100_000)]
    secrets: usize,
    /// Seed of the states: others give other secrets in other places.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Secrets in one state.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    per_state: u32,
    /// How the bytes are cut into chunks; `mixed` takes turns.
    #[arg(long, value_enum, default_value_t = Cut::Mixed)]
    chunks: Cut,
    /// Bytes of ordinary states without a secret that are looked at for values that change.
    #[arg(long, default_value_t = 20_000_000)]
    ordinary_bytes: u64,
    /// Tell of so many misses, false changes and overdone values each: where, which family and rule.
    #[arg(long, default_value_t = 20)]
    misses: usize,
    /// With these, the values before and after: they are drawn from the seed and open nothing.
    #[arg(long)]
    show: bool,
    /// One JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let bar = if io::stderr().is_terminal() && !options.json {
        ProgressBar::with_draw_target(Some(u64::try_from(options.secrets)?), ProgressDrawTarget::stderr())
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} secrets {elapsed}")?);
    let mut measure = Measure::new(
        options.seed,
        usize::try_from(options.per_state)?,
        options.chunks,
        options.misses,
        options.show,
    );
    while measure.tally.secrets().planted < options.secrets {
        measure.one()?;
        bar.set_position(u64::try_from(measure.tally.secrets().planted)?);
    }
    bar.finish_and_clear();
    let ordinary = measure.ordinary(options.ordinary_bytes)?;
    let mut out = io::stdout().lock();
    if options.json {
        writeln!(out, "{}", as_json(&options, &measure, ordinary))?;
    } else {
        print(&mut out, &measure, ordinary)?;
    }
    let fine = measure.tally.secrets().wrong == 0 && measure.tally.precision() >= PRECISION_MIN;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a Row)>) -> Value {
    let wrong =
        rows.map(|(name, row)| (name.to_owned(), json!({"planted": row.planted, "wrong": row.wrong})));
    Value::Object(wrong.collect())
}

fn as_json(options: &Options, measure: &Measure, ordinary: Ordinary) -> Value {
    let tally = &measure.tally;
    let (secrets, alikes) = (tally.secrets(), tally.alikes());
    json!({
        "seed": options.seed,
        "states": tally.states,
        "bytes": tally.bytes,
        "secrets": secrets.planted,
        "missed": secrets.wrong,
        "look_alikes": alikes.planted,
        "look_alikes_changed": alikes.wrong,
        "strays": tally.strays,
        "precision": tally.precision(),
        "leaves_without_secret": tally.tokens_without_secret,
        "leaves_changed": tally.tokens_changed,
        "context_bytes": tally.context_bytes,
        "context_bytes_lost": tally.context_lost,
        "ordinary_leaves": ordinary.leaves,
        "ordinary_leaves_changed": ordinary.changed,
        "ordinary_private": ordinary.private,
        "families": table(tally.families.iter().map(|(name, row)| (*name, row))),
        "places": table(tally.places.iter().map(|(name, row)| (name.as_str(), row))),
        "look_alike_kinds": table(tally.look_alikes.iter().map(|(name, row)| (*name, row))),
        "false_by_rule": tally.rules,
    })
}

fn print(out: &mut impl Write, measure: &Measure, ordinary: Ordinary) -> io::Result<()> {
    let tally = &measure.tally;
    wrong(out, "missed, by family", tally.families.iter().map(|(name, row)| (*name, row)))?;
    wrong(out, "missed, by place", tally.places.iter().map(|(name, row)| (name.as_str(), row)))?;
    wrong(out, "look-alikes changed, by kind", tally.look_alikes.iter().map(|(name, row)| (*name, row)))?;
    writeln!(out, "\nfalse changes, by rule")?;
    for (rule, count) in &tally.rules {
        writeln!(out, "  {count:>7}  {rule}")?;
    }
    for line in &measure.notes {
        writeln!(out, "{line}")?;
    }
    headline(out, tally, ordinary)
}

fn headline(out: &mut impl Write, tally: &Tally, ordinary: Ordinary) -> io::Result<()> {
    let (secrets, alikes) = (tally.secrets(), tally.alikes());
    writeln!(out, "\nstates             {} ({} bytes)", tally.states, tally.bytes)?;
    writeln!(
        out,
        "secrets            {} of {} families, missed {}",
        secrets.planted,
        tally.families.len(),
        secrets.wrong
    )?;
    writeln!(
        out,
        "look-alikes        {} of {} kinds, changed {}",
        alikes.planted,
        tally.look_alikes.len(),
        alikes.wrong
    )?;
    writeln!(out, "strays             {}", tally.strays)?;
    writeln!(out, "precision          {:.3} %", tally.precision() * 100.0)?;
    writeln!(
        out,
        "leaves changed     {:.4} % of {} without a secret",
        tally.changed_share() * 100.0,
        tally.tokens_without_secret
    )?;
    writeln!(
        out,
        "context lost       {:.3} % of {} bytes beside secrets",
        tally.context_share() * 100.0,
        tally.context_bytes
    )?;
    let share = Measure::share(ordinary.changed, ordinary.leaves) * 100.0;
    writeln!(
        out,
        "ordinary states    {} of {} leaves changed ({share:.4} %), and {} of private data",
        ordinary.changed, ordinary.leaves, ordinary.private
    )
}

/// The rows in which something went wrong, worst first.
fn wrong<'a>(
    out: &mut impl Write,
    title: &str,
    rows: impl Iterator<Item = (&'a str, &'a Row)>,
) -> io::Result<()> {
    let mut rows: Vec<_> = rows.filter(|(_, row)| row.wrong > 0).collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.wrong));
    writeln!(out, "\n{title}")?;
    for (name, row) in rows {
        writeln!(out, "  {:>7} of {:>7}  {name}", row.wrong, row.planted)?;
    }
    Ok(())
}
