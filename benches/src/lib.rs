//! What the criterion benches and the measuring programs share: the generated input, the ways that are measured, and
//! how a figure is told.
//! Must never decide whether a figure is good: it measures, `docs/benchmarks.md` tells.

pub mod clock;
pub mod figure;
pub mod input;
pub mod ways;
