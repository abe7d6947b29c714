//! `terrasift sanitize`, bytes to bytes: both passes together, the first alone, and forward.
//! Must never write the output anywhere.

use anyhow::Result;
use criterion::Criterion;
use terrasift_benches::input::CHUNK_BYTES;
use terrasift_benches::ways;
use terrasift_engine::detect::RuleSet;

use super::{Case, group};

pub fn bench(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let rules = RuleSet::builtin();
    let chunks = || case.bytes.chunks(CHUNK_BYTES);
    // A refused state would be a fast one.
    ways::two_pass(&rules, chunks)?;
    let mut group = group(criterion, "sanitize", case)?;
    group.bench_function(case.id("two-pass"), |bencher| {
        bencher.iter(|| ways::two_pass(&rules, chunks).is_ok());
    });
    group.bench_function(case.id("taint-pass"), |bencher| {
        bencher.iter(|| ways::taint(&rules, chunks()).is_ok());
    });
    group.bench_function(case.id("forward"), |bencher| {
        bencher.iter(|| ways::forward(&rules, chunks()).is_ok());
    });
    group.finish();
    Ok(())
}
