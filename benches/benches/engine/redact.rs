//! `terrasift sanitize`, bytes to bytes: both passes together, the first alone, and forward.
//! Must never write the output anywhere, nor take a refusal for speed.

use anyhow::Result;
use criterion::Criterion;
use terrasift_benches::input::CHUNK_BYTES;
use terrasift_benches::ways;
use terrasift_engine::detect::RuleSet;

use super::{Case, group};

pub fn bench(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let rules = RuleSet::builtin();
    let chunks = || case.state.chunks(CHUNK_BYTES);
    let mut group = group(criterion, "sanitize", case)?;
    group.bench_function(case.id("two-pass"), |bencher| {
        bencher.iter(|| {
            // INVARIANT: a generated state is not refused.
            ways::two_pass(&rules, chunks).expect("a state");
        });
    });
    group.bench_function(case.id("taint-pass"), |bencher| {
        bencher.iter(|| {
            // INVARIANT: a generated state is not refused.
            ways::taint(&rules, chunks()).expect("a state")
        });
    });
    group.bench_function(case.id("forward"), |bencher| {
        bencher.iter(|| {
            // INVARIANT: a generated state is not refused.
            ways::forward(&rules, chunks()).expect("a state");
        });
    });
    group.finish();
    Ok(())
}
