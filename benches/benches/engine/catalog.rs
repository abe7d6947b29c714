//! What the catalog gets: entities of a state, and what changed since the last ones.
//! Must never seal an entity itself.

use anyhow::{Context, Result, ensure};
use criterion::{BatchSize, Criterion, Throughput};
use terrasift_benches::input::{self, CHUNK_BYTES};
use terrasift_benches::ways;
use terrasift_engine::diff::diff;

use super::{Case, SEED, group};

pub fn bench_sift(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let pipeline = input::pipeline();
    let sift = || -> Result<_> { Ok(ways::sift(&pipeline, input::job()?, case.bytes.chunks(CHUNK_BYTES))?) };
    sift().with_context(|| format!("cannot sift {}", case.name))?;
    let mut group = group(criterion, "sift", case)?;
    group.bench_function(case.id("entities"), |bencher| bencher.iter_with_large_drop(sift));
    group.finish();
    Ok(())
}

const KNOWN: usize = 10_000;

pub fn bench_diff(criterion: &mut Criterion) -> Result<()> {
    let now = input::entities(KNOWN, SEED)?;
    let known: Vec<_> = now
        .iter()
        .enumerate()
        .map(|(at, entity)| {
            let mut digest = entity.get().digest;
            digest[0] ^= u8::from(at % 100 == 0);
            (entity.get().entity_ref.clone(), digest)
        })
        .collect();
    let delta = diff(&known, now.clone())?;
    ensure!(
        delta.upserts.len() == KNOWN / 100 && delta.unchanged == KNOWN - KNOWN / 100,
        "not one in a hundred"
    );
    let mut group = criterion.benchmark_group("diff");
    group.sample_size(30).throughput(Throughput::Elements(u64::try_from(KNOWN)?));
    group.bench_function("10000-entities-1-percent-changed", |bencher| {
        bencher.iter_batched(|| now.clone(), |now| diff(&known, now).is_ok(), BatchSize::LargeInput);
    });
    group.finish();
    Ok(())
}
