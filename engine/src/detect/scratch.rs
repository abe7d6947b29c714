//! Buffers that survive from value to value, so that the common case allocates nothing.
//!
//! Holds pieces of raw values between calls: no `Debug`, and wiped on drop.

/// Reusable buffers of one worker. Not shared between threads.
#[derive(Default)]
pub struct Scratch {}
