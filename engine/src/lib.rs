//! Bytes of a state in, sanitized entities out. Pure and synchronous.
//!
//! Must never know tokio, a clock, a file, the network or a random generator: whoever calls passes bytes and keys in.

pub mod detect;
pub mod diff;
pub mod extract;
pub mod identity;
pub mod refusal;
pub mod scan;
mod seal;
pub mod sift;
pub mod taint;

/// Version of what turns a sanitized state into entities. It grows with every change that makes other entities of the
/// same state: part of the pipeline version, so that a newer release writes its entities anew.
pub const EXTRACTOR_VERSION: u32 = 1;
