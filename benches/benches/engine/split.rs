//! From bytes to tokens and values, beside what the field's parsers need for the same bytes; and what making the bytes costs.
//! Must never look into a value.

use std::cell::LazyCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use criterion::Criterion;
use simd_json::Buffers;
use terrasift_benches::input::{self, CHUNK_BYTES};
use terrasift_benches::ways;
use terrasift_load_tests::generator::measure;

use super::{Case, group};

pub fn bench(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let mut making = group(criterion, "generator", case)?;
    making.bench_function(case.id("state"), |bencher| bencher.iter(|| measure(&case.spec)));
    making.finish();
    split(criterion, case)?;
    parse(criterion, case)
}

fn split(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let mut group = group(criterion, "split", case)?;
    group.bench_function(case.id("index"), |bencher| bencher.iter(|| ways::index(&case.state, CHUNK_BYTES)));
    let instances = LazyCell::new(|| {
        // INVARIANT: a generated state has instances.
        input::instances(&case.state, case.bytes).expect("instances")
    });
    group.bench_function(case.id("instances"), |bencher| {
        bencher.iter(|| {
            // INVARIANT: generated instances nest a few levels deep.
            let found = ways::split(&instances, CHUNK_BYTES).expect("instances that are split");
            assert!(found > 100, "the splitter found next to nothing");
            found
        });
    });
    group.finish();
    Ok(())
}

fn parse(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let mut group = group(criterion, "parse", case)?;
    group.bench_function(case.id("serde_json-skip"), |bencher| {
        bencher.iter(|| {
            // INVARIANT: a generated state is JSON.
            ways::skip(&case.state).expect("JSON");
        });
    });
    let mut place = None;
    group.bench_function(case.id("simd_json-tape"), |bencher| {
        let (copy, buffers) =
            place.get_or_insert_with(|| (case.state.clone(), Buffers::new(case.state.len())));
        bencher.iter_custom(|runs| {
            let mut took = Duration::ZERO;
            for _ in 0..runs {
                // The tape is made in place: each run needs the bytes anew, and that is not its cost.
                copy.copy_from_slice(&case.state);
                let start = Instant::now();
                // INVARIANT: a generated state is JSON.
                black_box(ways::tape(copy, buffers).expect("JSON"));
                took += start.elapsed();
            }
            took
        });
    });
    group.finish();
    Ok(())
}
