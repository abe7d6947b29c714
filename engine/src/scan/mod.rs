//! From chunks of bytes to complete units of a Terraform state, with an index of their structure.
//!
//! Owns the structural scan and the splitting. Must never decide what is secret, and never hold more than one unit.

/// A unit (a resource instance, an output, a top-level value …) above this many bytes is not held: see [`crate::sift`].
pub const UNIT_BYTES_MAX: usize = 8 << 20;
/// Nesting above this is refused.
pub const DEPTH_MAX: usize = 512;
