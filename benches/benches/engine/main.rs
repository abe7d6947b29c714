//! `make bench`: what each part of the engine costs, on generated states of 1 MB and 100 MB.
//! Must never take longer than a quarter of an hour on two busy cores, nor make a state that no chosen bench reads.

use std::cell::LazyCell;
use std::time::Duration;

use anyhow::Result;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use terrasift_benches::input::{self, DENSITIES};
use terrasift_load_tests::generator::StateSpec;

mod catalog;
mod detect;
mod redact;
mod split;

/// Seed of all states.
const SEED: u64 = 1;
const SIZES: [(&str, usize); 2] = [("1MB", 1_000_000), ("100MB", 100_000_000)];

/// One state of the matrix.
struct Case {
    name: String,
    spec: StateSpec,
    /// Nominal size: the generator lands within a few hundred bytes of it.
    bytes: usize,
    state: LazyCell<Vec<u8>, Box<dyn FnOnce() -> Vec<u8>>>,
}

impl Case {
    fn new(name: String, bytes: usize, spec: StateSpec) -> Self {
        let wanted = spec.clone();
        let make: Box<dyn FnOnce() -> Vec<u8>> = Box::new(move || {
            // INVARIANT: writing to memory does not fail.
            input::state(&wanted).expect("a state in memory").0
        });
        Self { name, spec, bytes, state: LazyCell::new(make) }
    }

    fn id(&self, what: &str) -> BenchmarkId {
        BenchmarkId::new(what, &self.name)
    }
}

/// A group whose samples fit the case: many of a small state, ten of a big one.
fn group<'c>(criterion: &'c mut Criterion, name: &str, case: &Case) -> Result<BenchmarkGroup<'c, WallTime>> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    if case.bytes > 10_000_000 {
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
    } else {
        group.sample_size(30);
    }
    group.throughput(Throughput::Bytes(u64::try_from(case.bytes)?));
    Ok(group)
}

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    detect::bench(&mut criterion)?;
    catalog::bench_diff(&mut criterion)?;
    for (size, bytes) in SIZES {
        for (density, canaries) in DENSITIES {
            let spec = input::spec(u64::try_from(bytes)?, SEED, canaries);
            let case = Case::new(format!("{size}-{density}"), bytes, spec);
            split::bench(&mut criterion, &case)?;
            redact::bench(&mut criterion, &case)?;
            catalog::bench_sift(&mut criterion, &case)?;
        }
    }
    criterion.final_summary();
    Ok(())
}
