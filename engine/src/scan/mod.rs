//! From chunks of bytes to complete units of a Terraform state, with an index of their structure.
//!
//! Owns the structural scan (SIMD and scalar), the window that holds at most one unit, and strict JSON (RFC 8259)
//! at the level of tokens, texts and numbers. Must never decide what is secret.

mod block;
mod finder;
mod index;
mod number;
mod quote;
mod text;
mod unit;
mod window;

pub use finder::{Find, Finder};
pub(crate) use number::is_number;
pub(crate) use quote::closing_quote;
pub(crate) use text::{decode, decode_plain, raw_offsets, raw_offsets_plain};
pub(crate) use unit::{UNEXPECTED, Unit};
pub use window::Window;

/// A unit (a resource instance, an output, a top-level value …) above this many bytes is not held: see
/// [`crate::sift`]. The figure is the design's: above what providers accept for one resource (Terraform's own gRPC
/// message limit per resource was 64 MiB, real instances stay below 1 MiB), small enough for a thousand workers.
pub const UNIT_BYTES_MAX: usize = 8 << 20;

/// A unit with more tokens is not held either: a megabyte of brackets has a token a byte, and a token takes four.
pub(crate) const UNIT_TOKENS_MAX: usize = UNIT_BYTES_MAX / 4;

/// Nesting above this is refused. Go's decoder stops at 10,000; real states stay below 40.
pub const DEPTH_MAX: usize = 512;
