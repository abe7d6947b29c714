//! From bytes to tokens and values, beside what the field's parsers need for the same bytes; and what making the bytes costs.
//! Must never look into a value.

use std::time::Instant;

use anyhow::Result;
use criterion::{Criterion, Throughput};
use simd_json::Buffers;
use terrasift_benches::input::{self, CHUNK_BYTES};
use terrasift_benches::ways;
use terrasift_load_tests::generator::measure;

use super::{Case, group};

pub fn bench(criterion: &mut Criterion, case: &Case) -> Result<()> {
    generator(criterion, case)?;
    split(criterion, case)?;
    parse(criterion, case)
}

fn generator(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let mut group = group(criterion, "generator", case)?;
    group.bench_function(case.id("state"), |bencher| bencher.iter(|| measure(&case.spec)));
    group.finish();
    Ok(())
}

fn split(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let mut group = group(criterion, "split", case)?;
    group.bench_function(case.id("index"), |bencher| bencher.iter(|| ways::index(&case.bytes, CHUNK_BYTES)));
    let instances = input::instances(&case.bytes)?;
    group.throughput(Throughput::Bytes(u64::try_from(instances.len())?));
    anyhow::ensure!(
        ways::split(&instances, CHUNK_BYTES)? > 100,
        "the splitter found next to no instances in {}",
        case.name
    );
    group.bench_function(case.id("instances"), |bencher| {
        bencher.iter(|| ways::split(&instances, CHUNK_BYTES).map_err(|refusal| refusal.kind));
    });
    group.finish();
    Ok(())
}

fn parse(criterion: &mut Criterion, case: &Case) -> Result<()> {
    let mut group = group(criterion, "parse", case)?;
    ways::skip(&case.bytes)?;
    group.bench_function(case.id("serde_json-skip"), |bencher| bencher.iter(|| ways::skip(&case.bytes)));
    let mut copy = case.bytes.clone();
    let mut buffers = Buffers::new(copy.len());
    ways::tape(&mut copy, &mut buffers)?;
    group.bench_function(case.id("simd_json-tape"), |bencher| {
        bencher.iter_custom(|runs| {
            let mut took = std::time::Duration::ZERO;
            for _ in 0..runs {
                // The tape is made in place: each run needs the bytes anew, and that is not its cost.
                copy.copy_from_slice(&case.bytes);
                let start = Instant::now();
                let nodes = ways::tape(&mut copy, &mut buffers);
                took += start.elapsed();
                std::hint::black_box(nodes.is_ok());
            }
            took
        });
    });
    group.finish();
    Ok(())
}
