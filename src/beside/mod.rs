//! What looks again and again beside the doors and the worker: after rule files, leaks, suspended tenants.

pub mod leaks;
pub mod reload;
pub mod suspension;
