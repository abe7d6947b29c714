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
