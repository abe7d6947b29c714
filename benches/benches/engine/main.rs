//! `make bench`: what each part of the engine costs, on generated states of 1 MB and 100 MB.
//! Must never take longer than a quarter of an hour on two busy cores.

use std::time::Duration;

use anyhow::Result;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use terrasift_benches::input::{self, DENSITIES};

mod catalog;
mod detect;
mod redact;
mod split;

/// Seed of all states.
const SEED: u64 = 1;
const SIZES: [(&str, u64); 2] = [("1MB", 1_000_000), ("100MB", 100_000_000)];

/// One state of the matrix.
struct Case {
    name: String,
    spec: terrasift_load_tests::generator::StateSpec,
    bytes: Vec<u8>,
}

impl Case {
    fn id(&self, what: &str) -> BenchmarkId {
        BenchmarkId::new(what, &self.name)
    }
}

/// A group whose samples fit the case: many of a small state, ten of a big one.
fn group<'c>(criterion: &'c mut Criterion, name: &str, case: &Case) -> Result<BenchmarkGroup<'c, WallTime>> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    if case.bytes.len() > 10_000_000 {
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
    } else {
        group.sample_size(30);
    }
    group.throughput(Throughput::Bytes(u64::try_from(case.bytes.len())?));
    Ok(group)
}

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    detect::bench(&mut criterion)?;
    catalog::bench_diff(&mut criterion)?;
    for (size, bytes) in SIZES {
        for (density, canaries) in DENSITIES {
            let spec = input::spec(bytes, SEED, canaries);
            let (bytes, _) = input::state(&spec)?;
            let case = Case { name: format!("{size}-{density}"), spec, bytes };
            split::bench(&mut criterion, &case)?;
            redact::bench(&mut criterion, &case)?;
            catalog::bench_sift(&mut criterion, &case)?;
        }
    }
    criterion.final_summary();
    Ok(())
}
