//! What looks again and again beside the doors and the worker: after rule files, secrets, leaks, suspended tenants.

pub mod leaks;
pub mod reload;
pub mod rotation;
pub mod suspension;
