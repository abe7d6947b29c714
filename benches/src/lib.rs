//! What the criterion benches and the `ratios` program share: the generated input and the ways that are measured.
//! Must never decide whether a figure is good: it measures, `docs/benchmarks.md` tells.

pub mod clock;
pub mod input;
pub mod ways;
