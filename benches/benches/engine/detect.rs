//! The rules alone, on decoded texts: no scanning, no output.
//! Must never spell a secret: texts with hits are made of what the generator plants.

use anyhow::{Result, ensure};
use criterion::{Criterion, Throughput};
use terrasift_benches::input;
use terrasift_engine::detect::{KeyVerdict, RuleSet, Scratch};
use terrasift_load_tests::generator::CanaryDensity;

use super::SEED;

/// Prose with the shapes that cost: paths, versions, times, identifiers.
const PROSE: &str = "2026-01-02T03:04:05Z INFO checkout: order 4711 of basket 8a3c1f took 12.5 ms in eu-central-1a; \
    see /var/log/checkout/current.log and arn:aws:s3:::shop-artifacts/releases/v1.13.4/checkout.tar.gz. \
    The quick brown fox jumps over the lazy dog while image sha256-based caches warm up. ";

/// Decoded texts, each with what the keys above it say.
type Texts = Vec<(String, KeyVerdict)>;

pub fn bench(criterion: &mut Criterion) -> Result<()> {
    let rules = RuleSet::builtin();
    let (state, canaries) = input::state(&input::spec(1_000_000, SEED, CanaryDensity::USUAL))?;
    let long = PROSE.repeat(32);
    let planted = canaries.iter().filter(|canary| canary.text.len() < 200 && !canary.text.contains('\n'));
    let secrets: Vec<String> =
        planted.step_by(97).take(8).map(|canary| format!("{PROSE}\n{}\n", canary.text)).collect();
    let secrets = secrets.concat();
    let short = KeyVerdict::under(rules.classify_key("instance_type"), KeyVerdict::Plain);
    let cases: [(&str, Texts, bool); 5] = [
        ("benign-short", vec![("t3.medium".to_owned(), short)], false),
        ("benign-long", vec![(long, KeyVerdict::Plain)], false),
        ("long-with-hits", vec![(secrets, KeyVerdict::Plain)], true),
        ("leaves-of-1MB-usual", input::leaves(&rules, &state)?, true),
        ("leaves-of-1MB-none", leaves_without_secrets(&rules)?, false),
    ];
    for (name, texts, has_hits) in &cases {
        check(&rules, name, texts, *has_hits)?;
    }
    let mut group = criterion.benchmark_group("detect");
    group.sample_size(30).measurement_time(std::time::Duration::from_secs(2));
    for (name, texts, _) in &cases {
        let bytes: usize = texts.iter().map(|(text, _)| text.len()).sum();
        group.throughput(Throughput::Bytes(u64::try_from(bytes)?));
        let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                let mut found = 0;
                for (text, key) in texts {
                    rules.inspect(text, *key, &mut scratch, &mut hits);
                    found += hits.len();
                }
                found
            });
        });
    }
    group.finish();
    keys(criterion, &rules)
}

fn leaves_without_secrets(rules: &RuleSet) -> Result<Texts> {
    input::leaves(rules, &input::state(&input::spec(1_000_000, SEED, CanaryDensity::NONE))?.0)
}

/// What is measured is what its name says.
fn check(rules: &RuleSet, name: &str, texts: &[(String, KeyVerdict)], has_hits: bool) -> Result<()> {
    let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
    let mut found = 0;
    for (text, key) in texts {
        rules.inspect(text, *key, &mut scratch, &mut hits);
        found += hits.len();
    }
    // Leaves without planted secrets may hold a false alarm; the benign texts must not.
    ensure!(has_hits == (found > 0) || name.starts_with("leaves"), "{name} has {found} hits");
    Ok(())
}

/// A key that is met for the first time, and the rules' start-up.
fn keys(criterion: &mut Criterion, rules: &RuleSet) -> Result<()> {
    let mut group = criterion.benchmark_group("rules");
    group.sample_size(10).measurement_time(std::time::Duration::from_secs(2));
    group.bench_function("classify-key", |bencher| {
        bencher.iter(|| rules.classify_key(std::hint::black_box("db_master_user_options")));
    });
    group.bench_function("builtin", |bencher| bencher.iter_with_large_drop(RuleSet::builtin));
    group.finish();
    Ok(())
}
