//! What another scanner's own examples of secrets come to: nobody here chose them, or knew them when the rules were written.
//!
//! Reads the rules of kingfisher as its program lists them. Prints ids of rules, never an example: some were somebody's once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use clap::Parser;
use serde::{Deserialize, Serialize};
use serde_json::json;
use terrasift_engine::detect::{KeyVerdict, RuleSet, Scratch};

/// Rules that find no secret, and what they find.
const APART: &str = include_str!("apart.tsv");

/// What is looked at.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  foreign --kingfisher target/peers/kingfisher-1.112.0/kingfisher/bin/kingfisher
  foreign --kingfisher kingfisher --json\n\nEnds with 1 when more examples than `--most` are missed."
)]
struct Arguments {
    /// A kingfisher whose rules have examples: 1.112.0 is the last
    #[arg(long)]
    kingfisher: PathBuf,
    /// Examples that may be missed
    #[arg(long, default_value_t = 40)]
    most: usize,
    /// One JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// A rule as `kingfisher rules list --format json` tells of it.
#[derive(Deserialize)]
struct Rule {
    id: String,
    /// Not only a help for others: what it finds is shown.
    visible: bool,
    examples: Vec<String>,
}

/// What came of them.
#[derive(Serialize)]
struct Outcome<'r> {
    rules: usize,
    examples: usize,
    found: usize,
    apart: usize,
    missed: usize,
    missed_by_rule: BTreeMap<&'r str, usize>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let listed = Command::new(&arguments.kingfisher)
        .args(["rules", "list", "--format", "json"])
        .output()
        .with_context(|| {
            format!("cannot run {}: `make bench-foreign` installs it", arguments.kingfisher.display())
        })?;
    ensure!(listed.status.success(), "kingfisher could not list its rules");
    let listed: Vec<Rule> =
        serde_json::from_slice(&listed.stdout).context("what kingfisher lists is no list of rules")?;
    let apart: BTreeMap<&str, &str> = APART.lines().filter_map(|line| line.split_once('\t')).collect();

    let rules = RuleSet::builtin();
    let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
    let (mut count, mut found, mut aside) = (0, 0, 0);
    let mut missed: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in &listed {
        for example in &rule.examples {
            count += 1;
            rules.inspect(example, KeyVerdict::Plain, &mut scratch, &mut hits);
            if !hits.is_empty() {
                found += 1;
            } else if !rule.visible || apart.contains_key(rule.id.as_str()) {
                aside += 1;
            } else {
                *missed.entry(&rule.id).or_default() += 1;
            }
        }
    }

    ensure!(count > 0, "this kingfisher has rules without examples");
    let misses = missed.values().sum::<usize>();
    print(
        arguments.json,
        &Outcome {
            rules: listed.len(),
            examples: count,
            found,
            apart: aside,
            missed: misses,
            missed_by_rule: missed,
        },
    );
    Ok(ExitCode::from(u8::from(misses > arguments.most)))
}

#[expect(clippy::print_stdout, reason = "the command's own voice")]
fn print(as_json: bool, outcome: &Outcome<'_>) {
    if as_json {
        println!("{}", json!({ "figure": "foreign", "outcome": outcome }));
        return;
    }
    println!("examples           {} of {} rules", outcome.examples, outcome.rules);
    println!("found              {}", outcome.found);
    println!("apart              {} without a secret: addresses, names, public keys", outcome.apart);
    println!("missed             {}", outcome.missed);
    outcome.missed_by_rule.iter().for_each(|(id, count)| println!("{count:9}  {id}"));
}
