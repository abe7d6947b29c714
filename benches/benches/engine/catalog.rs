//! What the catalog gets: entities of a state, and what changed since the last ones.
//! Must never seal an entity itself, nor take a refusal for speed.

use std::cell::LazyCell;

use anyhow::Result;
use criterion::{BatchSize, Criterion, Throughput};
use terrasift_benches::input::{self, CHUNK_BYTES};
use terrasift_benches::ways;
use terrasift_engine::diff::diff;

use super::{Case, SEED, group};

pub fn bench_sift(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let pipeline = input::pipeline();
    let mut group = group(criterion, "sift", case)?;
    group.bench_function(case.id("entities"), |bencher| {
        bencher.iter_with_large_drop(|| {
            // INVARIANT: the ids are constants.
            let job = input::job().expect("a job");
            // INVARIANT: a generated state is not refused.
            ways::sift(&pipeline, job, case.state.chunks(CHUNK_BYTES)).expect("a state")
        });
    });
    group.finish();
    Ok(())
}

const KNOWN: usize = 10_000;

pub fn bench_diff(criterion: &mut Criterion) -> Result<()> {
    let pair = LazyCell::new(|| {
        // INVARIANT: the generator plants enough types of the table.
        let now = input::entities(KNOWN, SEED).expect("entities");
        let known: Vec<_> = (0..)
            .zip(&now)
            .map(|(at, entity)| {
                let mut digest = entity.get().digest;
                digest[0] ^= u8::from(at % 100 == 0);
                (entity.get().entity_ref.clone(), digest)
            })
            .collect();
        (known, now)
    });
    let mut group = criterion.benchmark_group("diff");
    group.sample_size(30).throughput(Throughput::Elements(u64::try_from(KNOWN)?));
    group.bench_function("10000-entities-1-percent-changed", |bencher| {
        let (known, now) = &*pair;
        let compare = |now| {
            // INVARIANT: no reference stands twice.
            let delta = diff(known, now).expect("a delta");
            assert_eq!((delta.upserts.len(), delta.removals.len()), (KNOWN / 100, 0));
            delta
        };
        bencher.iter_batched(|| now.clone(), compare, BatchSize::LargeInput);
    });
    group.finish();
    Ok(())
}
